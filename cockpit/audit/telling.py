"""How far an audit is, as one count over areas that each count for themselves."""

from __future__ import annotations

from collections.abc import Callable

from cockpit.model.audit import Progress

Say = Callable[[Progress], None]


class Teller:
    """Adds the areas up and says the sum."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._areas: dict[str, Progress] = {}

    def area(self, name: str) -> Say:
        """Where an area says how far it is."""

        def say(progress: Progress) -> None:
            self._areas[name] = progress
            done, total = (sum(getattr(p, part) for p in self._areas.values()) for part in ("done", "total"))
            self._say(Progress(done, total, progress.doing))

        return say


class Count:
    """One area's pieces of work, told as each begins and ends."""

    def __init__(self, say: Say, total: int = 0) -> None:
        self._say = say
        self._done = 0
        self._total = total
        if total:
            say(Progress(0, total))

    def more(self, pieces: int = 1) -> None:
        """So many more are to be done than was known."""
        self._total += pieces

    def done(self, what: str) -> None:
        """One piece is done; `what` it was."""
        self._done += 1
        self._say(Progress(self._done, self._total, what))
