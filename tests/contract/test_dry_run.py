"""A dry run by what the servers were asked: nothing that is kept, and no word anywhere that something was changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.assembly import Options, launch
from cockpit.commands.leaving import last_words
from cockpit.errors import Exit
from cockpit.flight import Flight
from cockpit.headless import Output, fly
from cockpit.rehearsal.client import Ready, World
from cockpit.run.state import Stage
from screens.main import MainScreen
from screens.present.words import plain
from screens.widgets.lines import Lines
from tests.fuzz.front import Fronts, fronted
from tests.fuzz.hands import Hands, key
from tests.fuzz.seats import LIMIT, SIZE, TICK, Seat, drained, let_in
from tests.pictures import world_as_it_is
from tests.scenarios.flights import PLAYBOOK

CHANGED = re.compile(
    r"everything is configured as it was|every phase was flown|the cutover is done|was written|(?<!be )promoted to |"
    r"\bset \w+ to\b|rolling back:"
)
"""What is said where something was changed, or came back."""


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(PLAYBOOK, speed=30.0) as world:
        yield world.wait_ready()


@pytest.fixture(autouse=True)
def at_home(ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_in(ready, monkeypatch)
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COCKPIT_CONFIG", str(tmp_path / "none.yaml"))


def options(ready: Ready, fronts: Fronts, *, autopilot: bool) -> Options:
    return Options(
        context=ready.context,
        kubeconfig=fronts.kubeconfig,
        clock=ready.clock,
        tick_seconds=TICK,
        dry_run=True,
        autopilot=autopilot,
    )


def nothing_kept(fronts: Fronts) -> None:
    """Every request that would change something asks the API server only to try; AWS, which cannot, is asked for none."""
    assert all("dryRun=All" in request for request in fronts.fronts["kube"].mutating), fronts.mutating
    assert not any(kind in request for request in fronts.mutating for kind in ("/leases", "/configmaps"))
    assert [front.name for front in fronts.fronts.values() if front.mutating and front.name != "kube"] == []


def said_nothing_wrong(words: list[str]) -> None:
    assert [text for text in words if CHANGED.search(text)] == []


async def until(flight: Flight, *stages: Stage) -> None:
    async with asyncio.timeout(LIMIT):
        while flight.state.stage not in stages:
            await flight.next_tick()


async def test_all_phases_without_a_screen(ready: Ready, tmp_path: Path) -> None:
    said: list[str] = []
    async with fronted(ready, tmp_path) as fronts:
        before = await world_as_it_is(ready)
        flight = await launch(fronts.playbook, options(ready, fronts, autopilot=True))
        assert await fly(flight, said.append, Output.TEXT, 3600.0) is Exit.OK
        assert flight.state.stage is Stage.COMPLETED
        said += last_words(flight, "playbook.yaml")
        nothing_kept(fronts)
        assert any("deployments" in request for request in fronts.mutating)
        assert await world_as_it_is(ready) == before
    assert any("a dry run: every write would be accepted; nothing was changed" in text for text in said)
    said_nothing_wrong(said)


async def test_a_phase_and_a_rollback_by_keys(ready: Ready, tmp_path: Path) -> None:
    hands = Hands(1, SIZE)
    hands.rest()
    shown: list[str] = []
    async with fronted(ready, tmp_path) as fronts:
        seat = Seat(fronts, lambda made: options(ready, made, autopilot=False), hands)
        async with seat.app.run_test(size=SIZE):
            await seat.settled()
            assert seat.flight is not None
            flight = seat.flight
            before = await world_as_it_is(ready)
            while not flight.state.current(flight.crew.playbook):
                await type_it(seat, "p", *word(flight), "enter")
                await flight.next_tick()
            shown += look(seat)
            await type_it(seat, "R", "enter")
            shown += look(seat)
            await until(flight, Stage.ROLLED_BACK, Stage.FAILED)
            await flight.next_tick()
            seat.app.tick()
            await drained(seat.app)
            shown += look(seat)
            assert isinstance(seat.app.screen, MainScreen)
            assert flight.state.stage is Stage.ROLLED_BACK
            shown += [*last_words(flight, "playbook.yaml"), *(event.message for event in flight.events())]
            assert await world_as_it_is(ready) == before
        nothing_kept(fronts)
    assert any("nothing was changed" in text for text in shown)
    said_nothing_wrong(shown)


def word(flight: Flight) -> str:
    """What the promote dialog asks for."""
    following = flight.state.following(flight.crew.playbook)
    assert following is not None
    return f"{following.weights.share * 100:g}" if following.weights else following.name


async def type_it(seat: Seat, *pressed: str) -> None:
    for name in pressed:
        seat.app.post_message(key("minus" if name == "-" else name))
        await drained(seat.app)


def look(seat: Seat) -> list[str]:
    """Every row on the screen."""
    return [plain(row) for block in seat.app.screen.query(Lines) for row in block.lines]
