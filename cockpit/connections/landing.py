"""A write that has left is waited for, even by somebody who was told to stop: it must not land after what is done next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def landed(write: Coroutine[Any, Any, T]) -> T:
    """The outcome of `write`. A cancellation is raised once the request has ended, by its own time-out at the latest."""
    task = asyncio.ensure_future(write)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # somebody has looked: the loop need not report it
        raise
