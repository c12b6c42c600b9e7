"""What was concluded from the newest snapshots: one tick asks several times, and most ticks bring nothing new."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot

T = TypeVar("T")
KEPT = 2


class Recent(Generic[T]):
    """`make`'s answers for the last snapshots of a playbook, given again for one that is the `same` as far as they go."""

    def __init__(self, make: Callable[[Snapshot, Playbook], T], same: Callable[[Snapshot, Snapshot], bool]) -> None:
        self._make = make
        self._same = same
        self._kept: deque[tuple[Snapshot, Playbook, T]] = deque(maxlen=KEPT)

    def __call__(self, snapshot: Snapshot, playbook: Playbook) -> T:
        """The answer for this snapshot."""
        for was, of, found in tuple(self._kept):
            if of is playbook and (was is snapshot or self._same(was, snapshot)):
                return found
        made = self._make(snapshot, playbook)
        self._kept.append((snapshot, playbook, made))
        return made
