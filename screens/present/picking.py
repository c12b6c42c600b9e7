"""What an operator picked of a long list: its order, and the words that a row must hold. And how the screen says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from screens.present.blocks import Blocks
from screens.present.words import Line, Tone, dim, line

T = TypeVar("T")
LONGEST = 40
"""Characters of a filter."""


class Sort(StrEnum):
    """The orders of rows, as the screen names them."""

    TROUBLE = "trouble first"
    NAME = "name"
    CPU = "cpu"
    PODS = "pods"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Pick:
    """`text` is what was typed as a filter: each of its words must stand somewhere in a row, whatever the case."""

    sort: Sort = Sort.TROUBLE
    text: str = ""

    @property
    def words(self) -> list[str]:
        """The filter's words."""
        return self.text.lower().split()


ALL = Pick()


class Kept(Generic[T]):
    """One result, kept as long as it is asked for with the same: with the very map, as a snapshot's are until they change.

    Tuples, numbers and text may be others that are equal.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[object, ...], T] | None = None

    def get(self, make: Callable[..., T], *of: Any) -> T:
        """`make(*of)`, or what it gave when it was last called with these."""
        if self._kept is None or len(of) != len(self._kept[0]) or not all(map(_same, of, self._kept[0])):
            self._kept = of, make(*of)
        return self._kept[1]


def _same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, tuple | int | str) and one == other)


def position(rows: Blocks, pick: Pick, top: int, height: int, *, typing: bool) -> Line:
    """The order, the filter, and which rows are in sight: `rows 1-30 of 5,000`."""
    first, last = rows.items_in(top, height)
    found = f"{rows.shown:,} (filtered from {rows.total:,})" if pick.words else f"{rows.total:,}"
    where = f"rows {first:,}-{last:,} of {found}" if last >= first else f"none of {found} in sight"
    if typing:
        return line(dim(" filter "), (f"▸ {pick.text}▏", Tone.STRONG), "   ", where)
    kept = ("   filter ", (pick.text, Tone.ADVISORY), dim(" (Esc clears it)")) if pick.text else ()
    return line(dim(" by "), str(pick.sort), *kept, "   ", where)
