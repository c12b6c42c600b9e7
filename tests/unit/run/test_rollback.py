from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import CockpitError, Throttled, Unreachable
from cockpit.journal import Journal
from cockpit.levers.base import Fence
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.plan import Plan, Proof, Reading, Write
from cockpit.model.playbook import AffinityMode, AffinitySet, Playbook
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import HEAD_START, Outcome, Shared, roll_back
from tests.factories import CANARY, PLAYBOOK, phase
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


@dataclass
class Meeting(ValueLever):
    """Its write is accepted once so many are under way at the same moment."""

    barrier: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(2))

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        await self.barrier.wait()
        await super().apply(write, fence)


async def test_writes_to_both_sides_are_under_way_at_the_same_moment() -> None:
    journey: list[str] = []
    clock = ManualClock()
    met = asyncio.Barrier(2)
    both = [Meeting(name, value="away", original="home", journey=journey, barrier=met) for name in ("affinity", "weights")]
    outcome = await home(fleet(*both), book(clock), clock)
    assert outcome == Outcome(2, {})
    assert clock.elapsed < HEAD_START, "neither has waited for the other's head start"


@pytest.mark.parametrize(
    "playbook",
    [
        replace(PLAYBOOK, target=replace(PLAYBOOK.target, canary=None)),
        replace(PLAYBOOK, rollback_order=("affinity", "weights")),
        replace(PLAYBOOK, phases=(replace(phase("canary"), affinity=AffinitySet(CANARY, AffinityMode.REQUIRED)),)),
    ],
    ids=["one workload takes all the traffic", "affinity first", "the canary's own pods move"],
)
async def test_a_lever_that_needs_the_one_before_it_waits_until_that_is_accepted(playbook: Playbook) -> None:
    journey: list[str] = []
    clock = ManualClock()
    first, second = playbook.rollback_order
    slow = moved(first, journey, faults=[Unreachable("no route")] * 3)
    crew = Crew(playbook, {first: slow, second: moved(second, journey)}, {})
    outcome = await home(crew, book(clock), clock)
    assert outcome.safe
    assert journey == [f"{first}=home", f"{second}=home"]


async def test_one_side_that_fails_holds_up_the_other_for_no_moment() -> None:
    journey: list[str] = []
    clock = ManualClock()
    dead = moved("weights", journey, faults=[Unreachable("no route")] * 1000)
    task = asyncio.create_task(roll_back(fleet(dead, moved("affinity", journey)), book(clock), clock, 60.0))
    for _ in range(3):
        await clock.advance(0)
    assert journey == ["affinity=home"]
    assert clock.elapsed == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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


class Broken(ValueLever):
    """A lever with a fault that nobody foresaw."""

    def reading(self, state: object, desired: object | None) -> Reading:
        raise KeyError("surprise")


async def test_an_unforeseen_error_in_one_lever_is_that_levers_failure_alone() -> None:
    journey: list[str] = []
    clock = ManualClock()
    broken = Broken("weights", value="away", original="home", journey=journey)
    outcome = await home(fleet(broken, moved("affinity", journey)), book(clock), clock, give_up=60.0)
    assert "affinity=home" in journey
    assert "KeyError" in outcome.failures["weights"]


async def test_one_target_that_fails_does_not_keep_its_sibling_from_going_home() -> None:
    gone: list[str] = []

    class Pair(ValueLever):
        def restore(self, state: object) -> Plan:
            left = [t for t in ("first", "second") if t not in gone]
            return Plan("restore", tuple(Write(self.name, t, "away", "home") for t in left))

        async def apply(self, write: Write, fence: Fence | None = None) -> None:
            if write.target == "first" and clock.elapsed < 10:
                raise Unreachable("no route")
            gone.append(write.target)

    clock = ManualClock()
    assert (await home(fleet(Pair("weights", value="home")), book(clock), clock)).safe
    assert gone == ["second", "first"]


async def test_a_rollback_that_is_stopped_writes_nothing_afterwards() -> None:
    journey: list[str] = []
    clock = ManualClock()
    slow = moved("weights", journey, faults=[Unreachable("no route")] * 1000)
    task = asyncio.create_task(roll_back(fleet(slow, moved("affinity", journey)), book(clock), clock))
    await clock.advance(5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    slow.faults.clear()
    await clock.advance(100)
    assert journey == []


async def test_a_dry_run_asks_once_and_ends() -> None:
    class Dry(ValueLever):
        async def apply(self, write: Write, fence: Fence | None = None) -> None:
            self.journey.append(write.target)

    clock = ManualClock()
    logbook = book(clock)
    logbook.dry_run = True
    lever = Dry("weights", value="away", original="home")
    assert await home(fleet(lever), logbook, clock) == Outcome(1, {})
    assert lever.journey == ["weights"]


async def test_a_target_that_stands_as_a_phase_sets_it_without_a_record_is_not_called_safe() -> None:
    clock = ManualClock()
    lost = ValueLever("weights", value=str(PLAYBOOK.phases[1].weights))
    lost.reading = lambda state, desired: Reading("weights", "", "", "", Proof.PROVEN)  # type: ignore[method-assign]
    outcome = await home(fleet(lost), book(clock), clock)
    assert "record of the original is gone" in outcome.failures["weights"]
    assert "canary-25" in outcome.failures["weights"]


def test_a_listener_that_fails_is_not_told_any_more_and_stops_nothing() -> None:
    logbook = book(ManualClock())
    heard: list[str] = []

    def closed(_: object) -> None:
        raise BrokenPipeError

    logbook.listen(closed)
    logbook.listen(lambda event: heard.append(event.message))
    logbook.say(EventType.SOAK, "one")
    logbook.say(EventType.SOAK, "two")
    assert heard == ["one", "two"]


def test_a_lost_journal_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logbook = Logbook(ManualClock(), "run", "ana", Journal(tmp_path / "journal.jsonl"))
    monkeypatch.setattr("os.write", _full)
    for _ in range(3):
        logbook.say(EventType.SOAK, "soaking")
    assert [e.type for e in logbook.events].count(EventType.SOURCE_FAULT) == 1
    monkeypatch.undo()
    logbook.say(EventType.SOAK, "soaking")
    assert logbook.lost == ""
    logbook.close()


class Forgetful(ValueLever):
    """Its target has lost the record of the original; what is there is what the run has left."""

    def recover(self, state: Json, kept: Mapping[str, tuple[Json, Json]]) -> Plan:
        before, after = kept.get(self.name, (None, None))
        return Plan("recover", (Write(self.name, self.name, after, before),) if kept and state == after else ())

    def reading(self, state: Json, desired: object | None) -> Reading:
        return Reading(self.name, "", "", "", Proof.PROVEN)

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        self.value = write.after
        self.journey.append(f"{self.name}={write.after}")


async def test_a_target_that_has_lost_its_record_goes_home_by_the_runs_record() -> None:
    clock = ManualClock()
    asked: list[float] = []

    async def originals() -> dict[str, dict[str, tuple[Json, Json]]]:
        asked.append(clock.elapsed)
        return {"weights": {"weights": ("home", "away")}}

    lever = Forgetful("weights", value="away")
    task = asyncio.create_task(roll_back(fleet(lever), book(clock), clock, shared=Shared(None, originals)))
    for _ in range(50):
        await clock.advance(1.0)
    assert (await task).safe
    assert lever.journey == ["weights=home"]
    assert asked


class Surprised(ValueLever):
    """What others have changed there cannot be told."""

    def others(self, state: Json) -> tuple[str, ...]:
        self.journey.append("asked about others")
        raise ValueError("time data '99999999T999999Z'")


async def test_what_others_have_changed_is_told_after_the_writes_and_stops_none_of_them() -> None:
    clock = ManualClock()
    lever = Surprised("weights", value="away", original="home")
    outcome = await home(fleet(lever), book(clock), clock)
    assert outcome.safe
    assert lever.journey[:2] == ["weights=home", "asked about others"]
    assert "cannot be told" in outcome.left[0]
