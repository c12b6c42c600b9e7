"""Rows that are made only when they are looked at: of 5,000 nodes a screen shows forty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, overload

from screens.present.words import Line

Entry: TypeAlias = Line | Callable[[], Line]


class Rows(Sequence[Line]):
    """A sequence of lines, some of which are still to be made."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Line | Rows:
        if isinstance(index, slice):
            return Rows(self._entries[index])
        entry = self._entries[index]
        return entry() if callable(entry) else entry
