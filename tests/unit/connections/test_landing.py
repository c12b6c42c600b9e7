from __future__ import annotations

import asyncio

import pytest

from cockpit.connections.landing import Landing, landed
from cockpit.errors import Unreachable


async def test_the_outcome_comes_through() -> None:
    async def write() -> int:
        return 7

    async def fail() -> int:
        raise Unreachable("no route")

    assert await landed(write()) == 7
    with pytest.raises(Unreachable):
        await landed(fail())


@pytest.mark.parametrize("failing", [False, True])
async def test_a_cancelled_caller_goes_on_only_after_the_write_has_landed(failing: bool) -> None:
    order: list[str] = []
    let_it_land = asyncio.Event()

    async def write() -> None:
        await let_it_land.wait()
        order.append("landed")
        if failing:
            raise Unreachable("reset")

    async def caller() -> None:
        try:
            await landed(write())
        finally:
            order.append("caller went on")

    task = asyncio.create_task(caller())
    await asyncio.sleep(0)
    for _ in range(2):  # told twice, it waits all the same
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
    assert order == []
    let_it_land.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert order == ["landed", "caller went on"]


async def test_a_target_is_clear_once_what_was_sent_there_has_ended_and_others_always_are() -> None:
    landing, let_it_land = Landing(), asyncio.Event()
    caller = asyncio.create_task(landing.write(("here",), let_it_land.wait()))
    await asyncio.sleep(0)
    caller.cancel()
    here = asyncio.create_task(landing.clear("here"))
    await asyncio.wait_for(landing.clear("there"), 5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not here.done()
    assert not caller.done()
    let_it_land.set()
    await asyncio.wait_for(here, 5)
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.wait_for(landing.clear("here"), 5)
