"""A server's pulse: who is told what when it falls silent and when it answers again, however long that takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from cockpit.connections.pulse import Pulse, seek
from cockpit.errors import Throttled, Unauthorized, Unreachable

SOON = 10.0


class Server:
    """Answers, refuses, is silent at once, or hangs until its patience has ended."""

    def __init__(self) -> None:
        self.fault: BaseException | None = None
        self.asked = 0
        self.left_behind = 0

    async def ask(self) -> None:
        self.asked += 1
        if isinstance(self.fault, TimeoutError):
            raise Unreachable("no answer in time") from self.fault
        if self.fault:
            raise self.fault

    async def leave_behind(self) -> None:
        self.left_behind += 1

    def pulse(self) -> Pulse:
        return Pulse(self.ask, self.leave_behind, every=0.001)


async def never() -> AsyncGenerator[str, None]:
    yield "first"
    await asyncio.get_running_loop().create_future()


async def until_lost(pulse: Pulse) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        async with asyncio.timeout(SOON), pulse.alive():
            await asyncio.get_running_loop().create_future()
    return caught.value


async def test_whoever_waits_is_told_why_and_again_when_it_is_back() -> None:
    server = Server()
    pulse = server.pulse()
    async with pulse.felt():
        server.fault = Unreachable("connection refused")
        assert "connection refused" in str(await until_lost(pulse))
        assert pulse.lost
        with pytest.raises(Unreachable):
            async with pulse.alive():
                pytest.fail("nothing is begun with a lost server")
        waiting = asyncio.create_task(pulse.back())
        server.fault = None
        assert await asyncio.wait_for(waiting, SOON) is True
        assert await pulse.back() is False
    assert server.left_behind == 1


async def test_items_come_until_the_server_is_lost() -> None:
    server = Server()
    pulse = server.pulse()
    async with pulse.felt():
        items = pulse.during(never())
        assert await anext(items) == "first"
        server.fault = Unreachable("gone")
        with pytest.raises(Unreachable, match="gone"):
            await asyncio.wait_for(anext(items), SOON)


@pytest.mark.parametrize("refusal", [Unauthorized("no"), Throttled("later", status=429)])
async def test_a_refusal_is_an_answer(refusal: Exception) -> None:
    server = Server()
    server.fault = refusal
    pulse = server.pulse()
    async with pulse.felt(), asyncio.timeout(SOON):
        while server.asked < 10:  # noqa: ASYNC110 (it is asked by itself)
            await asyncio.sleep(0)
    assert server.left_behind == 0


async def test_one_question_that_hung_is_enough_to_trust_no_connection_from_before() -> None:
    server = Server()
    pulse = server.pulse()
    async with pulse.felt():
        server.fault = TimeoutError()
        waiting = asyncio.create_task(until_lost(pulse))
        asked = server.asked
        async with asyncio.timeout(SOON):
            while server.asked == asked:  # noqa: ASYNC110
                await asyncio.sleep(0)
        server.fault = None
        assert "no answer in time" in str(await waiting)
        await asyncio.wait_for(pulse.back(), SOON)
    assert server.left_behind == 1


async def test_nobody_is_asked_once_nobody_feels_it() -> None:
    server = Server()
    pulse = server.pulse()
    async with pulse.felt(), pulse.felt(), asyncio.timeout(SOON):
        while not server.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task.get_name() == "pulse"] == []
    async with pulse.felt():
        server.fault = Unreachable("lost again")
        await until_lost(pulse)
    assert not pulse.lost, "whoever begins anew finds out anew"


async def test_a_cancellation_from_outside_stays_one() -> None:
    pulse = Server().pulse()

    async def wait() -> None:
        async with pulse.alive():
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_seeking_asks_on_while_earlier_questions_hang() -> None:
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        if asked < 3:
            await asyncio.get_running_loop().create_future()

    await asyncio.wait_for(seek(ask, again=0.001), SOON)
    assert asked == 3
