"""Prometheus and CloudWatch as one source: each marks its own series, and neither blinds the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.model.series import Series
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.signals import Signals
from cockpit.store import Store

METRICS = SourceName.METRICS


@dataclass
class Part:
    """Tells what it is given, and then nothing more."""

    told: Sequence[Observation]
    names: tuple[SourceName, ...] = (METRICS,)
    stale_after: float = 60.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def observe(self) -> AsyncIterator[Observation]:
        try:
            for observation in self.told:
                yield observation
                await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            self.ended.set()


def series(name: str, error: str = "") -> Observation:
    return Observation(METRICS, Kind.UPSERT, 1.0, (name, Arch.ARM64), Series(error=error))


def listed(*names: str) -> Observation:
    return Observation(METRICS, Kind.LISTED, 1.0, keys=frozenset((name, Arch.ARM64) for name in names))


FAULT = Observation(METRICS, Kind.FAULT, 1.0, why="gone")


async def folded(*parts: Part) -> Store:
    store = Store(ManualClock())
    source = Signals(parts, store.clock)
    store.register(source.names, source.stale_after)
    async with aclosing(source.observe()) as observations:
        while True:
            try:
                store.fold(await asyncio.wait_for(anext(observations), 0.05))
            except TimeoutError:
                break
    assert all(part.ended.is_set() for part in parts)
    return store


async def test_nothing_is_live_until_everybody_has_said_something_and_no_list_drops_another_s_series() -> None:
    store = await folded(Part([series("a"), listed("a")]), Part([series("b")]))
    assert store.freeze().source(METRICS).freshness is Freshness.UNSYNCED
    store = await folded(Part([series("a"), listed("a"), listed("a")]), Part([series("b"), listed("b")]))
    assert store.freeze().source(METRICS).freshness is Freshness.LIVE
    assert set(store.freeze().signals) == {("a", Arch.ARM64), ("b", Arch.ARM64)}


@pytest.mark.parametrize("first", [True, False])
async def test_one_that_cannot_be_asked_marks_its_own_series_and_the_other_goes_on(first: bool) -> None:
    parts = [Part([series("a"), listed("a")]), Part([series("b", "error"), FAULT])]
    store = await folded(*(parts if first else reversed(parts)))
    snapshot = store.freeze()
    assert snapshot.source(METRICS).freshness is Freshness.LIVE
    assert not snapshot.signals["a", Arch.ARM64].error
    store = await folded(Part([FAULT]), Part([series("b"), FAULT]))
    assert store.freeze().source(METRICS).freshness is Freshness.FAULT


async def test_what_one_was_refused_from_the_start_can_be_read_whatever_the_other_lists() -> None:
    refused = "not allowed: cloudwatch:GetMetricData"
    for parts in ([listed("a"), listed("a")], [series("a"), listed("a"), listed("a")]):
        store = await folded(Part([series("b", refused), FAULT]), Part(parts))
        snapshot = store.freeze()
        assert snapshot.source(METRICS).freshness is Freshness.LIVE
        assert snapshot.signals["b", Arch.ARM64].error == refused
