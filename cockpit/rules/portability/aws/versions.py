"""Software versions, compared by their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBERS = re.compile(r"\d+")


def key(version: str) -> tuple[int, ...]:
    """The numbers in a version, in their order: what sorts `5.7.44` before `8.0.28` and `9.6` before `10.4`."""
    return tuple(int(number[:9]) for number in _NUMBERS.findall(version)[:8])


def earliest(versions: Iterable[str], after: str) -> str:
    """The lowest of `versions` that is higher than `after`; empty when none is."""
    return min((v for v in versions if key(v) > key(after)), key=key, default="")
