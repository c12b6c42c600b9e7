"""JSON with holes: an object's shape is encoded once, and its own values are put in each time it is asked for."""

from __future__ import annotations

import hashlib
import re
import time
from functools import lru_cache

import msgspec

from cockpit.rehearsal.kube.errors import Obj

_HOLE = re.compile(rb"<<(\w+)>>")
_encode = msgspec.json.Encoder().encode


_TYPICAL = {b"name": 28, b"node": 40, b"host": 10, b"ip": 11, b"uid": 36, b"id0": 64, b"id1": 64, b"access": 5, b"version": 6}
_MOMENT = 20
"""Bytes of a value, about; of any other: of a time."""


def hole(name: str) -> str:
    """What stands in a shape's text for the value of this name."""
    return f"<<{name}>>"


class Template:
    """The JSON of a shape; `fill` gives that of an object."""

    def __init__(self, shape: Obj) -> None:
        self._format = _HOLE.sub(rb"%(\1)b", _encode(shape).replace(b"%", b"%%"))

    def fill(self, values: dict[bytes, bytes]) -> bytes:
        """With these values in its holes."""
        return self._format % values


def weight(shape: Obj) -> int:
    """About how many bytes an object of this shape has."""
    text = _encode(shape)
    return len(text) + sum(_TYPICAL.get(name, _MOMENT) - len(hole(name.decode())) for name in _HOLE.findall(text))


@lru_cache(maxsize=4096)
def stamp(seconds: int) -> bytes:
    """Seconds of the epoch as metav1.Time is written."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)).encode()


def digits(seed: int, *number: int) -> bytes:
    """128 hexadecimal digits that follow from these numbers."""
    return hashlib.blake2b(repr((seed, *number)).encode()).hexdigest().encode()


def uid(text: bytes) -> bytes:
    """The first 32 of these digits as a UID."""
    return b"-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))
