"""What was before the start, read beside the rounds of a source so that it holds none of them up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from cockpit.connections.prometheus import NoData, PrometheusClient, Range
from cockpit.errors import CockpitError
from cockpit.model.series import Sample

SPAN = timedelta(minutes=30)
AT_ONCE = 2
"""Fewer than a round's questions: the newest samples come before old ones."""
ATTEMPTS = 3
"""How often a past that could not be read is asked for: it is for those who look, and nothing waits for it."""

Found: TypeAlias = tuple[str, tuple[Sample, ...]]


class Past:
    """The last half hour of each query, every `every` seconds of it. Close with `aclose`.

    What could be read is handed out, whatever became of the rest. A server that keeps none is no fault.
    """

    def __init__(self, queries: Iterable[str], every: float) -> None:
        self._missing = dict.fromkeys(queries, ATTEMPTS)
        self._every = every
        self._found: dict[str, tuple[Sample, ...]] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ask(self, client: PrometheusClient, end: datetime) -> None:
        """Ask for all that is missing before `end`, unless that is being done."""
        if self._task and self._task.done():
            self._task.result()
            self._task = None
        if self._missing and self._task is None:
            self._task = asyncio.create_task(self._ask(client, Range(end - SPAN, end, self._every)), name="past")

    async def during(self, waited: asyncio.Future[Any]) -> AsyncGenerator[Found, None]:
        """What has been found, by query, as it comes, until `waited` is done; that is cancelled when nobody listens any more."""
        waited.add_done_callback(lambda _: self._news.set())
        try:
            while True:
                while self._found:
                    yield self._found.popitem()
                if waited.done():
                    return
                self._news.clear()
                await self._news.wait()
        finally:
            waited.cancel()

    async def aclose(self) -> None:
        """Ask for nothing any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _ask(self, client: PrometheusClient, span: Range) -> None:
        bound = asyncio.Semaphore(AT_ONCE)

        async def one(query: str) -> None:
            async with bound:
                await self._one(client, query, span)

        async with asyncio.TaskGroup() as group:
            for query in tuple(self._missing):
                group.create_task(one(query))

    async def _one(self, client: PrometheusClient, query: str, span: Range) -> None:
        """One query, the newest chunk first: as much of it as the server gives."""
        found: tuple[Sample, ...] = ()
        self._missing[query] -= 1
        whole = False
        try:
            async with client.pulse.alive():
                for chunk in span.chunks():
                    found = (*await client.range(query, chunk), *found)
            whole = True
        except NoData:
            whole = True
        except CockpitError:
            pass
        if whole or not self._missing[query]:
            del self._missing[query]
        if found:
            self._found[query] = found
            self._news.set()
