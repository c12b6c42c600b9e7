"""Connections for writes, one exchange at a time on each, some of them open and proven before anybody needs one.

A pinned write must leave where the answer to "which cluster is this?" came from. So question and write have a lane to themselves:
a client that carries one request after the other holds one connection, and nobody else's request comes between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx

from cockpit.connections.pool import Pool
from cockpit.errors import CockpitError

WARM = 3
"""Lanes that are kept open: a rollback writes two Deployments side by side, and the run's record beside them."""


class Lanes:
    """Lanes to one server, made by `make` as they are needed. Use from one event loop; close with `aclose`."""

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._idle: deque[Pool] = deque()
        self._busy: set[Pool] = set()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Pool]:
        """A lane for one exchange: the one that was used last, as its connection is the likeliest to be open."""
        async with self._held(self._idle.pop() if self._idle else Pool(self._make)) as lane:
            yield lane

    async def warm(self, ask: Callable[[Pool], Awaitable[object]]) -> None:
        """Put `ask` on `WARM` lanes, one after the other, so that all but one stand ready meanwhile. Failures are left unsaid."""
        for _ in range(WARM):
            enough = self._idle and len(self._idle) + len(self._busy) >= WARM
            with suppress(CockpitError):
                async with self._held(self._idle.popleft() if enough else Pool(self._make)) as lane:
                    await ask(lane)

    async def renew(self) -> None:
        """Open new connections from now on. An exchange under way on one that was left behind is let end."""
        old, self._idle = tuple(self._idle), deque()
        self._busy.clear()
        for lane in old:
            await lane.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        lanes = (*self._idle, *self._busy)
        self._idle.clear()
        self._busy.clear()
        await asyncio.gather(*(lane.aclose() for lane in lanes))

    @asynccontextmanager
    async def _held(self, lane: Pool) -> AsyncIterator[Pool]:
        self._busy.add(lane)
        try:
            yield lane
        finally:
            if lane in self._busy and len(self._idle) < WARM:
                self._busy.discard(lane)
                self._idle.append(lane)
            else:  # left behind meanwhile, or one too many
                self._busy.discard(lane)
                await lane.aclose()
