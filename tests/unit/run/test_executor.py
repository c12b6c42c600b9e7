from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import Drift, Refused, Unreachable
from cockpit.journal import Journal
from cockpit.levers.base import Fence
from cockpit.model.arch import Arch
from cockpit.model.plan import Write
from cockpit.model.playbook import AffinityMode, AffinitySet, WeightsSet
from cockpit.run.crew import ELSEWHERE, Crew
from cockpit.run.executor import HalfWritten, set_phase
from cockpit.run.logbook import Logbook
from tests.factories import API, PLAYBOOK, snapshot
from tests.levers import ValueLever

BOTH = replace(
    PLAYBOOK.phases[0],
    weights=WeightsSet({Arch.ARM64: 5, Arch.AMD64: 95}),
    affinity=AffinitySet(API, AffinityMode.REQUIRED),
)


def crew(journey: list[str]) -> Crew:
    levers = {name: ValueLever(name, journey=journey) for name in ("weights", "affinity")}
    return Crew(replace(PLAYBOOK, phases=(BOTH,)), levers)


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_every_write_has_its_intent_on_the_disk_before_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    flown = crew([])
    seen: list[list[str]] = []

    class Watching(ValueLever):
        async def apply(self, write: Write, fence: Fence | None = None) -> None:
            seen.append([str(r["type"]) for r in read(path)])
            await super().apply(write, fence)

    levers = {name: Watching(name) for name in ("weights", "affinity")}
    with Journal(path) as journal:
        await set_phase(BOTH, replace(flown, levers=levers), Logbook(ManualClock(), "run", "ana", journal), None)
    assert [s[-1] for s in seen] == ["write_intended", "write_intended"]
    assert [r["type"] for r in read(path)] == ["write_intended", "write_done"] * 2
    assert read(path)[0]["who"] == "ana"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_approved_plan_is_made_and_another_is_not() -> None:
    journey: list[str] = []
    flown = crew(journey)
    logbook = Logbook(ManualClock(), "run", "ana", None)
    approved = flown.plan_from(snapshot(), BOTH)
    lever = flown.levers["weights"]
    assert isinstance(lever, ValueLever)
    lever.value = "somebody else's"
    with pytest.raises(Drift, match="look at the plan again"):
        await set_phase(BOTH, flown, logbook, approved.hash)
    assert journey == []
    lever.value = "home"
    await set_phase(BOTH, flown, logbook, approved.hash)
    assert len(journey) == 2


async def test_a_failure_stops_the_rest_and_is_recorded() -> None:
    journey: list[str] = []
    flown = crew(journey)
    affinity = flown.levers["affinity"]
    assert isinstance(affinity, ValueLever)
    logbook = Logbook(ManualClock(), "run", "ana", None)
    original_plan = affinity.plan

    def plan_then_break(state: object, desired: object) -> object:
        affinity.faults.append(Unreachable("connection reset"))
        return original_plan(state, desired)  # type: ignore[arg-type]

    affinity.plan = plan_then_break  # type: ignore[method-assign,assignment]
    with pytest.raises(Unreachable):
        await set_phase(BOTH, flown, logbook, None)
    assert [entry.split("=")[1] for entry in journey][1:] == ["home"], "what was written is taken back: all of a phase or nothing"
    assert [e.type for e in logbook.events][:4] == ["write_intended", "write_done", "write_intended", "write_failed"]
    assert all(isinstance(lever, ValueLever) and lever.value == "home" for lever in flown.levers.values())


async def test_what_cannot_be_taken_back_is_said_to_be_half_written() -> None:
    flown = crew([])
    affinity, weights = flown.levers["affinity"], flown.levers["weights"]
    assert isinstance(affinity, ValueLever)
    assert isinstance(weights, ValueLever)
    original_apply = affinity.apply

    async def break_everything(write: Write, fence: Fence | None = None) -> None:
        affinity.faults.append(Unreachable("connection reset"))
        weights.faults.append(Unreachable("connection reset"))
        await original_apply(write, fence)

    affinity.apply = break_everything  # type: ignore[method-assign]
    with pytest.raises(HalfWritten, match="roll back"):
        await set_phase(BOTH, flown, Logbook(ManualClock(), "run", "ana", None), None)


async def test_a_disk_that_takes_no_intent_lets_no_write_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journey: list[str] = []
    monkeypatch.setattr("os.fsync", _full)
    with Journal(tmp_path / "journal.jsonl") as journal, pytest.raises(Refused, match="No space"):
        await set_phase(BOTH, crew(journey), Logbook(ManualClock(), "run", "ana", journal), None)
    assert journey == []


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_run_left_under_way_is_located_by_what_is_configured() -> None:
    flown = Crew(PLAYBOOK, {name: ValueLever(name) for name in ("weights", "affinity")})
    weights = flown.levers["weights"]
    assert isinstance(weights, ValueLever)
    assert flown.located(snapshot()) == -1
    weights.value, weights.original = str(PLAYBOOK.phases[1].weights), "home"
    assert flown.located(snapshot()) == 1
    weights.value = "something else"
    assert flown.located(snapshot()) == ELSEWHERE
