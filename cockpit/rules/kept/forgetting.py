"""Everything that is kept, so that it can be let go of."""

from __future__ import annotations

from collections.abc import Callable

_FORGETTING: list[Callable[[], None]] = []


def forgettable(forget: Callable[[], None]) -> None:
    """Something of the process's whole life is kept, and `forget` lets go of it."""
    _FORGETTING.append(forget)


def forget() -> None:
    """Let go of all: of a run that has ended nothing is asked any more, and its cluster is large."""
    for one in _FORGETTING:
        one()
