"""Whether a server still answers, found out by asking it something cheap every few seconds.

A connection that has gone dead is silent just like a quiet watch, for as long as its read time-out. So a question is put on a
connection of its own; when several in a row stay unanswered, everything that waits for the server is told at once, and told again
as soon as one is answered. A single one that hangs, although the server answers others, has found a connection dead: then the
others from before are not to be trusted either. All durations are wall time, as they are about sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TypeVar

import httpx

from cockpit.errors import CockpitError, Unreachable

T = TypeVar("T")
Ask = Callable[[], Awaitable[object]]
"""A cheap question. Unreachable means no answer; any other CockpitError is one."""

EVERY_SECONDS = 1.5
UNANSWERED = 3
"""So many questions in a row without an answer, and the server is lost: some five seconds after it fell silent."""
AGAIN_SECONDS = 0.5
"""How often a server is asked that has been lost."""
PATIENCE_SECONDS = 4.0
"""How long a question may wait for each of connection, TLS and answer: a network of two seconds is slow, not dead."""
NO_ANSWER = "no answer in time"
AT_ONCE = 6
"""No more questions are on their way at the same time: those that hang hold sockets or threads."""


_TIMED_OUT = (TimeoutError, httpx.TimeoutException)


class Questions:
    """Questions on their way. A new one does not wait for those before it: they may be lost. Close with `aclose`."""

    def __init__(self, ask: Ask) -> None:
        self.unanswered = 0
        self.hung = False
        """One of them got nothing in its time, not even a refusal."""
        self.why = ""
        self.heard = asyncio.Event()
        self._ask = ask
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self) -> None:
        """Ask once more, unless too many are on their way already."""
        self.unanswered += 1
        if len(self._tasks) < AT_ONCE:
            task = asyncio.create_task(self._one())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Wait for no answer any more."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self) -> None:
        try:
            await self._ask()
        except Unreachable as error:
            self.why = str(error)
            self.hung |= isinstance(error.__cause__, _TIMED_OUT)
            return
        except CockpitError:
            pass
        self.unanswered = 0
        self.heard.set()


async def seek(ask: Ask, again: float = AGAIN_SECONDS) -> None:
    """Return as soon as the server answers, asking every `again` seconds."""
    questions = Questions(ask)
    try:
        while not questions.heard.is_set():
            questions.put()
            with suppress(TimeoutError):
                await asyncio.wait_for(questions.heard.wait(), again)
    finally:
        await questions.aclose()


class Pulse:
    """The pulse of one server, felt while somebody is inside `felt`. Use from one event loop.

    `lost` is called when the server has fallen silent, after those who wait have been told: a place to leave connections behind.
    """

    def __init__(self, ask: Ask, lost: Callable[[], Awaitable[None]], every: float = EVERY_SECONDS) -> None:
        self._ask = ask
        self._lost = lost
        self._every = every
        self._why = ""
        self._back = asyncio.Event()
        self._back.set()
        self._scopes: set[asyncio.Timeout] = set()
        self._users = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def lost(self) -> bool:
        """The server answers nothing at the moment."""
        return not self._back.is_set()

    @asynccontextmanager
    async def felt(self) -> AsyncIterator[None]:
        """Keep asking for as long as somebody is in here."""
        self._users += 1
        if self._task is None:
            self._task = asyncio.create_task(self._feel(), name="pulse")
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                await self._stop()

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """What is awaited in here ends with Unreachable as soon as the server is lost."""
        if self.lost:
            raise Unreachable(self._why)
        try:
            async with asyncio.timeout(None) as scope:
                self._scopes.add(scope)
                try:
                    yield
                finally:
                    self._scopes.discard(scope)
        except TimeoutError:
            if not scope.expired():
                raise
            raise Unreachable(self._why) from None

    async def during(self, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The items until they end; Unreachable as soon as the server is lost. What is done between them is not disturbed."""
        async with aclosing(items):
            while True:
                try:
                    async with self.alive():
                        item = await anext(items)
                except StopAsyncIteration:
                    return
                yield item

    async def back(self) -> bool:
        """Wait until the server is not lost; whether there was anything to wait for."""
        waited = self.lost
        await self._back.wait()
        return waited

    async def _feel(self) -> None:
        while True:
            self._why = await self._fell_silent()
            self._back.clear()
            for scope in tuple(self._scopes):
                scope.reschedule(asyncio.get_running_loop().time())
            await self._lost()
            await seek(self._ask, min(AGAIN_SECONDS, self._every))
            self._back.set()

    async def _fell_silent(self) -> str:
        """Wait for too many questions in a row without an answer, or for one that hung; why the last of them had none."""
        questions = Questions(self._ask)
        try:
            await asyncio.sleep(self._every)
            while questions.unanswered < UNANSWERED and not questions.hung:
                questions.put()
                await asyncio.sleep(self._every)
            return questions.why or NO_ANSWER
        finally:
            await questions.aclose()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._back.set()
