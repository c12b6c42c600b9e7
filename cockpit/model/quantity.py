"""Kubernetes resource quantities ("250m", "2Gi") as integers."""

from __future__ import annotations

import re
from decimal import Decimal

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FACTORS = {s: Decimal(10) ** n for s, n in _DECIMAL.items()} | {s: Decimal(2) ** n for s, n in _BINARY.items()}


_SHAPE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]*)")


def parse(text: str) -> Decimal:
    """The quantity's value in its base unit (cores, bytes, count). ValueError when it is none."""
    found = _SHAPE.fullmatch(text)
    if found is None or found[2] not in _FACTORS:
        raise ValueError(f"{text!r} is no quantity: a number with one of {' '.join(k for k in _FACTORS if k)}")
    return Decimal(found[1]) * _FACTORS[found[2]]


def millicores(text: str) -> int:
    """A CPU quantity in thousandths of a core, rounded up as the scheduler does."""
    return _ceil(parse(text) * 1000)


def size(text: str) -> int:
    """A memory quantity in bytes, or a count, rounded up."""
    return _ceil(parse(text))


def _ceil(value: Decimal) -> int:
    whole = int(value)
    return whole if whole == value else whole + 1
