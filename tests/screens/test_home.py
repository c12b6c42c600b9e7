"""Home on a terminal: what it shows at two sizes, and what its keys start."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

from cockpit.errors import Unreachable
from cockpit.model.program import Done, EarlyStart, Position, Program, Standing, Tier, Word
from cockpit.program.home import Entry, Home
from cockpit.rules.program import board
from screens.home import HomeApp

TODAY = date(2026, 11, 22)
PROGRAM = Program(
    "estate",
    (
        Tier("dev", playbooks=("p/first.yaml",)),
        Tier("batch", done=Done("ana", TODAY)),
        Tier("lambda", after=("dev", "batch")),
        Tier("stateless", playbooks=("p/second.yaml",), after=("lambda",)),
    ),
    (EarlyStart("stateless", "lambda", "no native code", "team-web", TODAY),),
    source="p/program.yaml",
)
HELD = Position(Standing.HELD, Word.CLUSTER, "canary-25", "ana@bastion", "waived")
FREE = Position(Standing.NOT_BEGUN, Word.CLUSTER)
COMPLETED = Position(Standing.COMPLETED, Word.CLUSTER, colour="green")


def home(first: Position = HELD, asked: bool = True) -> Home:
    entries = (Entry("first", "p/first.yaml", first), Entry("third", "p/third.yaml", FREE))
    return Home(entries, (board(PROGRAM, {"p/first.yaml": first, "p/second.yaml": FREE}, TODAY),), asked=asked)


def app_of(shown: Home) -> HomeApp:
    async def found() -> Home:
        return replace(shown, asked=False)

    async def look() -> Home:
        return shown

    return HomeApp(found, look, again=3600.0)


def text(app: HomeApp) -> str:
    return "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_board_and_what_is_chosen(size: tuple[int, int]) -> None:
    app = app_of(home())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        seen = text(app)
        assert "Program estate" in seen
        assert "▸ dev" in seen
        assert "held at canary-25" in seen
        assert "1 run not ended: first held" in seen
        assert "next     cockpit run first: resume, or roll back" in seen
        assert "Other playbooks" in seen
        assert "ana@bastion" in seen  # in its column, or below where there is no room for one
        await pilot.press("down", "down", "down")
        await pilot.pause()
        below = text(app)
        assert "▸ stateless" in below
        assert "waits for dev: first is held at canary-25" in below
        assert "waived: stateless before lambda, by team-web until 2026-11-22" in below


async def started(shown: Home, *keys: str) -> list[str] | None:
    app = app_of(shown)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
    return app.return_value


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        (("q",), []),
        (("enter", "enter"), ["rehearse", "p/first.yaml"]),
        (("enter", "r"), ["rehearse", "p/first.yaml"]),
        (("enter", "f"), ["run", "p/first.yaml", "--program", "p/program.yaml"]),
        (("enter", "p"), ["plan", "p/first.yaml"]),
        (("enter", "A"), ["audit", "p/first.yaml"]),
        (("A",), ["audit", "p/first.yaml"]),
        (("enter", "escape", "q"), []),
        (("down", "A", "enter", "q"), []),  # no playbook moves that tier
        (("down", "down", "down", "down", "enter", "f"), ["run", "p/third.yaml"]),
    ],
)
async def test_keys_start_commands(keys: tuple[str, ...], command: list[str]) -> None:
    assert await started(home(), *keys) == command


async def test_what_must_not_start_yet_is_not_started() -> None:
    app = app_of(home())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert "not yet, it waits for dev" in text(app)
        await pilot.press("f")
        await pilot.pause()
        assert app.is_running
        assert app.return_value is None
    free = home(COMPLETED)
    command = ["run", "p/second.yaml", "--program", "p/program.yaml"]
    assert await started(free, "down", "down", "down", "enter", "f") == command


async def test_a_run_that_only_this_machine_remembers_waits_its_turn() -> None:
    remembered = Position(Standing.HELD, Word.HISTORY, "canary-25")
    shown = replace(home(), boards=(board(PROGRAM, {"p/first.yaml": HELD, "p/second.yaml": remembered}, TODAY),))
    assert shown.boards[0].rows[-1].step == "wait for dev"
    app = app_of(shown)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert "not yet, it waits for dev" in text(app)


async def test_the_list_is_there_while_the_clusters_are_asked() -> None:
    answered = asyncio.Event()

    async def found() -> Home:
        return home(Position(), asked=False)

    async def look() -> Home:
        await answered.wait()
        return home()

    app = HomeApp(found, look, again=3600.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert "asking its cluster…" in text(app)
        assert "q quit   asking…" in text(app)
        await pilot.press("down", "down", "down")
        answered.set()
        await pilot.pause()
        await pilot.pause()
        assert "asking" not in text(app)
        assert "▸ stateless" in text(app)


async def test_a_look_that_fails_is_said_and_tried_again() -> None:
    tries: list[int] = []

    async def look() -> Home:
        tries.append(1)
        if len(tries) == 1:
            raise Unreachable("no answer")
        return home()

    app = HomeApp(look, look, again=3600.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert "no answer" in text(app)
        await pilot.press("u")
        await pilot.pause()
        await pilot.pause()
        assert "held at canary-25" in text(app)


async def test_nothing_hostile_reaches_the_terminal() -> None:
    hostile = Position(Standing.UNKNOWN, Word.NOBODY, who="a\x1b]52;c;eA==\x07", why="b\u202e\x9b31m")
    app = app_of(home(hostile))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert not any(unsafe in text(app) for unsafe in "\x1b\x07\u202e\x9b")


def test_importing_home_imports_nothing_heavy() -> None:
    heavy = ("kubernetes", "boto3", "httpx", "pydantic", "aiohttp")
    code = f"import sys, screens.home; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
