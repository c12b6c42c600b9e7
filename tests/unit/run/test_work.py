"""One piece of work after another: the next one does not wait for a request of the last one, and `stop` waits for all."""

from __future__ import annotations

import asyncio

from cockpit.connections.landing import landed
from cockpit.run.work import Work


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_work_begins_while_a_request_of_the_last_one_is_still_under_way() -> None:
    failed: list[BaseException] = []
    work, answer, order = Work(failed.append), asyncio.Event(), list[str]()

    async def setting() -> None:
        await landed(answer.wait())
        order.append("went on although it was told to stop")

    async def home() -> None:
        order.append("home")

    work.start(setting(), "setting")
    await _turns()
    work.start(home(), "rolling back")
    await _turns()
    assert order == ["home"]
    assert not work.under_way
    stopped = asyncio.create_task(work.stop())
    await _turns()
    assert not stopped.done(), "what was sent may still land"
    answer.set()
    await asyncio.wait_for(stopped, 5)
    assert (order, failed) == (["home"], [])


async def test_an_error_of_the_work_under_way_is_told_and_one_of_the_work_before_is_not() -> None:
    failed: list[BaseException] = []
    work, go = Work(failed.append), asyncio.Event()

    async def stubborn() -> None:
        try:
            await go.wait()
        finally:
            raise KeyError("before")

    async def broken() -> None:
        raise KeyError("now")

    work.start(stubborn(), "one")
    await _turns()
    work.start(broken(), "two")
    await _turns()
    assert [str(error) for error in failed] == ["'now'"]
    assert (work.words, work.under_way) == ("", False)
