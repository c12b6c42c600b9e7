"""The newest answers of a pure function."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from cockpit.rules.kept.forgetting import forgettable

P = ParamSpec("P")
T = TypeVar("T")
KEPT = 2


class Remembered(Generic[P, T]):
    """`make` with its last answers, given again for arguments that are the very same objects.

    It is called with all that it goes by and nothing else, so that it cannot depend on what is not compared. Positional only.
    """

    def __init__(self, make: Callable[P, T], kept: int = KEPT) -> None:
        self._make = make
        self._kept: deque[tuple[tuple[object, ...], T]] = deque(maxlen=kept)
        forgettable(self._kept.clear)

    def __call__(self, *args: P.args, **none: P.kwargs) -> T:
        """The answer for these arguments."""
        for was, found in self._kept:
            if len(was) == len(args) and all(a is b for a, b in zip(was, args, strict=True)):
                return found
        made = self._make(*args, **none)
        self._kept.append((args, made))
        return made
