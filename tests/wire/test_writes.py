"""Writes into a network that has failed: they fail in words, the run holds, and the way back finds its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cockpit.connections import kube
from cockpit.model.event import Event, EventType
from cockpit.playbook import find
from cockpit.rehearsal.client import Ready, World
from cockpit.run.state import HoldBy, Stage
from tests.pictures import deployments
from tests.wire.flying import Wire, wired
from tests.wire.proxy import Fault

LIMIT = 60.0
"""Wall seconds for what the world needs to roll pods; nothing here is a promise."""
TIME_OUT = 2.0
"""Of a request's answer, wall seconds, shorter than the product's so that the tests are."""


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(find("affinity-only"), speed=30.0) as world:
        yield world.wait_ready()


@pytest.fixture(autouse=True)
def short_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "READ_SECONDS", TIME_OUT)


async def test_a_write_into_a_black_hole_fails_in_words_and_the_run_holds(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await deployments(ready)
    async with wired(ready, tmp_path, monkeypatch) as wire:
        failed = happened(wire, EventType.WRITE_FAILED)
        # Between the intent and the write.
        happened(wire, EventType.WRITE_INTENDED, wire.proxies["kube"].swallow)
        await promote(wire)
        await asyncio.wait_for(failed.wait(), LIMIT)
        await wire.until(lambda: wire.flight.state.hold is not None, LIMIT, lambda: wire.flight.state)
        hold = wire.flight.state.hold
        assert hold is not None
        assert hold.by is HoldBy.WRITE
        assert f"API server https://127.0.0.1:{wire.proxies['kube'].port}: no answer in time" in hold.reason
        assert wire.flight.roll_back() == ""
        await wire.be(Fault.NONE)
        await home(wire)
    assert await deployments(ready) == before


async def test_a_rollback_into_a_black_hole_keeps_trying_and_finishes_by_itself(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await deployments(ready)
    async with wired(ready, tmp_path, monkeypatch) as wire:
        await promote(wire)
        await wire.until(lambda: wire.flight.state.stage is Stage.PROVING, LIMIT, lambda: wire.flight.state)
        assert await deployments(ready) != before
        await wire.be(Fault.BLACK_HOLE)
        failed = happened(wire, EventType.WRITE_FAILED)
        assert wire.flight.roll_back() == ""
        assert wire.flight.roll_back() == "already rolling back"
        await asyncio.wait_for(failed.wait(), LIMIT)
        assert wire.flight.state.stage is Stage.ROLLING_BACK
        await wire.be(Fault.NONE)
        await home(wire)
    assert await deployments(ready) == before


async def promote(wire: Wire) -> None:
    """Leave for the first phase, by the plan that is shown."""
    flight = wire.flight
    await wire.until(lambda: bool((frame := flight.frame()) and frame.promote.allowed), LIMIT, flight.frame)
    frame = flight.frame()
    assert frame is not None
    assert frame.next_plan is not None
    assert flight.promote(frame.next_plan.hash) == ""


async def home(wire: Wire) -> None:
    await wire.until(lambda: wire.flight.state.stage.ended, LIMIT, lambda: wire.flight.state)
    assert wire.flight.state.stage is Stage.ROLLED_BACK


def happened(wire: Wire, kind: EventType, then: Callable[[], None] | None = None) -> asyncio.Event:
    """Set at the next event of this kind, after `then`."""
    found = asyncio.Event()

    def heard(event: Event) -> None:
        if event.type is kind and not found.is_set():
            found.set()
            if then:
                then()

    wire.flight.logbook.listen(heard)
    return found
