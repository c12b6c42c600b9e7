"""A flight that records what it is asked for, a clock of the test's own, and an app around both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from cockpit.model.event import Event
from cockpit.run.frame import Frame
from screens.app import CockpitApp


@dataclass
class FakeFlight:
    """Shows `now`; `calls` holds every request, `answer` is what they get."""

    now: Frame | None = None
    answer: str = ""
    calls: list[tuple[str, ...]] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    closed: bool = False

    def frame(self) -> Frame | None:
        return self.now

    def events(self) -> tuple[Event, ...]:
        return self.now.events if self.now else ()

    def promote(self, plan_hash: str) -> str:
        return self._called("promote", plan_hash)

    def hold(self) -> str:
        return self._called("hold")

    def resume(self) -> str:
        return self._called("resume")

    def roll_back(self) -> str:
        return self._called("roll_back")

    def take_controls(self) -> str:
        return self._called("take_controls")

    def hand_over(self, cockpit_id: str) -> str:
        return self._called("hand_over", cockpit_id)

    def approve(self, plan_hash: str) -> str:
        return self._called("approve", plan_hash)

    def audit(self) -> str:
        return self._called("audit")

    def key(self, key: str, meaning: str) -> None:
        self.keys.append((key, meaning))

    async def close(self) -> None:
        self.closed = True

    def _called(self, *call: str) -> str:
        self.calls.append(call)
        return self.answer


@dataclass
class Steady:
    """A clock on which a second passes between any two looks, so that every key is a person's."""

    at: float = 100.0

    def __call__(self) -> float:
        self.at += 1.0
        return self.at


@dataclass
class Manual:
    """A clock that stands until it is set."""

    at: float = 100.0

    def __call__(self) -> float:
        return self.at


def app_of(frame: Frame | None, *, now: Callable[[], float] | None = None, answer: str = "") -> tuple[CockpitApp, FakeFlight]:
    """The app on a flight that shows `frame`; with None the launch never ends. It ticks only when told to."""
    flight = FakeFlight(frame, answer)

    async def launch(say: Callable[[str], None]) -> FakeFlight:
        say("loading")
        if frame is None:
            await asyncio.Event().wait()
        return flight

    return CockpitApp(launch, "payments-api", now=now or Steady(), tick=3600.0), flight
