"""Several collections observed as one source: pods of some workloads, Deployments by name.

The source has listed when every part has, is at fault while any part is, and is as old as its oldest part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar, cast

from cockpit.clock import Clock
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Batch, Observation, Source
from cockpit.sources.inbox import Inbox
from cockpit.sources.listwatch import ListWatch

Emit = Callable[[Batch], None]
T = TypeVar("T")
Part = Callable[[Emit], Awaitable[None]]
"""Feeds batches for ever."""

BUFFER = 2000


def part_of(view: ListWatch) -> Part:
    """A collection as a part."""

    async def feed(emit: Emit) -> None:
        async with aclosing(view.batches()) as batches:
            async for batch in batches:
                emit(batch)

    return feed


class Merged:
    """Observes all parts at once. An exception in a part is raised from `batches`."""

    def __init__(self, source: SourceName, parts: Sequence[Part], clock: Clock) -> None:
        self._source = source
        self._parts = parts
        self._clock = clock

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """The parts' batches as those of one source. Others have their turn between any two."""
        inbox = Inbox(self._source, len(self._parts))
        tasks = [asyncio.ensure_future(part(partial(inbox.put, index))) for index, part in enumerate(self._parts)]
        for task in tasks:
            task.add_done_callback(lambda _: inbox.news.set())
        try:
            if not tasks:
                yield Batch(self._source, self._clock.monotonic(), listed=frozenset())
            while True:
                await inbox.news.wait()
                for batch in inbox.drain():
                    yield batch
                    await asyncio.sleep(0)
                _raise_ended(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _raise_ended(tasks: Sequence[asyncio.Future[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()
            raise RuntimeError("a part of a source ended")


async def interleaved(parts: Sequence[Source]) -> AsyncGenerator[tuple[int, Observation], None]:
    """What several sources tell, each observation with the index of its source. An exception in one is raised from here."""
    queue: asyncio.Queue[tuple[int, Observation]] = asyncio.Queue(BUFFER)

    async def feed(index: int, part: Source) -> None:
        async with aclosing(cast("AsyncGenerator[Observation, None]", part.observe())) as observations:
            async for observation in observations:
                await queue.put((index, observation))

    tasks = [asyncio.ensure_future(feed(index, part)) for index, part in enumerate(parts)]
    try:
        while True:
            yield await _next(queue, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _next(queue: asyncio.Queue[tuple[T, Observation]], tasks: Sequence[asyncio.Future[None]]) -> tuple[T, Observation]:
    if not queue.empty():
        return queue.get_nowait()
    waiting = asyncio.ensure_future(queue.get())
    try:
        everything: list[asyncio.Future[Any]] = [waiting, *tasks]
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        ended = next(task for task in tasks if task.done())
        ended.result()
        raise RuntimeError("a part of a source ended")
    finally:
        if not waiting.done():
            waiting.cancel()
