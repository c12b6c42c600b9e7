"""A write that has left is waited for, even by somebody who was told to stop: it must not land after what is done next there.

Whoever does something else meanwhile does not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Landing:
    """The writes under way to one server, by their targets (paths, ARNs)."""

    def __init__(self) -> None:
        self._under_way: dict[asyncio.Task[Any], frozenset[str]] = {}

    async def write(self, targets: Iterable[str], write: Coroutine[Any, Any, T]) -> T:
        """The outcome of `write`. A cancellation is raised once the request has ended, by its own time-out at the latest."""
        task = asyncio.ensure_future(write)
        self._under_way[task] = frozenset(targets)
        task.add_done_callback(self._under_way.pop)
        return await landed(task)

    async def clear(self, *targets: str) -> None:
        """Wait until no write to one of these is under way: what is read before may not be what stands."""
        while found := [task for task, where in self._under_way.items() if not where.isdisjoint(targets)]:
            await asyncio.wait(found)


async def landed(write: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
    """The outcome of `write`. A cancellation is raised once the request has ended, by its own time-out at the latest."""
    task = asyncio.ensure_future(write)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):  # told twice
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # somebody has looked: the loop need not report it
        raise
