"""The changes of a crowd, newest last, inside a window; and its rows as they were at an earlier version."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from cockpit.rehearsal.crowd.rows import Row, Rows
from cockpit.rehearsal.kube.errors import expired


class Journal:
    """Old and new row of each change, 40 bytes a change; at least `keep` and at most twice as many are known."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._numbers = array("q")
        self._slots = array("I")
        self._before = (array("q"), array("I"), array("q"))
        self._after = (array("I"), array("q"))
        self.floor = 0
        """Changes up to this version are forgotten."""
        self.newest = 0
        """The version of the newest change."""

    def append(self, old: Row, new: Row) -> None:
        """The row in a slot has changed."""
        self.newest = new.number
        self._numbers.append(new.number)
        self._slots.append(new.slot)
        for column, value in zip((*self._before, *self._after), (*old[1:], *new[2:]), strict=True):
            column.append(value)
        if len(self._numbers) > 2 * self._keep:
            self._forget()

    def _forget(self) -> None:
        self.floor = self._numbers[self._keep - 1]
        for column in (self._numbers, self._slots, *self._before, *self._after):
            del column[: self._keep]

    def since(self, number: int) -> Iterator[tuple[Row, Row]]:
        """Old and new row of each change after a version; KubeError 410 when some are forgotten."""
        self.check(number)
        if number >= self.newest:
            return
        numbers, whens, states = self._before
        later, became = self._after
        for i in range(bisect_right(self._numbers, number), len(self._numbers)):
            slot = self._slots[i]
            yield Row(slot, numbers[i], whens[i], states[i]), Row(slot, self._numbers[i], later[i], became[i])

    def check(self, number: int) -> None:
        """KubeError 410 when changes since this version are forgotten."""
        if number < self.floor:
            raise expired(f"too old resource version: {number} ({self.floor})")


class Moment:
    """The rows as of one version, while they go on changing. What has changed since is noted as it is found in the journal."""

    def __init__(self, rows: Rows, journal: Journal, at: int) -> None:
        self._rows = rows
        self._journal = journal
        self._past: dict[int, Row] = {}
        self._read = at

    def row(self, slot: int) -> Row:
        """The object in a slot as it was; KubeError 410 once the journal no longer reaches back."""
        if self._read < self._journal.newest:
            self.catch_up()
        return self._past.get(slot) or self._rows.row(slot)

    def catch_up(self) -> None:
        """Note what was before the changes that are new."""
        for old, _ in self._journal.since(self._read):
            self._past.setdefault(old.slot, old)
        self._read = max(self._read, self._journal.newest)

    def absent(self, now: set[int]) -> set[int]:
        """The slots that were empty, given those that are empty now."""
        self.catch_up()
        return {s for s in now if s not in self._past} | {s for s, row in self._past.items() if row.absent}
