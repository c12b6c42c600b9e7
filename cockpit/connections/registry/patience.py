"""How an audit asks registries for much without being a nuisance: a few questions at once, and waiting where one asks to.

Source of the waits: RFC 6585 (429) and RFC 9110, section 10.2.3 (Retry-After); without it, doubling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cockpit.clock import Clock
from cockpit.errors import Throttled

AT_ONCE = 8
"""Images asked about at once, of one registry."""
ATTEMPTS = 5
FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0
"""Seconds of the clock: whoever asks to wait longer is not waited for; nor is longer waited in all for one question."""
GIVEN_UP_SECONDS = 120.0
"""A registry that has refused one question to the last is not asked any other for so long."""

T = TypeVar("T")


@dataclass(slots=True)
class _Turn:
    """One registry. `until` is of the clock's monotonic seconds: nobody asks before."""

    places: asyncio.Semaphore
    until: float = 0.0


@dataclass(slots=True)
class Patience:
    """Shared by all questions of an audit, of one event loop."""

    clock: Clock
    _turns: dict[str, _Turn] = field(default_factory=dict)

    async def ask(self, registry: str, call: Callable[[], Awaitable[T]]) -> T:
        """The answer of `call`, asked again while the registry wants time. Throttled when it wants too much of it."""
        turn = self._turns.setdefault(registry, _Turn(asyncio.Semaphore(AT_ONCE)))
        async with turn.places:
            began = self.clock.monotonic()
            for attempt in range(ATTEMPTS):
                await self._wait(registry, turn, began)
                try:
                    return await call()
                except Throttled as error:
                    wait = error.retry_after if error.retry_after is not None else FIRST_SECONDS * 2**attempt
                    last = attempt + 1 == ATTEMPTS
                    self._hold(turn, GIVEN_UP_SECONDS if last else max(wait, FIRST_SECONDS))
                    if last:
                        raise
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _hold(self, turn: _Turn, seconds: float) -> None:
        turn.until = max(turn.until, self.clock.monotonic() + seconds)

    async def _wait(self, registry: str, turn: _Turn, began: float) -> None:
        """Until the registry may be asked; Throttled when that is later than anybody waits who began then."""
        while (left := turn.until - self.clock.monotonic()) > 0:
            if turn.until - began > MOST_SECONDS:
                words = f"registry {registry} asks to wait, for {left:.0f} s and more"
                raise Throttled(words, status=429, retry_after=left)
            await self.clock.sleep(left)
