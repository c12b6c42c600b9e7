"""A cockpit that is read-only changes nothing, whatever is typed, pasted or clicked; one that watches changes nothing by itself.

COCKPIT_THOROUGH=1 makes 100,000 events of the usual few thousand, COCKPIT_SEED others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.model.controls import Standing
from cockpit.rehearsal.client import Ready, World
from screens.confirm import RollbackDialog
from screens.help import HelpScreen
from screens.main import MainScreen
from tests.fuzz.front import Fronts, fronted
from tests.fuzz.hands import Hands, key
from tests.fuzz.seats import SIZE, Seat, drained, flown, let_in, options, sit
from tests.pictures import world_as_it_is
from tests.scenarios.flights import PLAYBOOK
from tests.thorough import SEED, figure

pytestmark = pytest.mark.slow

EVENTS = figure(100_000, 3_000, 400)
FEWER = figure(10_000, 1_000, 120)
PRESENCE = "/leases"


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(PLAYBOOK, speed=30.0) as world:
        yield world.wait_ready()


def report(capsys: pytest.CaptureFixture[str], hands: Hands, fronts: Fronts, seat: Seat) -> None:
    """The figures, for whoever publishes them."""
    reviews = fronts.fronts["kube"].reviews
    with capsys.disabled():
        print(
            f"\n{hands.made.total()} events {dict(hands.made)}, seed {SEED}; requests {fronts.seen}, of them {reviews} reviews; "
            f"mutating {len(fronts.mutating)}; left {seat.app.left} times"
        )


@pytest.mark.timeout(figure(7200, 600, 240))
@pytest.mark.parametrize(("by_setting", "count"), [(False, EVENTS), (True, FEWER)], ids=["observe", "setting"])
async def test_nothing_that_is_typed_changes_anything_where_one_only_looks(
    ready: Ready,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    by_setting: bool,
    count: int,
) -> None:
    let_in(ready, monkeypatch)
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    settings = tmp_path / "settings.yaml"
    monkeypatch.setenv("COCKPIT_CONFIG", str(settings))
    hands = Hands(SEED, SIZE)
    async with flown(ready), fronted(ready, tmp_path) as fronts:
        if by_setting:
            settings.write_text(f"read_only_contexts: [{ready.context}]\n")
        seat = Seat(fronts, options(ready.clock, ready.context, observe=not by_setting), hands)
        async with seat.app.run_test(size=SIZE):
            await seat.settled()
            before = await world_as_it_is(ready)
            await sit(seat, hands, count)
            await still_answers(seat, hands)
            assert await world_as_it_is(ready) == before
        report(capsys, hands, fronts, seat)
        assert fronts.fronts["kube"].seen.total() > 10
        assert fronts.mutating == []
        settings.unlink(missing_ok=True)


async def still_answers(seat: Seat, hands: Hands) -> None:
    """After all that the app shows what it is asked for, and its picture is of now."""
    assert seat.flight is not None
    await drained(seat.app)
    seat.app.home()
    hands.rest()
    await seat.flight.next_tick()
    seat.app.tick()
    assert seat.app.view.frame is seat.flight.frame()
    seat.app.post_message(key("question_mark"))
    await drained(seat.app)
    await drained(seat.app)
    assert isinstance(seat.app.screen, HelpScreen)
    seat.app.post_message(key("escape"))
    await drained(seat.app)
    assert isinstance(seat.app.screen, MainScreen)


@pytest.mark.timeout(figure(7200, 600, 240))
async def test_who_watches_writes_nothing_but_that_they_are_there_until_they_mean_it(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_in(ready, monkeypatch)
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COCKPIT_CONFIG", str(tmp_path / "none.yaml"))
    # Two keys of these, in this order, are what a rollback and a taking of the controls are asked for with.
    hands = Hands(SEED, SIZE, without=frozenset({"R", "t", "ctrl+p", "T", "ctrl+shift+p"}))
    async with flown(ready) as flight, fronted(ready, tmp_path) as fronts:
        seat = Seat(fronts, options(ready.clock, ready.context, observe=False), hands)
        async with seat.app.run_test(size=SIZE):
            await seat.settled()
            await sit(seat, hands, FEWER)
            await still_answers(seat, hands)
            assert flight.seat.view().standing is Standing.MINE
            assert [r for r in fronts.mutating if PRESENCE not in r] == []
            report(capsys, hands, fronts, seat)
            seat.app.post_message(key("R"))
            await drained(seat.app)
            assert isinstance(seat.app.screen, RollbackDialog)
