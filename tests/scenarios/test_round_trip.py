"""There and back: after a rollback the Deployments and the rules are, to the letter, what they were before the run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.assembly import Options, launch
from cockpit.flight import Flight
from cockpit.model.event import EventType
from cockpit.playbook import load
from cockpit.run.state import Stage
from tests.pictures import world_as_it_is
from tests.scenarios.flights import LIMIT, PLAYBOOK, cockpit, ended, flying


async def fly_to(flight: Flight, phase: str) -> None:
    """Promote wherever the rules permit it, until the phase soaks."""
    async with asyncio.timeout(LIMIT):
        while not (flight.logbook.phase == phase and flight.state.stage is Stage.SOAKING):
            picture = flight.frame()
            if picture is not None and picture.promote.allowed:
                assert picture.next_plan is not None
                assert flight.promote(picture.next_plan.hash) == ""
            await flight.next_tick()


def intents(flight: Flight) -> list[object]:
    return [e.fields["id"] for e in flight.events() if e.type is EventType.WRITE_INTENDED]


@pytest.mark.parametrize("phase", ["canary-5", "canary-25", "require-arm64"])
async def test_a_rollback_leaves_everything_as_it_was(phase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flying(PLAYBOOK, monkeypatch, tmp_path) as (flight, ready):
        before = await world_as_it_is(ready)
        await fly_to(flight, phase)
        assert await world_as_it_is(ready) != before
        assert flight.roll_back() == ""
        await ended(flight)
        assert flight.state.stage is Stage.ROLLED_BACK
        assert await world_as_it_is(ready) == before
        levers = [str(e.fields["lever"]) for e in flight.events() if e.type is EventType.WRITE_DONE]
        if phase == "require-arm64":
            assert sorted(levers[-3:]) == ["affinity", "weights", "weights"], "all at the same moment: no phase moves the canary"


async def test_a_rollback_works_from_another_machine_with_the_metrics_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    async with flying(PLAYBOOK, monkeypatch, tmp_path / "first") as (flight, ready):
        before = await world_as_it_is(ready)
        await fly_to(flight, "canary-25")
        async with httpx.AsyncClient() as client:
            (await client.post(f"{ready.control_url}/scenario", json={"name": "prometheus-down"})).raise_for_status()
        await flight.close()
        monkeypatch.setenv("KUBECONFIG", str(ready.kubeconfig))
        said = await asyncio.to_thread(cockpit, "rollback", str(ready.playbook), home=tmp_path / "second")
        assert said.returncode == 0, said.stderr
        assert "safe: everything is as it was before the run (2 writes)" in said.stdout
        assert await world_as_it_is(ready) == before


async def test_a_second_cockpit_picks_the_run_up_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flying(PLAYBOOK, monkeypatch, tmp_path) as (flight, ready):
        before = await world_as_it_is(ready)
        await fly_to(flight, "canary-25")
        await flight.close()
        how = Options(context=ready.context, kubeconfig=ready.kubeconfig, clock=ready.clock, tick_seconds=0.1)
        second = await launch(ready.playbook, how)
        try:
            async with asyncio.timeout(LIMIT):
                while second.state.stage is not Stage.SOAKING:
                    await second.next_tick()
            assert second.logbook.phase == "canary-25"
            assert intents(second) == intents(flight), "it knows what the first one wrote, and has written nothing"
            second.roll_back()
            await ended(second)
            assert await world_as_it_is(ready) == before
        finally:
            await second.close()


async def test_a_rollback_while_a_phase_is_being_set_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flying(PLAYBOOK, monkeypatch, tmp_path) as (flight, ready):
        before = await world_as_it_is(ready)
        async with asyncio.timeout(LIMIT):
            while not ((picture := flight.frame()) and picture.promote.allowed):
                await flight.next_tick()
        assert picture is not None
        assert picture.next_plan is not None
        flight.promote(picture.next_plan.hash)
        intended = asyncio.Event()
        flight.logbook.listen(lambda event: intended.set() if event.type is EventType.WRITE_INTENDED else None)
        await asyncio.wait_for(intended.wait(), LIMIT)
        flight.roll_back()
        await ended(flight)
        assert flight.state.stage is Stage.ROLLED_BACK
        assert await world_as_it_is(ready) == before


async def test_hold_stops_the_soak_and_resume_lets_it_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flying(PLAYBOOK, monkeypatch, tmp_path) as (flight, _):
        await fly_to(flight, "canary-5")
        async with asyncio.timeout(LIMIT):
            while flight.state.soaked < 5:
                await flight.next_tick()
        assert flight.hold() == ""
        await flight.next_tick()
        stood = flight.state.soaked
        for _ in range(5):
            await flight.next_tick()
        picture = flight.frame()
        assert picture is not None
        assert picture.state.soaked == stood
        assert not picture.promote.allowed
        assert len(picture.gates) == len(picture.playbook.phases[0].gates), "judging goes on"
        assert flight.resume() == ""
        async with asyncio.timeout(LIMIT):
            while flight.state.soaked <= stood:
                await flight.next_tick()


async def test_affinity_alone_completes_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.playbook import find

    path = find("affinity-only")
    async with flying(path, monkeypatch, tmp_path) as (flight, ready):
        before = await world_as_it_is(ready)
        await fly_to(flight, load(path).phases[-1].name)
        assert flight.roll_back() == ""
        await ended(flight)
        assert flight.state.stage is Stage.ROLLED_BACK
        assert await world_as_it_is(ready) == before
