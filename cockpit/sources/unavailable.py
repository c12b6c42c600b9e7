"""A source whose server could not be connected to: a fault that says why, instead of a silence that looks like an empty world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from cockpit.clock import Clock
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation


class UnavailableSource:
    """Tells one fault for each of `names`, and nothing else for as long as it is observed."""

    stale_after = 60.0

    def __init__(self, names: tuple[SourceName, ...], why: str, clock: Clock) -> None:
        self.names = names
        self._why = why
        self._clock = clock

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Say so, and wait to be cancelled."""
        for name in self.names:
            yield Observation(name, Kind.FAULT, self._clock.monotonic(), why=self._why)
        await asyncio.Event().wait()
