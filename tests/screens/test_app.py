"""Starting, ending, and what reaches the terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from cockpit.errors import Exit, Refused, Unreachable
from cockpit.model.cluster import KubeEvent
from cockpit.model.event import EventType
from cockpit.text import clean
from screens.app import CockpitApp
from screens.flight import Flight
from tests.screens import factories as make
from tests.screens import world
from tests.screens.fakes import FakeFlight, Steady, app_of

HEAVY = ("kubernetes", "boto3", "botocore", "httpx", "pydantic", "aiohttp", "moto")


def test_importing_the_app_imports_nothing_heavy() -> None:
    code = f"import sys, screens.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


async def test_the_first_frame_is_painted_before_launching_begins() -> None:
    painted: list[str] = []
    flight = FakeFlight(make.ready())

    async def launch(say: Callable[[str], None]) -> Flight:
        painted.append("\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips()))
        say("reading the playbook")
        return flight

    app = CockpitApp(launch, "payments-api", now=Steady(), tick=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert "payments-api" in painted[0]
        assert "1 Nodes" in painted[0]
        assert "starting:" in painted[0]
        assert app.view.frame is flight.now


async def test_start_up_words_are_shown() -> None:
    app, _ = app_of(None)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert app.view.starting == "loading"


@pytest.mark.parametrize("error", [Unreachable("no answer from 10.0.0.1"), Refused("another cluster")])
async def test_a_launch_that_fails_ends_with_its_code_and_says_why(error: Unreachable | Refused) -> None:
    async def launch(say: Callable[[str], None]) -> Flight:
        raise error

    app = CockpitApp(launch, "payments-api", tick=3600.0)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert app.return_value == Exit.REFUSED
    assert app.failure == str(error)


async def test_a_picture_that_does_not_move_on_is_called_frozen_and_its_keys_live() -> None:
    app, flight = app_of(make.soaking())
    app._tick_seconds = 0.5
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        for _ in range(12):
            app.tick()
        assert app.view.is_frozen
        await pilot.press("R")
        await pilot.pause()
        await pilot.press("enter")
        assert flight.calls == [("roll_back",)]


async def test_the_terminals_own_text_holds_nothing_of_a_hostile_cluster() -> None:
    """Whatever a pod or an event is called, no control sequence of it reaches the terminal."""
    hostile = "\x1b]52;c;ZXZpbA==\x07\x9b31m\x1b[2J[@click=app.quit]x[/foo]\u202egpj.exe"
    event = KubeEvent("payments", "e", world.NOW, "Warning", clean(hostile), clean(hostile), f"Pod/{clean(hostile)}")
    base = world.snapshot(25, events=(event,))
    key = next(iter(base.pods))
    pods = {**base.pods, key: replace(base.pods[key], name=clean(hostile), ready=False)}
    app, _ = app_of(make.make(make.at(1), replace(base, pods=pods)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        for key in ("6", "1", "l"):
            shown = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
            assert not [c for c in shown if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e"]
            await pilot.press(key)
            await pilot.pause()
        assert app.is_running


TIGHT = (80, 24)
ROOMY = ((100, 30), (120, 40), (200, 60))


# Every state where room is scarcest; in roomier terminals two that differ most, as each of these costs seconds.
@pytest.mark.parametrize(
    ("name", "size"), [*((name, TIGHT) for name in sorted(make.FRAMES)), *((n, s) for n in ("soaking", "down") for s in ROOMY)]
)
async def test_every_screen_draws_every_state_without_a_fault(name: str, size: tuple[int, int]) -> None:
    app, _ = app_of(make.FRAMES[name]())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in ("", "1", "2", "3", "4", "5", "6", "d", "l", "m", "question_mark", "R"):
            if key:
                await pilot.press(key)
            await pilot.pause()
            rows = ["".join(s.text for s in strip) for strip in app.screen._compositor.render_strips()]
            assert not [row for row in rows if "cannot be drawn" in row]


async def test_closing_waits_for_nothing_when_there_is_no_flight() -> None:
    app, flight = app_of(None)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.leave()
    assert app.return_value == 1
    assert not flight.closed


async def test_the_log_grows_and_follows_its_end() -> None:
    frame = make.soaking()
    early = tuple(make.event(60 - n, EventType.SOAK, f"early {n}") for n in range(40))
    app, flight = app_of(replace(frame, events=early))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("l")
        await pilot.pause()
        await pilot.pause()
        flight.now = replace(frame, events=(*early, make.event(0, EventType.HELD, "the newest")))
        app.tick()
        await pilot.pause()
        await pilot.pause()
        shown = "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())
        assert "the newest" in shown
        assert "early 0\n" not in shown


async def test_a_panel_that_cannot_be_drawn_leaves_the_keys_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    app, flight = app_of(make.soaking())

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        monkeypatch.setattr("screens.widgets.panel.boxed", broken)
        flight.now = make.held()
        app.tick()
        await pilot.pause()
        shown = "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())
        assert "✗ Nodes cannot be drawn: ZeroDivisionError" in shown
        await pilot.press("R")
        await pilot.pause()
        await pilot.press("enter")
        assert flight.calls == [("roll_back",)]
