from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta
from random import Random

from cockpit.clock import ManualClock
from cockpit.connections.renewal import EARLIEST, LATEST, LEAST_SECONDS, Renewal
from cockpit.errors import Unauthorized

LIFE = 900.0
"""Seconds, as those of a token for EKS."""


class Issuer:
    """Issues credentials for `LIFE`, or fails with `failure`; `begun` counts how often it was asked, by the clock's seconds."""

    def __init__(self, clock: ManualClock) -> None:
        self.begun: list[float] = []
        self.failure = ""
        self.free = threading.Event()
        self.free.set()
        self.expires: datetime | None = clock.now() + timedelta(seconds=LIFE)
        self._clock = clock

    def renew(self) -> bool:
        self.begun.append(self._clock.elapsed)
        self.free.wait(10)
        if self.failure:
            raise Unauthorized(self.failure)
        self.expires = self._clock.now() + timedelta(seconds=LIFE)
        return True


async def passes(clock: ManualClock, seconds: float) -> None:
    """Let time pass, with a moment after each second for the threads."""
    for _ in range(int(seconds)):
        await clock.advance(1.0)
        while any(thread.name == "credentials" for thread in threading.enumerate()):  # noqa: ASYNC110 (a thread, not a task)
            await asyncio.sleep(0)
        await asyncio.sleep(0)


def renewing(clock: ManualClock, seed: int = 1) -> tuple[Issuer, Renewal, list[str]]:
    issuer, said = Issuer(clock), list[str]()
    renewal = Renewal(issuer, clock, Random(seed))  # type: ignore[arg-type]
    renewal.say = said.append
    renewal.start()
    return issuer, renewal, said


async def test_credentials_are_renewed_ahead_of_their_end_again_and_again() -> None:
    clock = ManualClock()
    issuer, renewal, said = renewing(clock)
    await passes(clock, 3 * LIFE)
    await renewal.aclose()
    gaps = [after - before for before, after in zip([0.0, *issuer.begun], issuer.begun, strict=False)]
    assert len(gaps) >= 3
    assert all(EARLIEST * LIFE <= gap <= LATEST * LIFE + 1 for gap in gaps)
    assert len({round(gap) for gap in gaps}) > 1, "each draws its moment anew"
    assert said == []


async def test_what_fails_is_said_once_tried_again_and_said_to_be_over() -> None:
    clock = ManualClock()
    issuer, renewal, said = renewing(clock)
    before, issuer.failure = issuer.expires, "credential plugin aws ended with exit code 255"
    await passes(clock, LIFE)
    assert issuer.expires == before, "those from before stay"
    assert len(issuer.begun) > 3
    assert all(b - a >= LEAST_SECONDS for a, b in zip(issuer.begun, issuer.begun[1:], strict=False))
    issuer.failure = ""
    await passes(clock, 60)
    await renewal.aclose()
    assert len(said) == 2
    assert said[0].startswith("credentials cannot be renewed: credential plugin aws ended with exit code 255;")
    assert "end in" in said[0]
    assert said[1] == "credentials renewed"


async def test_the_loop_goes_on_while_a_plugin_takes_its_time_and_who_leaves_does_not_wait_for_it() -> None:
    clock = ManualClock()
    issuer, renewal, _ = renewing(clock)
    issuer.free.clear()
    for _ in range(int(LIFE)):
        await clock.advance(1.0)
    assert len(issuer.begun) == 1
    await asyncio.wait_for(renewal.aclose(), 5)
    issuer.free.set()


async def test_what_somebody_else_has_renewed_meanwhile_is_left_alone() -> None:
    clock = ManualClock()
    issuer, renewal, _ = renewing(clock)
    await passes(clock, EARLIEST * LIFE - 40)
    issuer.expires = clock.now() + timedelta(seconds=LIFE)
    await passes(clock, EARLIEST * LIFE - 40)
    await renewal.aclose()
    assert issuer.begun == []


async def test_a_machine_that_slept_renews_as_soon_as_it_wakes() -> None:
    clock = ManualClock()
    issuer, renewal, _ = renewing(clock)
    await passes(clock, 10)
    clock.start += timedelta(hours=8)  # the wall moved on; what counts seconds did not
    await passes(clock, 31)
    await renewal.aclose()
    assert len(issuer.begun) == 1


async def test_credentials_without_an_end_are_left_alone() -> None:
    clock = ManualClock()
    issuer = Issuer(clock)
    issuer.expires = None
    renewal = Renewal(issuer, clock)  # type: ignore[arg-type]
    renewal.start()
    await passes(clock, 100)
    await renewal.aclose()
    assert issuer.begun == []
