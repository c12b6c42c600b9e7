"""The one piece of work in the world that may be under way: setting a phase, or rolling back."""

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

    @property
    def under_way(self) -> bool:
        """Something has not ended yet."""
        return self._task is not None

    def start(self, work: Coroutine[None, None, None], words: str) -> None:
        """Begin; what was under way is told to stop, and has ended before `work` makes its first step."""
        self.words = words
        task = asyncio.create_task(self._after(self._task, work))
        self._task = task
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """Stop what is under way, after a write that has left has landed."""
        await _ended(self._task)

    async def _after(self, before: asyncio.Task[None] | None, work: Coroutine[None, None, None]) -> None:
        try:
            await _ended(before)
        except BaseException:
            work.close()
            raise
        await work

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._task is not task:
            return
        self._task, self.words, self.waits_for = None, "", ""
        if not task.cancelled() and (error := task.exception()):
            self._failed(error)


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        # `wait`, not `await task`: who waits here may be told to stop as well, and must not take that for the task's end.
        await asyncio.wait([task])
