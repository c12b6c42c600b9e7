"""How often and how patiently a source asks."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from cockpit.clock import Clock
from cockpit.connections.pulse import Pulse
from cockpit.errors import Throttled, Unreachable

FIRST_SECONDS = 1.0
MOST_SECONDS = 30.0
WAITS_AT_MOST = 300.0
"""However long a server asks to be left alone."""


class Backoff:
    """Exponential backoff with full jitter, in seconds of the clock.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """

    def __init__(self, clock: Clock, random: Random, first: float = FIRST_SECONDS, most: float = MOST_SECONDS) -> None:
        self._clock = clock
        self._random = random
        self._first = first
        self._most = most
        self._failures = 0

    def reset(self) -> None:
        """The server answered: start from the beginning next time."""
        self._failures = 0

    async def wait(self, error: Exception | None = None) -> None:
        """Wait after one more failure; never less than a throttling server asked for."""
        ceiling = min(self._most, self._first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        # Never quite at once, so that a server that fails at once is not hammered.
        seconds = self._random.uniform(0.1 * self._first, ceiling)
        if isinstance(error, Throttled) and error.retry_after is not None:
            seconds = max(seconds, min(error.retry_after, WAITS_AT_MOST))
        await self._clock.sleep(seconds)


async def rest(backoff: Backoff, pulse: Pulse, error: Exception | None = None) -> None:
    """Wait after a failure; where the server is lost altogether, until it answers again, and no longer than that."""
    with suppress(Unreachable):
        async with pulse.alive():
            await backoff.wait(error)
    if await pulse.back():
        backoff.reset()


def speed(clock: Clock) -> float:
    """Seconds of the clock in a second of wall time."""
    return max(1.0, float(getattr(clock, "speed", 1.0)))


def patience(clock: Clock, seconds: float, wall: float) -> float:
    """Seconds of the clock until silence counts: `seconds`, or `wall` seconds of wall time where that is more.

    Round trips and time-outs of sockets take wall time however fast a rehearsal runs.
    """
    return max(seconds, wall * speed(clock))
