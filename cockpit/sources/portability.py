"""The portability audit of a run: made at the start where the playbook asks for it, again when it grows old or somebody asks.

What it finds is one value. It never keeps other sources waiting: it is LIVE from its first word, and says how far it is. How old
it is goes by the last audit that was finished. Once a phase has begun only a person has it made, and nobody during a rollback.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from math import inf
from typing import Any

from cockpit.clock import Clock
from cockpit.errors import CockpitError
from cockpit.model.audit import Audit, Progress
from cockpit.model.auditing import NOT_AUDITED, Auditing
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import patience
from cockpit.text import clean

KEY = "audit"
EVERY = 1800.0
"""Seconds of the clock after which what was clear is audited again."""
RED_EVERY = 300.0
"""And what was red, or could not be found out: somebody is at work on it."""
LEAST_WALL = 30.0
"""However fast a rehearsal runs, not more often than that, in wall seconds."""
MISSED = 3.0
"""Rounds after which the last audit is not believed any more."""

Say = Callable[[Progress], None]
Survey = Callable[[Say], Awaitable[Audit]]
"""Makes one audit, and says how far it is."""


class PortabilitySource:
    """Audits by `survey`. With `by_itself` at once and again and again; else only when it is asked to."""

    names = (SourceName.PORTABILITY,)

    def __init__(self, survey: Survey, clock: Clock, *, by_itself: bool = True) -> None:
        self._survey = survey
        self._clock = clock
        self._by_itself = by_itself
        self._wanted = asyncio.Event()
        self._news = asyncio.Event()
        self._now = NOT_AUDITED
        self._finished: float | None = None
        self._first = by_itself
        self._begun: Callable[[], bool] = lambda: False
        self._going_home: Callable[[], bool] = lambda: False

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return MISSED * self._pause(EVERY) if self._by_itself else inf

    def heeds(self, begun: Callable[[], bool], going_home: Callable[[], bool]) -> None:
        """From now on ask whether the first phase has begun, and whether a rollback is under way, before an audit is begun."""
        self._begun, self._going_home = begun, going_home

    def again(self) -> str:
        """Audit again as soon as may be. Why not, else empty."""
        if self._going_home():
            return "a rollback is under way: audit when it has ended"
        if self._now.progress:
            return "an audit is under way"
        self._wanted.set()
        return ""

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Audit, tell, rest; observe until cancelled."""
        yield self._told()
        yield Observation(SourceName.PORTABILITY, Kind.LISTED, self._told().at, keys=frozenset({KEY}))
        while True:
            await self._wait()
            asked = self._wanted.is_set()
            self._wanted.clear()
            if self._going_home() or (self._begun() and not asked):
                yield Observation(SourceName.PORTABILITY, Kind.HEARD, self._clock.monotonic())
                continue
            async for observation in self._audit():
                yield observation

    async def _wait(self) -> None:
        """Until somebody asks, or it is time."""
        first, self._first = self._first, False
        if first:
            return
        if not self._by_itself:
            await self._wanted.wait()
            return
        found = self._now.audit
        pause = self._pause(EVERY if found and found.clear and not self._now.why else RED_EVERY)
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._clock.sleep(pause))]
        waits.append(asyncio.ensure_future(self._wanted.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _audit(self) -> AsyncGenerator[Observation, None]:
        self._say(Progress())
        asked = asyncio.ensure_future(self._survey(self._say))
        try:
            while not asked.done():
                yield self._told()
                await self._heard(asked)
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        if why := _why(asked):
            self._now = replace(self._now, progress=None, why=why)
            yield self._told()
            yield Observation(SourceName.PORTABILITY, Kind.FAULT, self._clock.monotonic(), why=why)
        else:
            self._now, self._finished = Auditing(asked.result(), self._clock.now()), self._clock.monotonic()
            yield self._told()

    async def _heard(self, asked: asyncio.Future[Audit]) -> None:
        """Until there is something new to tell, or the audit has ended."""
        news = asyncio.ensure_future(self._news.wait())
        either: set[asyncio.Future[Any]] = {asked, news}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        self._news.clear()

    def _say(self, progress: Progress) -> None:
        self._now = replace(self._now, progress=progress)
        self._news.set()

    def _told(self) -> Observation:
        """How it stands. Words of an audit under way make the last one no younger."""
        at = self._clock.monotonic() if self._finished is None else self._finished
        return Observation(SourceName.PORTABILITY, Kind.UPSERT, at, KEY, self._now)

    def _pause(self, seconds: float) -> float:
        return patience(self._clock, seconds, LEAST_WALL)


def _why(asked: asyncio.Future[Audit]) -> str:
    error = asked.exception()
    if error is None:
        return ""
    # Only the cockpit's own errors are known to hold no secret.
    return clean(str(error), 300) if isinstance(error, CockpitError) else f"it broke off ({type(error).__name__})"
