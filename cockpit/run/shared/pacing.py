"""When the record of a run is to be saved: at once what has to do with a write or another stage, the rest every now and then."""

from __future__ import annotations

import asyncio

from cockpit.clock import Clock

EVERY = 10.0
"""Seconds of soak after which it is saved again; a cockpit that is lost loses no more of it."""
EVERY_WALL = 1.0
"""The least between two such savings, in wall seconds."""
PACE = 1.0
"""The least wall seconds between two savings of what is not urgent."""


class Pacing:
    """What is told and not saved yet. Times are the run's clock's and those of `wall`."""

    def __init__(self, clock: Clock, wall: Clock) -> None:
        self._clock = clock
        self._wall = wall
        self._dirty = asyncio.Event()
        self._urgent = asyncio.Event()
        self._saved = (-EVERY, -EVERY_WALL)

    @property
    def pending(self) -> bool:
        """There is something to save."""
        return self._dirty.is_set()

    @property
    def due(self) -> bool:
        """The last saving is so long ago that soak alone is worth another one."""
        clock, wall = self._saved
        return self._clock.monotonic() >= clock + EVERY and self._wall.monotonic() >= wall + EVERY_WALL

    def mark(self, *, urgent: bool = False) -> None:
        """There is something to save; when `urgent`, without waiting."""
        if urgent:
            self._urgent.set()
        self._dirty.set()

    def sent(self) -> None:
        """All of it is on its way, or need not go."""
        self._dirty.clear()
        self._urgent.clear()

    def saved(self) -> None:
        """What was sent has arrived."""
        self._saved = self._clock.monotonic(), self._wall.monotonic()

    async def wait(self) -> None:
        """Wait until there is something to save and it may be saved. It may be saved by somebody else meanwhile."""
        await self._dirty.wait()
        rest = self._saved[1] + PACE - self._wall.monotonic()
        if rest <= 0 or self._urgent.is_set():
            return
        waits = [asyncio.ensure_future(self._wall.sleep(rest)), asyncio.ensure_future(self._urgent.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
