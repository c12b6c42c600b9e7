"""Credentials fetched anew well before they end, off the event loop: a request takes what is there and never waits for a token.

An exec plugin may take a second (`aws eks get-token`) or a minute. When it fails, what is there is used until its end, and that
is said; whatever the server then refuses is fetched again by who was refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING

from cockpit.clock import Clock, WallClock
from cockpit.connections.apart import apart
from cockpit.errors import CockpitError

if TYPE_CHECKING:
    from cockpit.connections.credentials import Access

Say = Callable[[str], object]

EARLIEST, LATEST = 0.6, 0.8
"""The part of their life after which credentials are renewed, drawn anew each time: cockpits need not all come at once."""
LOOK_SECONDS = 30.0
"""The wall clock is looked at so often, as a machine that sleeps counts no time."""
LEAST_SECONDS = 10.0
"""Between two attempts."""


class Renewal:
    """Renews one cluster's credentials for as long as it runs. Without an end to them there is nothing to do.

    `say` hears in words when a renewal fails, once for each reason, and when one succeeds again.
    """

    def __init__(self, access: Access, clock: Clock | None = None, rng: Random | None = None) -> None:
        self.say: Say | None = None
        self._access = access
        self._clock = clock or WallClock()
        self._rng = rng or Random()  # noqa: S311 (spreads renewals, guards nothing)
        self._task: asyncio.Task[None] | None = None
        self._said = ""

    def start(self) -> None:
        """Begin, once, in the running event loop."""
        if self._task is None and self._access.expires is not None:
            self._task = asyncio.create_task(self._run(), name="credentials")

    async def aclose(self) -> None:
        """Stop; a plugin that still runs is left behind."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while (end := self._access.expires) is not None:
            left = self._seconds_until(end) * self._rng.uniform(EARLIEST, LATEST)
            await self._wait(end, left)
            if self._access.expires == end:  # nobody else has renewed them meanwhile
                await self._renew(end)

    async def _wait(self, end: datetime, seconds: float) -> None:
        due = self._clock.now().timestamp() + max(seconds, LEAST_SECONDS)
        while (left := due - self._clock.now().timestamp()) > 0 and self._access.expires == end:
            await self._clock.sleep(min(left, LOOK_SECONDS))

    async def _renew(self, end: datetime) -> None:
        try:
            await apart(self._access.renew, "credentials")
        except CockpitError as error:
            self._tell(
                f"credentials cannot be renewed: {error}; those there are end in {max(0.0, self._seconds_until(end)):.0f} s"
            )
        else:
            self._tell("credentials renewed" if self._said else "")

    def _tell(self, words: str) -> None:
        reason = words.partition("; those")[0] if words.startswith("credentials cannot") else ""
        if words and reason != self._said and self.say:
            self.say(words)
        self._said = reason

    def _seconds_until(self, end: datetime) -> float:
        return end.timestamp() - self._clock.now().timestamp()
