"""The one piece of work in the world that may be under way: setting a phase, or rolling back.

What was under way before may still wait for a request of its own that has left: its successor does not wait with it. A target is
read only once no write to it is under way (`connections.landing`), so that no late one can land behind its back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Work:
    """Runs one coroutine at a time. `words` says what is under way, empty when nothing is; `waits_for` why it takes so long."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self.words = ""
        self.waits_for = ""
        self._failed = failed
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> bool:
        """Something has not ended yet."""
        return self._task is not None

    def start(self, work: Coroutine[None, None, None], words: str) -> None:
        """Begin. What was under way is told to stop: it begins nothing more."""
        self.words = words
        for before in self._tasks:
            before.cancel()
        self._task = task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """Stop what is under way, after every write that has left has landed."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            # `wait`, not `await task`: who waits here may be told to stop as well, and must not take that for the task's end.
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._task is not task:
            return
        self._task, self.words, self.waits_for = None, "", ""
        if error:
            self._failed(error)
