"""Observing that begins before there is a flight: lists take longest, so they are asked for as soon as anybody can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from cockpit.clock import Clock
from cockpit.sources.base import Source
from cockpit.store import Store, drive


class Observing:
    """Sources that are driven into `store`, as they come. Use from one event loop; close with `aclose`."""

    def __init__(self, clock: Clock) -> None:
        self.store = Store(clock)
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, sources: Iterable[Source]) -> None:
        """Observe these too, from now on."""
        for source in sources:
            self.store.register(source.names, source.stale_after)
            self._tasks.append(asyncio.create_task(drive(source, self.store)))

    async def aclose(self) -> None:
        """Stop observing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
