"""From a breach that Prometheus shows to the abort: one round and a tick at most, whatever hangs. On a clock turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest
from aiohttp import web

from cockpit.clock import ManualClock
from cockpit.flight import Flight
from cockpit.model.event import EventType
from cockpit.model.playbook import OnAbort, SignalCheck
from cockpit.model.signal import Prometheus
from cockpit.model.snapshot import SourceName
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.state import Stage
from cockpit.sources.base import Observation
from cockpit.sources.prometheus import MetricsSource, urgent_first
from tests.contract.small_api import serving
from tests.factories import NOW, PLAYBOOK
from tests.levers import ValueLever
from tests.unit.run.test_flight import Steady

EVERY = 15.0
TICK = 0.5
BOUND = EVERY
"""Here a tick comes with the answers; in life up to half a second, and the answer's own time, later."""
ABORT = SignalCheck("error_rate", max=0.05)


class Rest:
    """Everything but the metrics, once."""

    names = tuple(name for name in SourceName if name is not SourceName.METRICS)
    stale_after = 1e9

    async def observe(self) -> AsyncIterator[Observation]:
        async for observation in Steady().observe():
            if observation.source is not SourceName.METRICS:
                yield observation


class Metrics:
    """Healthy until `broken`; answers no query with `hangs` in it."""

    def __init__(self, clock: ManualClock, hangs: str) -> None:
        self.clock = clock
        self.hangs = hangs
        self.broken = False
        self.asked = 0
        self.release = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        query = str((await request.post())["query"])
        if request.path.endswith("query_range"):
            return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": []}})
        self.asked += query.startswith("errors")
        if self.hangs and self.hangs in query:
            await self.release.wait()
        bad = self.broken and query.startswith("errors") and "arm64" in query
        pair = [self.clock.now().timestamp(), "0.5" if bad else "0.001"]
        return web.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": pair}]}}
        )


@asynccontextmanager
async def soaking(hangs: str) -> AsyncIterator[tuple[Flight, Metrics, ManualClock]]:
    clock = ManualClock(start=NOW)
    metrics = Metrics(clock, hangs)
    phases = tuple(replace(p, abort=(ABORT,), on_abort=OnAbort.ROLLBACK) for p in PLAYBOOK.phases)
    async with serving(metrics) as url:
        book = replace(PLAYBOOK, prometheus=Prometheus(url, every=EVERY), phases=phases)
        source = MetricsSource(Prometheus(url, every=EVERY), urgent_first(book), clock, Random(1))
        levers = {name: ValueLever(name) for name in ("weights", "affinity")}
        log = Logbook(clock, "run", "ana@bastion", None)
        flight = Flight(Crew(book, levers), [Rest(), source], Identity("rehearsal", "ana@bastion"), clock, log, tick_seconds=3600)
        flight.start()
        try:
            yield flight, metrics, clock
        finally:
            metrics.release.set()
            await flight.close()


async def answered(metrics: Metrics, asked: int) -> None:
    """So many queries of the signal that aborts have been asked, and their answers are folded."""
    for _ in range(1000):
        await asyncio.sleep(0.005)
        if metrics.asked >= asked:
            break
    await asyncio.sleep(0.05)


async def resting(clock: ManualClock) -> None:
    """The source waits for its next round: no clock overtakes what is on its way on a wire."""
    for _ in range(1000):
        if clock._sleepers:
            break
        await asyncio.sleep(0.005)


async def step(flight: Flight, metrics: Metrics, clock: ManualClock) -> bool:
    """One tick later, with the answers of a round that began meanwhile; whether one did."""
    await resting(clock)
    before = metrics.asked
    await clock.advance(TICK)
    began = not clock._sleepers
    if began:
        await answered(metrics, before + 2)
    flight.tick()
    return began


@pytest.mark.parametrize("hangs", ["", "p99", "requests"], ids=["all-answer", "a-gates-query-hangs", "another-query-hangs"])
async def test_the_abort_fires_a_round_and_a_tick_after_the_breach_can_be_seen(
    hangs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("READ_SECONDS", "LEAST_SECONDS"):
        monkeypatch.setattr(f"cockpit.sources.prometheus.{name}", 0.3)  # wall seconds, for which nobody should wait here
    async with soaking(hangs) as (flight, metrics, clock):
        await answered(metrics, 2)
        flight.tick()
        picture = flight.frame()
        assert picture is not None
        assert picture.next_plan is not None
        assert flight.promote(picture.next_plan.hash) == ""
        while not await step(flight, metrics, clock):
            assert clock.monotonic() <= EVERY
        assert flight.state.stage is Stage.SOAKING
        # The worst moment: what has just been asked for was still well.
        metrics.broken, seen_from = True, clock.monotonic()
        while not any(e.type is EventType.ABORT_TRIGGERED for e in flight.events()):
            assert clock.monotonic() - seen_from <= BOUND
            await step(flight, metrics, clock)
        assert clock.monotonic() - seen_from <= BOUND
        await asyncio.sleep(0.05)
        flight.tick()
        assert flight.state.stage in (Stage.ROLLING_BACK, Stage.ROLLED_BACK)


async def test_the_signals_of_abort_triggers_are_asked_for_first() -> None:
    names = list(
        urgent_first(replace(PLAYBOOK, phases=(replace(PLAYBOOK.phases[0], abort=(SignalCheck("requests", min=1.0),)),)))
    )
    assert names == ["requests", "latency_p99", "error_rate"]
