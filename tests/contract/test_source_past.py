"""What was before the start of a Prometheus source: filled in beside the rounds, whatever becomes of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from aiohttp import web

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.sources.base import Kind, Observation
from tests.contract.test_source_prometheus import ARM, Metrics, folded, newest, rounds, served


async def test_what_was_before_the_start_is_filled_in() -> None:
    clock = ManualClock()
    metrics = Metrics(clock)
    now = clock.start.timestamp()
    metrics.history = [(now - 30, "1"), (now - 15, "NaN"), (now, "9"), (now + 15, "9")]
    async with served(metrics) as source:
        told = await rounds(source, clock, 2, until=lambda told: long(told, ARM, 2, clock))
    assert [s.value for s in newest(told).samples][:2] == [1.0, 0.25]


def long(told: list[Observation], key: tuple[str, Arch], count: int, clock: ManualClock) -> bool:
    """Its past has been told, with the first sample: `count` samples from up to the start."""
    return any(o.key == key for o in told) and sum(s.time <= clock.start for s in newest(told, key).samples) >= count


class Forgetful(Metrics):
    """Gives a past of 30 minutes, every `step` seconds of it, and refuses the first range queries."""

    refused = 0
    ranges: list[dict[str, str]]
    let: asyncio.Event | None = None
    """Range queries hang until it is set."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("query_range"):
            return await super().__call__(request)
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.ranges.append(form)
        if self.let:
            await self.let.wait()
        if "arm64" in form["query"] and self.refused:
            self.refused -= 1
            return web.Response(status=500, text="<html>")
        start, end, step = (float(form[key]) for key in ("start", "end", "step"))
        values = [[start + i * step, "1"] for i in range(int((end - start) / step) + 1)]
        if len(values) > 11_000:
            return web.json_response({"status": "error", "errorType": "bad_data", "error": "exceeded maximum"}, status=400)
        return web.json_response(
            {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
        )


@pytest.mark.parametrize(("refused", "filled"), [(0, True), (2, True), (9, False)])
async def test_a_past_that_could_not_be_read_is_asked_for_again_and_holds_nothing_up(refused: int, filled: bool) -> None:
    clock = ManualClock()
    metrics = Forgetful(clock)
    metrics.refused, metrics.ranges = refused, []
    asked = 1 + min(refused + 1, 3)

    def read(told: list[Observation]) -> bool:
        sides = [Arch.AMD64, *([Arch.ARM64] if filled else [])]
        return len(metrics.ranges) >= asked and all(long(told, ("latency_p99", arch), 100, clock) for arch in sides)

    async with served(metrics) as source:
        told = await rounds(source, clock, 5, until=read)
    arm, amd = newest(told), newest(told, ("latency_p99", Arch.AMD64))
    assert len(amd.samples) > 120
    assert (len(arm.samples) > 120) is filled
    assert not arm.error
    assert all(o.kind in (Kind.LISTED, Kind.UPSERT) for o in told)
    assert [s.time for s in arm.samples] == sorted({s.time for s in arm.samples})
    assert len(metrics.ranges) == asked
    assert {form["step"] for form in metrics.ranges} == {"15.000"}


async def test_a_past_that_never_comes_holds_no_round_up_and_one_that_comes_late_is_shown() -> None:
    clock = ManualClock()
    metrics = Forgetful(clock)
    metrics.ranges, metrics.let = [], asyncio.Event()

    def told_late(told: list[Observation]) -> bool:
        assert metrics.let
        if clock.elapsed >= 90.0:
            metrics.let.set()
        return long(told, ARM, 100, clock)

    async with served(metrics) as source, asyncio.timeout(10.0):
        told = await rounds(source, clock, 8, until=told_late)
        store = folded(told, clock, source.stale_after)
    assert len(metrics.ranges) == 2
    assert store.freeze().source(SourceName.METRICS).freshness is Freshness.LIVE
    times = [s.time for s in newest(told).samples]
    assert times == sorted(set(times))
    assert clock.start + timedelta(seconds=60) in times


async def test_a_past_under_way_ends_with_its_source() -> None:
    clock = ManualClock()
    metrics = Forgetful(clock)
    metrics.ranges, metrics.let = [], asyncio.Event()
    async with served(metrics) as source:
        await rounds(source, clock, 3)
        metrics.let.set()
    assert "past" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_long_past_is_asked_for_in_pieces_that_the_server_takes() -> None:
    clock = ManualClock()
    metrics = Forgetful(clock)
    metrics.ranges = []
    async with served(metrics, every=0.1) as source:
        series = newest(await rounds(source, clock, 2, step=0.1, until=lambda told: long(told, ARM, 18_000, clock)))
    assert len(metrics.ranges) == 4
    times = [s.time for s in series.samples if s.time < clock.start]
    assert len(times) == len(set(times)) == 18_000
    assert max(b - a for a, b in pairwise(times)) < timedelta(seconds=0.11)
