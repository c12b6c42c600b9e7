"""Long lists as blocks of rows that are made only when they are looked at: of 5,000 nodes a screen shows forty.

A row has a key of its own, by which a screen stays where it is while rows come, go and change places.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, overload

from screens.present.words import Line


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Lines under which items stand, a row an item. `total` is how many items there were before a filter (None: as many)."""

    name: str
    head: Sequence[Line] = ()
    items: Sequence[Any] = ()
    row: Callable[[Any], Line] = lambda item: item
    key: Callable[[Any], Hashable] = lambda item: item
    total: int | None = None
    foot: Sequence[Line] = ()

    def __len__(self) -> int:
        return len(self.head) + len(self.items) + len(self.foot)

    def line(self, at: int) -> Line:
        """Its row number `at`."""
        if at < len(self.head):
            return self.head[at]
        at -= len(self.head)
        return self.row(self.items[at]) if at < len(self.items) else self.foot[at - len(self.items)]

    def key_at(self, at: int) -> Hashable:
        """The key of its row number `at`: an item's own, or from which end the row is counted in the head or foot."""
        number = at - len(self.head)
        if 0 <= number < len(self.items):
            return self.key(self.items[number])
        return at if number < 0 else number - len(self.items) - len(self.foot)

    def find(self, key: Hashable) -> int | None:
        """The number of the row with this key."""
        if isinstance(key, int):
            at = key if key >= 0 else len(self) + key
            return at if 0 <= at < len(self.head) or key < 0 <= at else None
        return next((len(self.head) + n for n, item in enumerate(self.items) if self.key(item) == key), None)


class Blocks(Sequence[Line]):
    """Blocks one below the other."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = tuple(blocks)
        self._starts = [0, *accumulate(len(block) for block in self.blocks)]
        self._items = [0, *accumulate(len(block.items) for block in self.blocks)]

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def shown(self) -> int:
        """Items that passed the filter."""
        return self._items[-1]

    @property
    def total(self) -> int:
        """Items that there are."""
        return sum(len(block.items) if block.total is None else block.total for block in self.blocks)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        block, at = self._place(index)
        return self.blocks[block].line(at)

    def key(self, index: int) -> Hashable:
        """What names the row, wherever it stands; None beyond the end."""
        if not 0 <= index < len(self):
            return None
        block, at = self._place(index)
        return self.blocks[block].name, self.blocks[block].key_at(at)

    def find(self, key: Hashable) -> int | None:
        """Where the row with this key stands now, None when it has gone."""
        if not isinstance(key, tuple):
            return None
        for start, block in zip(self._starts, self.blocks, strict=False):
            if block.name == key[0]:
                at = block.find(key[1])
                return None if at is None else start + at
        return None

    def items_in(self, top: int, height: int) -> tuple[int, int]:
        """The numbers of the first and the last item among these rows, counted from 1; the last below the first: none."""
        return self._before(top) + 1, self._before(min(len(self), top + height))

    def _before(self, index: int) -> int:
        """How many items stand above a row."""
        if index >= len(self):
            return self.shown
        block, at = self._place(index)
        return self._items[block] + max(0, min(len(self.blocks[block].items), at - len(self.blocks[block].head)))

    def _place(self, index: int) -> tuple[int, int]:
        block = bisect_right(self._starts, index) - 1
        return block, index - self._starts[block]
