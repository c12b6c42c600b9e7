"""A flight on levers in memory: what it refuses, and that nothing which breaks inside it passes for a live picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import Unreachable
from cockpit.flight import Flight
from cockpit.flight.taking_part import LEFT_OVER
from cockpit.journal import Journal
from cockpit.levers.base import Fence
from cockpit.model.controls import Controls, Standing
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.plan import Plan
from cockpit.model.playbook import OnAbort, Playbook, Promote
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run.assess import Judgement, judge
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.state import Stage
from cockpit.sources.base import Kind, Observation
from tests.factories import PLAYBOOK, snapshot
from tests.levers import ValueLever


class Steady:
    """A source of everything in the healthy snapshot, once."""

    names = tuple(SourceName)
    stale_after = 1e9

    async def observe(self) -> AsyncIterator[Observation]:
        found = snapshot()
        parts: dict[SourceName, Mapping[Any, object]] = {
            SourceName.NODES: found.nodes,
            SourceName.PODS: found.pods,
            SourceName.DEPLOYMENTS: found.deployments,
            SourceName.DAEMONSETS: found.daemonsets,
            SourceName.EVENTS: {},
            SourceName.USAGE: found.usage,
            SourceName.RULES: found.rules,
            SourceName.TARGETS: found.targets,
            SourceName.METRICS: found.signals,
            SourceName.IMAGES: found.images,
            SourceName.AUTOSCALERS: found.autoscalers,
            SourceName.QUOTAS: found.quotas,
            SourceName.DAEMON_PODS: found.daemon_pods,
        }
        for name, items in parts.items():
            for key, value in items.items():
                yield Observation(name, Kind.UPSERT, 0.0, key, value)
            yield Observation(name, Kind.LISTED, 0.0, keys=frozenset(items))
        for name in SourceName:
            if name not in parts:
                yield Observation(name, Kind.LISTED, 0.0)
        await asyncio.Event().wait()


def made(*, read_only: bool = False, blocked: str = "", playbook: Playbook = PLAYBOOK, journal: Journal | None = None) -> Flight:
    clock = ManualClock()
    levers = {name: ValueLever(name) for name in ("weights", "affinity")}
    who = Identity("rehearsal", "ana@bastion", read_only=read_only)
    logbook = Logbook(clock, "run", "ana@bastion", journal)
    return Flight(Crew(playbook, levers), [Steady()], who, clock, logbook, tick_seconds=0.001, blocked=blocked)


@pytest.fixture
async def flight() -> AsyncIterator[Flight]:
    flown = made()
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    yield flown
    await flown.close()


async def test_a_plan_that_is_not_the_shown_one_is_not_made(flight: Flight) -> None:
    assert "look at it again" in flight.promote("000000000000")
    assert flight.state.stage is Stage.READY


async def test_promote_sets_the_first_phase_and_two_at_once_are_refused(flight: Flight) -> None:
    picture = flight.frame()
    assert picture is not None
    assert picture.next_plan is not None
    assert flight.promote(picture.next_plan.hash) == ""
    await flight.next_tick()
    assert "setting" in flight.promote(picture.next_plan.hash) or flight.state.stage is not Stage.READY
    assert [e.type for e in flight.events()].count(EventType.PHASE_STARTED) == 1


async def test_hold_and_resume_say_why_they_cannot(flight: Flight) -> None:
    assert "nothing to hold" in flight.hold()
    assert flight.resume() == "nothing holds"


async def test_a_broken_tick_holds_and_shows_it_and_the_way_back_stays_open(
    flight: Flight, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = flight.frame()
    assert picture is not None
    assert picture.next_plan is not None
    flight.promote(picture.next_plan.hash)
    await flight.next_tick()

    def broken() -> None:
        raise ZeroDivisionError("a rule that nobody thought of")

    monkeypatch.setattr(flight, "tick", broken)
    await flight.next_tick()
    await flight.next_tick()
    shown = flight.frame()
    assert shown is not None
    assert "nobody thought of" in shown.state.error
    assert not shown.promote.allowed
    assert flight.roll_back() == ""


async def test_a_read_only_flight_does_nothing(flight: Flight) -> None:
    watching = made(read_only=True, blocked="this cockpit is read-only (--observe)")
    watching.start()
    await asyncio.wait_for(watching.synced.wait(), 10)
    assert "read-only" in watching.promote(None)
    assert "read-only" in watching.roll_back()
    await watching.close()


async def test_what_an_earlier_run_left_elsewhere_blocks_the_start() -> None:
    flown = made()
    weights = flown.crew.levers["weights"]
    assert isinstance(weights, ValueLever)
    weights.value, weights.original = "neither here nor there", "home"
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    await flown.next_tick()
    assert flown.promote(None) == LEFT_OVER
    await flown.close()


async def test_keys_go_to_the_journal_but_are_no_event_lines(flight: Flight) -> None:
    heard: list[EventType] = []
    flight.logbook.listen(lambda event: heard.append(event.type))
    flight.key("R", "roll back: the dialog was opened")
    assert flight.events()[-1].type is EventType.KEY
    assert heard == []


async def start(flight: Flight) -> None:
    """Set the first phase, and wait until nothing is under way."""
    picture = flight.frame()
    assert picture is not None
    assert picture.next_plan is not None
    assert flight.promote(picture.next_plan.hash) == ""
    await flight.next_tick()
    await flight.next_tick()


async def test_a_promote_right_after_a_rollback_does_not_stop_it(flight: Flight) -> None:
    await start(flight)
    picture = flight.frame()
    assert picture is not None
    assert flight.roll_back() == ""
    assert flight.promote(picture.next_plan.hash if picture.next_plan else "") != ""
    await flight.next_tick()
    assert flight.state.stage in (Stage.ROLLING_BACK, Stage.ROLLED_BACK)


async def test_two_promotes_in_one_tick_are_one(flight: Flight) -> None:
    picture = flight.frame()
    assert picture is not None
    assert picture.next_plan is not None
    assert [flight.promote(picture.next_plan.hash) == "" for _ in range(2)] == [True, False]


async def test_a_failed_phase_falls_back_and_resume_writes_nothing(flight: Flight) -> None:
    weights = flight.crew.levers["weights"]
    assert isinstance(weights, ValueLever)
    original = weights.plan

    def plan_then_break(state: Json, desired: object) -> Plan:
        if flight.state.stage is Stage.SETTING:
            weights.faults.append(Unreachable("connection reset"))
        return original(state, desired)

    weights.plan = plan_then_break  # type: ignore[method-assign]
    await start(flight)
    assert flight.state.hold is not None
    assert "canary-5 was not set: connection reset" in flight.state.hold.reason
    assert (flight.state.stage, flight.state.phase) == (Stage.READY, -1)
    assert flight.resume() == ""
    for _ in range(3):
        await flight.next_tick()
    assert weights.journey == []
    assert weights.value == "home"


async def test_nothing_is_set_by_itself_on_opening_though_the_first_phase_is_auto() -> None:
    phases = tuple(replace(p, promote=Promote.AUTO) for p in PLAYBOOK.phases)
    flown = made(playbook=replace(PLAYBOOK, phases=phases))
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    for _ in range(5):
        await flown.next_tick()
    assert flown.state.stage is Stage.READY
    assert [e for e in flown.events() if e.type is EventType.WRITE_INTENDED] == []
    await flown.close()


async def test_a_full_disk_does_not_keep_the_keys_from_rolling_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flown = made(journal=Journal(tmp_path / "journal.jsonl"))
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    await start(flown)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("cockpit.journal.os.write", full)
        flown.key("R", "roll back")
        assert flown.roll_back() == ""
        for _ in range(5):
            await flown.next_tick()
        weights = flown.crew.levers["weights"]
        assert isinstance(weights, ValueLever)
        assert weights.value == "home"
    await flown.close()


@pytest.mark.parametrize(("way_back", "goes"), [(Outcome.FAIL, False), (Outcome.PASS, True), (Outcome.NO_DATA, True)])
async def test_an_abort_goes_back_by_itself_unless_the_way_back_is_known_to_be_broken(
    way_back: Outcome, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    playbook = replace(PLAYBOOK, phases=tuple(replace(p, on_abort=OnAbort.ROLLBACK) for p in PLAYBOOK.phases))
    flown = made(playbook=playbook)
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    await start(flown)
    fired = Verdict("latency_p99 drift", Outcome.FAIL, "+21%")
    back = Verdict("rollback ready", way_back, "the amd64 target group has no healthy target")

    def judged(*given: Any) -> Judgement:
        found = judge(*given)
        return replace(found, aborts=(fired,), readiness=replace(found.readiness, verdict=back))

    monkeypatch.setattr("cockpit.flight.ticker.judge", judged)
    await flown.next_tick()
    await flown.next_tick()
    said = {event.type: event.message for event in flown.events()}
    assert EventType.ABORT_TRIGGERED in said
    assert (EventType.ROLLBACK_STARTED in said) is goes
    assert ("the way back is NOT ready: the amd64 target group" in said.get(EventType.HELD, "")) is not goes
    assert flown.roll_back() in ("", "already rolling back"), "a person's word always counts"
    await flown.close()


class Revertible(ValueLever):
    """What is shown of it may lag behind what stands there."""

    shown: Json = None

    def seen(self, snapshot: Snapshot) -> Json:
        return self.shown or self.value


async def test_nothing_is_set_by_itself_over_a_revert_that_no_source_has_shown_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.flight.ticker.judge", lambda *given: replace(judge(*given), gates=(), aborts=()))
    flown = made()
    weights = Revertible("weights")
    flown.crew.levers["weights"] = flown.course.crew.levers["weights"] = weights  # type: ignore[index]
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    await start(flown)
    flown.autopilot = True
    weights.shown = weights.value
    weights.value, weights.journey = "home-by-eve", []
    flown.course.state = replace(flown.state, stage=Stage.SOAKING, soaked=1e9, proven_at=flown.clock.now())
    async with asyncio.timeout(20):
        while flown.state.hold is None and not weights.journey:
            await flown.next_tick()
    assert flown.state.hold is not None
    assert "the world has changed since this plan was shown" in flown.state.hold.reason
    assert (weights.value, weights.journey) == ("home-by-eve", [])
    await flown.close()


async def test_a_revert_blocks_promote_at_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.flight.ticker.judge", lambda *given: replace(judge(*given), gates=(), aborts=()))
    flown = made()
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    await start(flown)
    weights = flown.crew.levers["weights"]
    assert isinstance(weights, ValueLever)
    weights.value, weights.journey = "home-by-eve", []
    flown.course.state = replace(flown.state, stage=Stage.SOAKING, soaked=1e9, proven_at=flown.clock.now(), hold=None)
    flown.autopilot = True
    flown.tick()
    assert flown.state.stage is Stage.SOAKING
    assert flown.promote(None).startswith("weights unproven yet")
    await flown.close()


class Lapsed:
    """The controls are this cockpit's by name; `sure` while they were renewed in time."""

    responsible = True
    sure = False

    def view(self) -> Controls:
        return Controls(Standing.MINE if self.sure else Standing.UNKNOWN)

    def bound(self) -> Fence:
        return lambda: 1

    def stands_in_the_way(self) -> str:
        return "" if self.sure else "not renewed for 12 s"

    async def take(self) -> str:
        return ""

    async def close(self) -> None:
        return None


async def test_without_valid_controls_an_abort_holds_and_goes_back_once_they_are_certain_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    playbook = replace(PLAYBOOK, phases=tuple(replace(p, on_abort=OnAbort.ROLLBACK) for p in PLAYBOOK.phases))
    flown, desk = made(playbook=playbook), Lapsed()
    flown.start()
    await asyncio.wait_for(flown.synced.wait(), 10)
    await start(flown)
    flown.seat._desk = desk  # type: ignore[assignment]
    fired = Verdict("latency_p99 drift", Outcome.FAIL, "+21%")
    monkeypatch.setattr("cockpit.flight.ticker.judge", lambda *given: replace(judge(*given), aborts=(fired,)))
    await flown.next_tick()
    await flown.next_tick()
    assert flown.state.hold is not None
    assert "not rolled back by itself without valid controls (not renewed for 12 s)" in flown.state.hold.reason
    assert EventType.ROLLBACK_STARTED not in [event.type for event in flown.events()]
    desk.sure = True
    await flown.next_tick()
    await flown.next_tick()
    assert EventType.ROLLBACK_STARTED in [event.type for event in flown.events()]
    await flown.close()
