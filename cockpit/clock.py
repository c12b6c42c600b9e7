"""Time as a value that is passed in: wall time for production, scaled time for rehearsals, a hand-turned clock for tests."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from. All durations are in (virtual) seconds."""

    def now(self) -> datetime:
        """The date and time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""
        ...


_UNSLEEPING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The monotonic clock that goes on while a machine is suspended: Linux has a name of its own for it, macOS no other one."""


class WallClock:
    """The machine's own time."""

    speed = 1.0

    def now(self) -> datetime:
        """The machine's date and time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time."""
        await asyncio.sleep(seconds)


class UnsleepingClock(WallClock):
    """The same, but the time for which a machine was suspended has passed as well: others have gone on meanwhile.

    Not for what counts time that was watched, as a soak: nobody watched while the machine slept.
    """

    def monotonic(self) -> float:
        """The machine's monotonic seconds, those of a suspended machine too."""
        return time.clock_gettime(_UNSLEEPING)


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """A clock that runs `speed` times as fast as the wall, shared between processes of one machine.

    `origin` is what the clock showed when the machine's monotonic clock (the same for all processes) showed `since`.
    """

    origin: datetime
    since: float
    speed: float = 1.0

    def monotonic(self) -> float:
        """Virtual seconds since the origin."""
        return (time.monotonic() - self.since) * self.speed

    def now(self) -> datetime:
        """Virtual date and time, in UTC."""
        return self.origin + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of virtual time."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    def as_text(self) -> str:
        """The clock for another process of this machine: `ScaledClock.parse` gives it back."""
        return f"{self.origin.isoformat()};{self.since!r};{self.speed!r}"

    @classmethod
    def parse(cls, text: str) -> ScaledClock:
        """The clock that `as_text` wrote. ValueError when it is none."""
        origin, since, speed = text.split(";")
        return cls(datetime.fromisoformat(origin), float(since), float(speed))


CLOCK_VARIABLE = "COCKPIT_CLOCK"
"""Environment variable with the clock of a served rehearsal, for cockpits in other terminals."""


@dataclass(slots=True)
class ManualClock:
    """A clock that only moves when told to; sleepers wake when it passes them. For tests."""

    start: datetime = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    elapsed: float = 0.0
    speed: float = 1.0
    _sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    def now(self) -> datetime:
        """The start moved on by what has elapsed."""
        return self.start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Seconds elapsed by `advance`."""
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved the clock on by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.elapsed + seconds, waiter))
        await waiter

    async def advance(self, seconds: float) -> None:
        """Move on, waking sleepers in the order of their time, and let the tasks they wake run."""
        end = self.elapsed + seconds
        while due := sorted((s for s in self._sleepers if s[0] <= end), key=lambda s: s[0]):
            self.elapsed, waiter = due[0]
            self._sleepers.remove(due[0])
            if not waiter.done():
                waiter.set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)
        self.elapsed = end
        await asyncio.sleep(0)
