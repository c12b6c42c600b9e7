"""A flight that is launched while the screen is still being imported: servers are on their way to answer meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError

if TYPE_CHECKING:
    from cockpit.flight import Flight

Say = Callable[[str], None]


class Beginning:
    """Launches in the running event loop, from now on. Whoever shows it takes it by `launch`; close with `aclose`."""

    def __init__(self, launch: Callable[[Say], Awaitable[Flight]]) -> None:
        self._words = ""
        self._say: Say | None = None
        self._taken = False
        self._task = asyncio.ensure_future(launch(self._hear))

    async def launch(self, say: Say) -> Flight:
        """The flight, once it is launched; `say` hears what it waits for. Raises what launching raises."""
        self._say, self._taken = say, True
        if self._words:
            say(self._words)
        return await self._task

    async def aclose(self) -> None:
        """Stop a launch that nobody has taken, and close what came of it."""
        if self._taken:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError, CockpitError):
            await (await self._task).close()

    def _hear(self, words: str) -> None:
        self._words = words
        if self._say:
            self._say(words)
