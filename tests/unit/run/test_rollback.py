from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import CockpitError, Throttled, Unreachable
from cockpit.journal import Journal
from cockpit.model.event import EventType
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import HEAD_START, Outcome, roll_back
from tests.factories import PLAYBOOK
from tests.levers import ValueLever


def moved(name: str, journey: list[str], **changes: object) -> ValueLever:
    return ValueLever(name, value="away", original="home", journey=journey, **changes)  # type: ignore[arg-type]


def fleet(*levers: ValueLever, missing: dict[str, CockpitError] | None = None) -> Crew:
    return Crew(PLAYBOOK, {lever.name: lever for lever in levers}, missing or {})


def book(clock: ManualClock) -> Logbook:
    return Logbook(clock, "run", "ana@bastion", None)


async def home(crew: Crew, logbook: Logbook, clock: ManualClock, give_up: float = 900.0) -> Outcome:
    """Roll back with the clock turned on whenever everybody waits."""
    task = asyncio.create_task(roll_back(crew, logbook, clock, give_up))
    for _ in range(2000):
        if task.done():
            break
        await clock.advance(1.0)
    return await task


async def test_weights_go_home_before_affinity_and_both_are_read_back() -> None:
    journey: list[str] = []
    clock = ManualClock()
    logbook = book(clock)
    outcome = await home(fleet(moved("affinity", journey), moved("weights", journey)), logbook, clock)
    assert outcome == Outcome(2, {})
    assert journey == ["weights=home", "affinity=home"]
    kinds = [e.type for e in logbook.events]
    assert kinds == [EventType.WRITE_INTENDED, EventType.WRITE_DONE] * 2


async def test_it_is_safe_only_once_proven() -> None:
    clock = ManualClock()
    lever = moved("affinity", [], settles_after=5)
    outcome = await home(fleet(lever), book(clock), clock)
    assert outcome.safe
    assert clock.elapsed >= 8.0, "five looks, two seconds apart, before it was proven"


async def test_nothing_was_changed_means_nothing_is_written() -> None:
    clock = ManualClock()
    lever = ValueLever("weights")
    assert await home(fleet(lever), book(clock), clock) == Outcome(0, {})
    assert lever.journey == []


async def test_a_failing_lever_is_tried_again_and_said_once_per_reason() -> None:
    clock = ManualClock()
    logbook = book(clock)
    faults: list[CockpitError] = [Unreachable("no route")] * 3 + [Throttled("Rate exceeded", status=400)]
    lever = moved("weights", [], faults=faults)
    assert (await home(fleet(lever), logbook, clock)).safe
    failed = [e.message for e in logbook.events if e.type is EventType.WRITE_FAILED]
    assert failed == ["weights: no route; trying again", "weights: Rate exceeded; trying again"]


async def test_a_dead_lever_does_not_keep_the_next_from_going_home() -> None:
    journey: list[str] = []
    clock = ManualClock()
    dead = moved("weights", journey, faults=[Unreachable("no route")] * 1000)
    outcome = await home(fleet(dead, moved("affinity", journey)), book(clock), clock, give_up=60.0)
    assert journey == ["affinity=home"]
    assert outcome.failures == {"weights": "no route"}
    assert clock.elapsed >= HEAD_START


async def test_a_lever_without_its_server_is_reported_and_the_other_goes_home() -> None:
    journey: list[str] = []
    clock = ManualClock()
    outcome = await home(
        fleet(moved("affinity", journey), missing={"weights": Unreachable("no credentials")}), book(clock), clock
    )
    assert journey == ["affinity=home"]
    assert outcome.failures == {"weights": "no credentials"}


async def test_a_full_disk_does_not_stop_a_rollback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    journal = Journal(tmp_path / "journal.jsonl")
    lever = moved("weights", [])
    with monkeypatch.context() as broken:
        broken.setattr("os.write", _full)
        outcome = await home(fleet(lever), Logbook(clock, "run", "ana", journal), clock)
    journal.close()
    assert outcome.safe
    assert lever.value == "home"


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")
