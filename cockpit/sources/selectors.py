"""The label selectors of workloads, told by whoever sees their Deployments and DaemonSets to whoever lists their pods."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Batch
from cockpit.sources.listwatch import ListWatch
from cockpit.sources.merged import Emit, Part, part_of


class SelectorBoard:
    """Selectors by key (`deployments/namespace/name`); None for a workload that does not exist or that selects nothing."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}
        self._news = asyncio.Event()

    def tell(self, key: str, selector: str | None) -> None:
        """What a workload selects now."""
        if key not in self._known or self._known[key] != selector:
            self._known[key] = selector
            self._news.set()
            self._news = asyncio.Event()

    async def read(self, key: str) -> str | None:
        """The selector, as soon as it is known."""
        while key not in self._known:
            await self._news.wait()
        return self._known[key]

    async def differs(self, key: str, selector: str | None) -> None:
        """Wait until the selector is another one."""
        while self._known.get(key) == selector:
            await self._news.wait()


def followed(board: SelectorBoard, key: str, source: SourceName, view: Callable[[str], ListWatch]) -> Part:
    """The collection that a workload selects, listed anew whenever it selects something else."""

    async def feed(emit: Emit) -> None:
        while True:
            selector = await board.read(key)
            part = part_of(view(selector)) if selector else _nothing(source)
            tasks = [asyncio.ensure_future(part(emit)), asyncio.ensure_future(board.differs(key, selector))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if tasks[0].done():
                    tasks[0].result()
                    return
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    return feed


def _nothing(source: SourceName) -> Part:
    async def feed(emit: Emit) -> None:
        # There is nothing to be asked about, so this part never grows old.
        emit(Batch(source, math.inf, listed=frozenset()))
        await asyncio.get_running_loop().create_future()

    return feed
