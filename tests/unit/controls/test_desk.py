"""One desk beside another: taking, renewing, losing, handing over and leaving, on hand-turned clocks."""

from __future__ import annotations

from unittest.mock import AsyncMock

import pytest

from cockpit.errors import NotInControl
from cockpit.model.controls import Standing
from tests.unit.controls.cockpits import PLACE, Sky


async def sky() -> Sky:
    made = Sky()
    await made.open()
    await made.drain()
    return made


async def go_on(world: Sky, seconds: float = 2.0) -> None:
    await world.pass_by(seconds)
    await world.drain()


async def test_one_of_two_takes_what_nobody_has_and_the_other_watches() -> None:
    world = await sky()
    ana, bob = (pilot.desk for pilot in world.pilots)
    assert {ana.view().standing, bob.view().standing} == {Standing.MINE, Standing.THEIRS}
    holder, watcher = (ana, bob) if ana.view().mine else (bob, ana)
    assert holder.fence() == 1
    with pytest.raises(NotInControl, match="has the controls"):
        watcher.fence()
    await world.close()


async def test_taking_raises_the_epoch_and_ends_the_fence_of_the_one_before() -> None:
    world = await sky()
    ana, bob = (pilot.desk for pilot in world.pilots)
    holder, other = (ana, world.pilots[1]) if ana.view().mine else (bob, world.pilots[0])
    fence = holder.bound()
    other.begin(other.desk.take())
    await world.drain()
    await go_on(world)
    assert other.desk.fence() == 2
    assert "took the controls" in holder.view().why
    with pytest.raises(NotInControl):
        fence()
    await world.close()


async def test_without_a_renewal_for_ten_seconds_nothing_may_be_written() -> None:
    world = await sky()
    holder = next(pilot for pilot in world.pilots if pilot.desk.view().mine)
    holder.client.down = True
    await go_on(world, 9.0)
    assert holder.desk.view().standing is Standing.MINE
    await go_on(world, 1.5)
    assert holder.desk.view().standing is Standing.UNKNOWN
    with pytest.raises(NotInControl, match="not renewed"):
        holder.desk.fence()
    holder.client.down = False
    await go_on(world)
    assert holder.desk.view().standing is Standing.MINE
    await world.close()


async def test_a_silent_holder_is_free_to_be_replaced_but_only_by_a_person() -> None:
    world = await sky()
    holder = next(pilot for pilot in world.pilots if pilot.desk.view().mine)
    other = next(pilot for pilot in world.pilots if pilot is not holder)
    for task in holder.desk.tasks:
        task.cancel()
    for _ in range(9):
        await go_on(world)
    assert other.desk.view().standing is Standing.FREE
    assert "not heard from" in other.desk.view().why
    other.begin(other.desk.take())
    await world.drain()
    assert other.desk.fence() == 2
    await world.close()


async def test_an_offer_is_seen_and_what_is_handed_back_is_nobodys() -> None:
    world = await sky()
    await go_on(world)
    holder = next(pilot for pilot in world.pilots if pilot.desk.view().mine)
    other = next(pilot for pilot in world.pilots if pilot is not holder)
    assert [w.id for w in holder.desk.view().watchers] == [other.name]
    holder.begin(holder.desk.hand_over(other.name))
    await world.drain()
    await go_on(world)
    assert other.desk.view().offered_to_me
    holder.begin(holder.desk.hand_over(""))
    await world.drain()
    assert "holderIdentity" not in world.memory.lease(PLACE.name)["spec"]
    await go_on(world)
    assert other.desk.view().standing is Standing.FREE
    await world.close()


async def test_an_error_that_nobody_foresaw_ends_none_of_a_desks_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def broken(api: object) -> str:
        asked.append("who")
        if len(asked) < 3:
            raise RuntimeError("no such attribute")
        return "" if len(asked) < 6 else "ana@example.com"

    monkeypatch.setattr("cockpit.controls.desk.username", broken)
    world = await sky()
    ana = world.pilots[0]
    look = AsyncMock(side_effect=TypeError("a list that is null"))
    monkeypatch.setattr(ana.desk._presence, "look", look)
    assert len(asked) <= 4, "an empty answer is asked for again after a while, not at once"
    for _ in range(80):
        await go_on(world)
    assert [task for task in ana.desk.tasks if task.done() and task.exception()] == []
    assert look.await_count > 2
    assert ana.desk.view().me is not None
    assert ana.desk.view().me.user == "ana@example.com"  # type: ignore[union-attr]
    await world.close()
