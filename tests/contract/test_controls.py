"""The controls over sockets: taken by one, seen by all, handed over, taken over, lost; and what a flight does then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.controls.hold import Over
from cockpit.errors import NotInControl
from cockpit.flight import Flight
from cockpit.model.controls import Standing
from cockpit.model.event import Event, EventType
from cockpit.run.state import Stage
from tests.contract.controls_bench import Room, room, soaking


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    async with room(tmp_path) as made:
        yield made


async def test_of_many_who_open_at_once_one_has_the_controls_and_all_see_each_other(world: Room) -> None:
    seats = [await world.sit(name, start=False) for name in ("ana", "bob", "eve")]
    for seat in seats:
        seat.desk.start()
    await world.until(lambda: all(s.standing in (Standing.MINE, Standing.THEIRS) for s in seats))
    assert [s.standing for s in seats].count(Standing.MINE) == 1
    holder = next(s for s in seats if s.standing is Standing.MINE)
    assert world.lease()["spec"]["holderIdentity"] == f"{holder.name}@host/{holder.name}"
    names = {s.name for s in seats}
    await world.until(lambda: all({w.id for w in s.desk.view().watchers} == names - {s.name, holder.name} for s in seats))
    assert world.presences() == names
    await holder.desk.close()
    assert world.presences() == names - {holder.name}
    assert "holderIdentity" not in world.lease()["spec"]


async def test_whoever_left_without_a_word_is_swept_away_by_the_holder(world: Room) -> None:
    ana = await world.sit("ana")
    await world.until(lambda: ana.standing is Standing.MINE)
    bob = await world.sit("bob")
    await world.until(lambda: [w.id for w in ana.desk.view().watchers] == ["bob"])
    for task in bob.desk.tasks:
        task.cancel()
    await world.pass_by(12)
    assert world.presences() == {"ana", "bob"}
    await world.until(lambda: world.presences() == {"ana"})
    assert ana.desk.view().watchers == ()
    assert ana.standing is Standing.MINE


async def test_an_observer_writes_nothing_and_is_not_seen(world: Room) -> None:
    eve = await world.sit("eve", claim=None)
    await world.pass_by(20)
    assert (eve.standing, eve.desk.view().holder) == (Standing.NONE, None)
    assert await eve.desk.take() != ""
    ana = await world.sit("ana")
    await world.until(lambda: ana.standing is Standing.MINE and eve.desk.view().holder is not None)
    seen, before = eve.desk.view(), world.door.writes.copy()
    assert seen.holder is not None
    assert (seen.holder.id, seen.epoch) == ("ana", 1)
    for task in ana.desk.tasks:
        task.cancel()
    await world.pass_by(60)
    await eve.desk.close()
    assert world.door.writes == before
    assert world.presences() == {"ana"}, "an observer sweeps nobody away"


async def test_a_handover_is_offered_seen_and_taken(world: Room) -> None:
    ana = await world.sit("ana")
    await world.until(lambda: ana.standing is Standing.MINE)
    bob, eve = await world.sit("bob"), await world.sit("eve")
    await world.until(lambda: {w.id for w in ana.desk.view().watchers} == {"bob", "eve"})
    assert await ana.desk.hand_over("nobody") == "no such cockpit is watching"
    assert await ana.desk.hand_over("bob") == ""
    await world.until(lambda: bob.desk.view().offered_to_me)
    assert not eve.desk.view().offered_to_me
    assert ana.desk.fence() == 1, "until it is taken it is the one's who offers it"
    assert await bob.desk.take() == ""
    assert bob.desk.fence() == 2
    await world.until(lambda: ana.standing is Standing.THEIRS)
    assert "bob@host took the controls" in ana.desk.view().why
    assert not bob.desk.view().offered_to_me


async def test_an_autopilot_takes_over_only_what_it_has_watched_expire(world: Room) -> None:
    ana = await world.sit("ana")
    await world.until(lambda: ana.standing is Standing.MINE)
    robot = await world.sit("robot", claim=Over.SILENT)
    await world.until(robot.desk.opened.is_set)
    assert robot.standing is Standing.THEIRS, "its holder lives, so that is that"
    late = await world.sit("late", claim=Over.SILENT, start=False)
    for task in ana.desk.tasks:
        task.cancel()
    late.desk.start()
    await world.pass_by(8)
    assert not late.desk.opened.is_set()
    await world.until(lambda: late.standing is Standing.MINE)
    assert late.desk.fence() == 2


async def test_a_lost_lease_stops_every_phase_but_no_rollback(world: Room) -> None:
    flight, seat = await world.fly("ana")
    await world.until(lambda: seat.standing is Standing.MINE)
    flying = asyncio.create_task(soaking(flight))
    await world.until(flying.done)
    flying.result()
    world.door.shut = True
    fence = seat.desk.bound()
    await world.pass_by(8)
    assert fence() == 1
    await world.pass_by(4)
    with pytest.raises(NotInControl):
        fence()
    await flight.next_tick()
    assert "not renewed" in flight.promote(None)
    journey = list(world.levers["weights"].journey)
    assert flight.roll_back() == ""
    async with asyncio.timeout(20):
        while not flight.state.stage.ended:
            await flight.next_tick()
    assert flight.state.stage is Stage.ROLLED_BACK
    assert world.levers["weights"].journey == [*journey, "weights=home"]
    assert world.lease()["spec"]["leaseTransitions"] == 1, "nobody waited for the controls"


async def test_a_live_holder_is_deposed_and_follows_on(world: Room) -> None:
    ana, first = await world.fly("ana")
    heard: dict[Flight, list[Event]] = {ana: []}
    ana.logbook.listen(heard[ana].append)
    await world.until(lambda: first.standing is Standing.MINE)
    flying = asyncio.create_task(soaking(ana))
    await world.until(flying.done)
    flying.result()
    bob, second = await world.fly("bob")
    heard[bob] = []
    bob.logbook.listen(heard[bob].append)
    await world.until(lambda: bob.state.stage is Stage.SOAKING and bob.state.run == ana.state.run)
    assert "has the controls" in bob.hold()
    assert "has the controls" in bob.promote(None)
    assert bob.take_controls() == ""
    await world.until(lambda: second.standing is Standing.MINE and first.standing is Standing.THEIRS)
    await world.until(lambda: any("picked up" in e.message for e in bob.events()))
    assert "bob@host has the controls" in ana.hold()
    await world.until(lambda: bob.hold() == "")
    await world.until(lambda: ana.state.hold is not None and "bob@host" in ana.state.hold.reason)
    for flight in (ana, bob):
        told = [e.message for e in heard[flight] if e.type is EventType.CONTROLS]
        assert len(told) == len(set(told)) <= 3, f"a change is told once: {told}"
    began = [e.message for e in heard[ana] if e.type in (EventType.PHASE_STARTED, EventType.WRITE_DONE, EventType.HELD)]
    assert len(set(began)) == len(began), "nothing is told again to its own author"


async def test_a_rollback_takes_the_controls_from_whoever_has_them(world: Room) -> None:
    ana, first = await world.fly("ana")
    await world.until(lambda: first.standing is Standing.MINE)
    flying = asyncio.create_task(soaking(ana))
    await world.until(flying.done)
    bob, second = await world.fly("bob")
    await world.until(lambda: bob.state.stage is Stage.SOAKING)
    assert bob.roll_back() == ""
    await world.until(lambda: bob.state.stage is Stage.ROLLED_BACK and second.standing is Standing.MINE)
    assert world.levers["weights"].value == "home"
    await world.until(lambda: ana.state.stage is Stage.ROLLED_BACK)
    assert "bob@host took the controls" in first.desk.view().why
