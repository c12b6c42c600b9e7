"""What was concluded from the newest pictures: one tick asks several times, and most ticks bring nothing new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.kept.forgetting import forgettable

T = TypeVar("T")
KEPT = 2
FOR_GOOD = timedelta.max


@dataclass(slots=True)
class _Answer(Generic[T]):
    """Of an older picture only the parts that were looked at are held, and not the whole picture."""

    snapshot: Snapshot | None
    playbook: Playbook
    parts: tuple[object, ...]
    standing: object
    at: datetime
    found: T


class Recent(Generic[T]):
    """`make`'s answers for the last pictures of a playbook, given again for one that is the same as far as they go.

    `parts` are what it looks at, compared by identity. `standing` is how far these may be believed, compared by value; None where
    that is told with its age, so that no other picture can be the same. An answer holds for `lasts` of the picture's time.
    """

    def __init__(
        self,
        make: Callable[[Snapshot, Playbook], T],
        parts: Callable[[Snapshot, Playbook], tuple[object, ...]],
        standing: Callable[[Snapshot], object],
        lasts: timedelta = FOR_GOOD,
    ) -> None:
        self._make = make
        self._parts = parts
        self._standing = standing
        self._lasts = lasts
        self._kept: list[_Answer[T]] = []
        forgettable(self._forget)

    def __call__(self, snapshot: Snapshot, playbook: Playbook) -> T:
        """The answer for this picture."""
        for known in self._kept:
            if known.snapshot is snapshot and known.playbook is playbook:
                return known.found
        parts, standing = self._parts(snapshot, playbook), self._standing(snapshot)
        held = (a for a in self._kept if self._holds(a, snapshot, playbook, parts, standing))
        answer = next(held, None)
        if answer is None:
            found = self._make(snapshot, playbook)
            answer = _Answer(snapshot, playbook, parts, standing, snapshot.time, found)
        self._keep(answer, snapshot)
        return answer.found

    def _forget(self) -> None:
        self._kept = []

    def _holds(
        self, answer: _Answer[T], snapshot: Snapshot, playbook: Playbook, parts: tuple[object, ...], standing: object
    ) -> bool:
        """It would be given again."""
        if answer.playbook is not playbook or standing is None or answer.standing != standing:
            return False
        passed = snapshot.time - answer.at
        return timedelta() <= passed < self._lasts and all(a is b for a, b in zip(answer.parts, parts, strict=True))

    def _keep(self, answer: _Answer[T], snapshot: Snapshot) -> None:
        others = [a for a in self._kept if a is not answer][: KEPT - 1]
        for other in others:
            other.snapshot = None
        answer.snapshot = snapshot
        self._kept = [answer, *others]
