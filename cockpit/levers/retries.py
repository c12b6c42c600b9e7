"""Trying a write of the API server's again, each time from reading first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from cockpit.clock import Clock
from cockpit.errors import Conflict, Rejected, Throttled

TRIES = 5
_FIRST_WAIT = 0.2


async def repeated(attempt: Callable[[], Awaitable[None]], clock: Clock, rng: Random) -> None:
    """Make the attempt up to five times, while others write as well or the server is busy; then what it raises."""
    for count in range(TRIES):
        try:
            await attempt()
            break
        except (Conflict, Throttled) as fault:
            if count == TRIES - 1:
                raise
            await clock.sleep(_wait(count, fault, rng))


def _wait(count: int, fault: Rejected, rng: Random) -> float:
    asked = fault.retry_after if isinstance(fault, Throttled) else None
    return max(asked or 0.0, rng.uniform(0, _FIRST_WAIT * 2**count))
