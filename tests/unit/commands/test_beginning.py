from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cockpit.commands.beginning import Beginning, Say
from cockpit.errors import Refused

HELP = ("asyncio", "textual", "pydantic", "kubernetes", "boto3", "httpx", "aiohttp", "msgspec", "yaml", "cockpit.assembly")
BEFORE_THE_SCREEN = ("pydantic", "kubernetes", "boto3", "botocore", "httpx", "aiohttp", "moto", "yaml")
"""What may not be imported before the import of the screen begins: it comes beside that, or later."""


class Flown:
    """A flight, as far as a beginning knows one."""

    closed = False

    async def close(self) -> None:
        self.closed = True


async def test_launching_begins_before_anybody_takes_it_and_its_newest_words_are_heard() -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    flight: Any = Flown()

    async def launch(say: Say) -> Any:
        say("loading the playbook")
        say("connecting")
        begun.set()
        await go.wait()
        say("preflight")
        return flight

    beginning = Beginning(launch)
    await asyncio.wait_for(begun.wait(), 5)
    heard: list[str] = []
    taking = asyncio.create_task(beginning.launch(heard.append))
    await asyncio.sleep(0)
    assert heard == ["connecting"]
    go.set()
    taken: Any = await taking
    assert taken is flight
    assert heard == ["connecting", "preflight"]
    await beginning.aclose()
    assert not flight.closed, "whoever has taken it closes it"


async def test_what_went_wrong_meanwhile_is_raised_when_it_is_taken() -> None:
    async def launch(_: Say) -> Any:
        raise Refused("another cluster")

    beginning = Beginning(launch)
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="another cluster"):
        await beginning.launch(lambda _: None)


async def test_a_screen_that_cannot_be_had_leaves_nothing_open() -> None:
    flight = Flown()

    async def launch(_: Say) -> Any:
        return flight

    beginning = Beginning(launch)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await beginning.aclose()
    assert flight.closed


@pytest.mark.parametrize("error", [None, Refused("another cluster")])
async def test_a_launch_that_nobody_takes_is_stopped(error: Refused | None) -> None:
    stopped: list[str] = []

    async def launch(_: Say) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("stopped")
            if error:
                raise error

    beginning = Beginning(launch)
    await asyncio.sleep(0)
    await beginning.aclose()
    assert stopped == ["stopped"]


async def test_who_leaves_while_it_is_launched_stops_it() -> None:
    stopped = asyncio.Event()

    async def launch(_: Say) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return SimpleNamespace()

    beginning = Beginning(launch)
    taking = asyncio.create_task(beginning.launch(lambda _: None))
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await asyncio.wait_for(stopped.wait(), 5)


def imported(code: str) -> set[str]:
    """The modules that are there after running this."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


SHOW = """
import sys, threading
def seen(self):
    print(*sys.modules)
    sys.stdout.flush()
    import os
    os._exit(0)
class Screens:
    def find_spec(self, name, path, target=None):
        if name.startswith("screens"):
            seen(self)
sys.meta_path.insert(0, Screens())
from cockpit.commands import fly, flying
async def launch(say):
    return None
flying.show(launch, "payments-api", "rehearsal")
"""


def test_what_is_heavy_does_not_come_before_the_screen() -> None:
    there = imported(SHOW)
    assert "cockpit.assembly" in there
    assert there & set(BEFORE_THE_SCREEN) == set()


def test_the_help_imports_nothing_that_takes_time() -> None:
    code = "import sys\nfrom cockpit.cli import build\nbuild().format_help()\nprint(*sys.modules)"
    assert imported(code) & set(HELP) == set()
