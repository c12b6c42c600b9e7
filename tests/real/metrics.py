"""The cockpit's own metrics source on a real Prometheus: followed until something holds, and judged by its own rules."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from cockpit.clock import WallClock
from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, SignalCheck
from cockpit.model.series import Series
from cockpit.model.signal import Signal
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.model.verdict import Verdict
from cockpit.playbook import find, load
from cockpit.rules.signals import judge_gate
from cockpit.sources.prometheus import MetricsSource
from cockpit.store import Store, drive

EVERY = 1.0
LIMIT = 30.0
LOOKS_BACK = timedelta(minutes=5)
"""The soak so far, as a gate sees it."""
P99 = SignalCheck("latency_p99", max_drift=0.5, min_samples=10)
ERRORS = SignalCheck("error_rate", max=0.01, min_samples=10)


class Followed:
    """A playbook's signals as the cockpit knows them at the moment."""

    def __init__(self, playbook: Playbook, store: Store) -> None:
        self.playbook = playbook
        self._store = store

    def snapshot(self) -> Snapshot:
        return self._store.freeze()

    def series(self, signal: str, arch: Arch = Arch.ARM64) -> Series:
        return self.snapshot().signals.get((signal, arch), Series())

    def value(self, signal: str, arch: Arch = Arch.ARM64) -> float:
        latest = self.series(signal, arch).latest
        assert latest is not None
        return latest.value

    def freshness(self) -> Freshness:
        return self.snapshot().source(SourceName.METRICS).freshness

    def verdict(self, check: SignalCheck) -> Verdict:
        return judge_gate(check, self.snapshot(), self.playbook, datetime.now(UTC) - LOOKS_BACK)

    async def until(self, holds: Callable[[], bool], what: Callable[[], object], limit: float = LIMIT) -> None:
        deadline = time.monotonic() + limit
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {limit} s: {what()}")
            await asyncio.sleep(0.05)

    async def synced(self) -> None:
        """Every signal has been asked for, and the past has been filled in where there is one."""
        await self.until(lambda: self.freshness() is not Freshness.UNSYNCED, self.freshness)
        await self.rounds(1)

    async def rounds(self, count: int) -> None:
        """So many more rounds have been answered."""
        for _ in range(count):
            before = self.heard()
            await self.until(lambda seen=before: self.heard() > seen, self.freshness)  # type: ignore[misc]

    def heard(self) -> float:
        """When the server was last heard from, on the monotonic clock."""
        age = self.snapshot().source(SourceName.METRICS).age
        return -1.0 if age is None else round(time.monotonic() - age, 1)


@asynccontextmanager
async def followed(
    url: str, name: str = "rehearsal", signals: Mapping[str, Signal] | None = None, stale_after: float = 60.0
) -> AsyncIterator[Followed]:
    """The signals of a shipped playbook, or others, read from a server every second."""
    shipped = load(find(name))
    assert shipped.prometheus is not None
    where = replace(shipped.prometheus, url=url, every=EVERY, stale_after=stale_after)
    playbook = replace(shipped, prometheus=where, signals=signals or shipped.signals)
    clock = WallClock()
    store = Store(clock)
    source = MetricsSource(where, playbook.signals, clock, Random(1))
    driven = asyncio.create_task(drive(source, store))
    try:
        yield Followed(playbook, store)
    finally:
        driven.cancel()
        await asyncio.gather(driven, return_exceptions=True)
