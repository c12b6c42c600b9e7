"""Cockpits on one embedded world: one that flies, and one at whose keys anybody may sit, its every request counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path

import pytest

import screens
from cockpit.assembly import Options, launch
from cockpit.clock import Clock
from cockpit.flight import Flight
from cockpit.rehearsal.client import Ready
from cockpit.run.state import Stage
from screens.app import CockpitApp
from screens.flight import Flight as Shown
from tests.fuzz.front import Fronts
from tests.fuzz.hands import Hands

SIZE = (120, 40)
TOGETHER = 25
"""Events that are sent before the app may draw."""
TICK = 1.0
LIMIT = 90.0


class Staying(CockpitApp):
    """Leaving only counts, so that one sitting lasts."""

    CSS_PATH = str(Path(screens.__file__).parent / "cockpit.tcss")
    left = 0

    def leave(self) -> None:
        """Stay."""
        self.left += 1
        self.home()


@asynccontextmanager
async def flown(ready: Ready) -> AsyncIterator[Flight]:
    """A cockpit that has the controls and has set the first phase, so that there is something to roll back."""
    how = Options(context=ready.context, kubeconfig=ready.kubeconfig, clock=ready.clock, tick_seconds=TICK)
    flight = await launch(ready.playbook, how)
    try:
        async with asyncio.timeout(LIMIT):
            while flight.promote(None):
                await flight.next_tick()
            while flight.state.stage not in (Stage.PROVING, Stage.SOAKING):
                await flight.next_tick()
        yield flight
    finally:
        await flight.close()


class Seat:
    """The app on the flight behind the fronts; `hands` sit at it."""

    def __init__(self, fronts: Fronts, options: Callable[[Fronts], Options], hands: Hands) -> None:
        self.flight: Flight | None = None
        self.app = Staying(self._launch, "short", now=hands.now, tick=0.5)
        self._fronts, self._options = fronts, options

    async def _launch(self, say: Callable[[str], None]) -> Shown:
        self.flight = await launch(self._fronts.playbook, self._options(self._fronts), say)
        return self.flight

    async def settled(self) -> None:
        """Everything has been read once."""
        async with asyncio.timeout(LIMIT):
            while self.flight is None or self.app.view.frame is None:
                assert not self.app.failure, self.app.failure
                await asyncio.sleep(0.05)
            await self.flight.synced.wait()


def options(clock: Clock, context: str, *, observe: bool) -> Callable[[Fronts], Options]:
    """How the seat's cockpit is started."""
    return lambda fronts: Options(context=context, kubeconfig=fronts.kubeconfig, clock=clock, tick_seconds=TICK, observe=observe)


async def drained(app: CockpitApp) -> None:
    """Everything that was sent has been acted on. A pilot's pause waits until nothing computes, and flights always do."""
    for _ in range(2):
        for pump in (app, app.screen):
            done = asyncio.Event()
            pump.call_later(done.set)
            with suppress(TimeoutError):
                # A screen that was left meanwhile calls nobody.
                await asyncio.wait_for(done.wait(), 0.5)


async def sit(seat: Seat, hands: Hands, count: int) -> None:
    """Let `count` events happen to the app."""
    given = islice(hands.endless(), count)
    while together := list(islice(given, TOGETHER)):
        for event in together:
            seat.app.post_message(event)
        await drained(seat.app)
        assert seat.app.is_running


def let_in(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process needs to be let in by the world's AWS endpoint."""
    for name, value in ready.env.items():
        monkeypatch.setenv(name, value)
