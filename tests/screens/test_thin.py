"""What reaches the terminal: the right picture, by the fewest bytes. Counts, no times."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from cockpit.model.snapshot import Snapshot
from cockpit.run.frame import Frame
from screens.app import CockpitApp
from screens.thin import BACKLOG, Shown
from tests.screens import factories as make
from tests.screens import world
from tests.screens.fakes import FakeFlight, app_of
from tests.screens.grid import Grid, drawn, rows_of, taken, watched

SIZE = (120, 40)
NOTHING, QUIET, EVERYTHING = 16, 512, 7 * 1024
"""Bytes a tick at 120x40 at most; two ticks a second make a quiet run's 1 KB/s."""


def started(frame: Frame) -> tuple[CockpitApp, FakeFlight]:
    app, flight = app_of(frame)
    app._tick_seconds = 0.5
    return app, flight


def later(frame: Frame, seconds: float) -> Frame:
    """The same picture some seconds on: the clock, the soak and the ages of sources have gone on."""
    seen = frame.snapshot
    soaked = replace(frame.state, soaked=frame.state.soaked + seconds)
    return make.make(soaked, replace(seen, time=seen.time + timedelta(seconds=seconds)), events=frame.events)


@pytest.mark.parametrize("size", [(80, 24), SIZE])
async def test_the_terminal_shows_what_the_screen_means_after_every_change(size: tuple[int, int]) -> None:
    grid = Grid()
    app, flight = started(make.soaking())
    async with watched(app, size) as (pilot, driver):
        for step in ("1", "slash", "2", "escape", "escape", "R", "escape", "4", "s", "l", "escape", "ctrl+p", "escape", "w"):
            await pilot.press(step)
            flight.now = later(make.held() if step in "1Rl" else make.placing(), 7)
            app.tick()
            await drawn(pilot)
            grid.feed(taken(driver))
            assert grid.rows(*size) == rows_of(app), step


async def test_nothing_is_written_while_nothing_that_is_seen_has_changed() -> None:
    frame = make.soaking()
    app, flight = started(frame)
    async with watched(app, SIZE) as (pilot, driver):
        taken(driver)
        for _ in range(5):
            flight.now = replace(frame, snapshot=replace(frame.snapshot, seq=frame.snapshot.seq + 1))
            app.tick()
            await drawn(pilot)
            assert len(taken(driver).encode()) <= NOTHING


async def test_a_quiet_run_takes_less_than_a_kilobyte_a_second() -> None:
    frame = make.promotable()
    app, flight = started(replace(frame, state=make.at(1)))
    async with watched(app, SIZE) as (pilot, driver):
        taken(driver)
        for number in range(1, 21):
            flight.now = later(make.make(make.at(1)), number / 2)
            app.tick()
            await drawn(pilot)
            assert len(taken(driver).encode()) <= QUIET


def moved(seen: Snapshot, by: int) -> Snapshot:
    """Every figure on the screen is another one."""
    nodes = [replace(node, ready=(number + by) % 3 > 0) for number, node in enumerate(seen.nodes.values())]
    return replace(
        world.snapshot(25, nodes=nodes, drift=0.03 + by / 100, errors=0.0001 * (by + 1)),
        time=seen.time + timedelta(seconds=by),
    )


async def test_a_picture_in_which_everything_changes_takes_less_than_seven_kilobytes() -> None:
    app, flight = started(make.soaking())
    names = ("held", "promotable", "placing", "down", "soaking", "rolling_back", "ready", "completed", "drifted")
    async with watched(app, SIZE) as (pilot, driver):
        taken(driver)
        for number, name in enumerate(names, 1):
            frame = make.FRAMES[name]()
            for shown in (frame, make.make(frame.state, moved(frame.snapshot, number), events=frame.events[:number])):
                flight.now = shown
                app.tick()
                await drawn(pilot)
                assert len(taken(driver).encode()) <= EVERYTHING, name


async def test_a_quiet_second_is_drawn_once_and_whatever_changes_at_once() -> None:
    frame = make.soaking()
    app, flight = started(frame)
    drawn_at: list[Frame | None] = []
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for half in range(8):
            whole = replace(frame.state, soaked=frame.state.soaked + half / 20)
            clock = replace(frame.snapshot, time=frame.snapshot.time + timedelta(seconds=half / 2))
            flight.now = replace(frame, state=whole, snapshot=clock)
            app.tick()
            drawn_at.append(app.view.frame)
        assert len({id(of) for of in drawn_at}) == 5, "the first, then one a second"
        for changed in (
            replace(frame, busy="setting canary-50"),
            replace(frame, snapshot=replace(frame.snapshot, nodes=dict(frame.snapshot.nodes))),
            replace(frame, state=replace(frame.state, soaked=frame.state.soaked + 1)),
            make.stale(),
        ):
            flight.now = changed
            app.tick()
            assert app.view.frame is changed


async def test_a_fault_in_comparing_takes_no_picture_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    app, flight = started(make.soaking())
    async with watched(app, SIZE) as (pilot, driver):
        monkeypatch.setattr(Shown, "text", broken)
        taken(driver)
        flight.now = make.held()
        app.tick()
        await drawn(pilot)
        assert "HELD" in taken(driver)


async def test_a_redraw_writes_everything_again() -> None:
    app, _ = started(make.soaking())
    async with watched(app, SIZE) as (pilot, driver):
        taken(driver)
        await pilot.press("ctrl+l")
        await drawn(pilot)
        grid = Grid()
        grid.feed(taken(driver))
        assert grid.rows(*SIZE) == rows_of(app)
        assert len(grid.cells) >= SIZE[0] * SIZE[1]


async def test_no_picture_is_sent_while_the_line_lags_behind_and_the_next_has_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid, waiting = Grid(), [0]
    app, flight = started(make.soaking())
    monkeypatch.setattr(CockpitApp, "_backlog", lambda _: waiting[0])
    async with watched(app, SIZE) as (pilot, driver):
        grid.feed(taken(driver))
        waiting[0] = BACKLOG + 1
        for frame in (make.held(), make.rolling_back()):
            flight.now = frame
            app.tick()
            await drawn(pilot)
            assert taken(driver).strip("\a") == ""
        assert app._owes
        await pilot.press("R")
        assert app.screen.__class__.__name__ == "RollbackDialog"  # keys are served
        waiting[0] = 0
        app._pay()
        await drawn(pilot)
        grid.feed(taken(driver))
        assert grid.rows(*SIZE) == rows_of(app)


RED, BLUE = Style.parse("#ff0000 on #000000"), Style.parse("#0000ff on #000000")


def update(*rows: Strip) -> LayoutUpdate:
    return LayoutUpdate([[row] for row in rows], Region(0, 0, 10, len(rows)))


def strip(text: str, style: Style = RED) -> Strip:
    return Strip([Segment(text, style)])


def test_runs_near_each_other_are_one_and_far_ones_are_moved_to() -> None:
    shown = Shown()
    shown.text(update(strip("0123456789")), ColorSystem.TRUECOLOR)
    assert shown.text(update(strip("0123456789")), ColorSystem.TRUECOLOR) == ""
    near = shown.text(update(strip("x1x3456789")), ColorSystem.TRUECOLOR)
    assert near.endswith("mx1x\x1b[m")
    far = shown.text(update(strip("01x345678y")), ColorSystem.TRUECOLOR)
    assert far.endswith("m0\x1b[8Cy\x1b[m")


def test_a_change_of_colour_alone_is_written_with_no_more_than_that_colour() -> None:
    shown = Shown()
    shown.text(update(strip("ab")), ColorSystem.TRUECOLOR)
    both = Strip([Segment("a", BLUE), Segment("b", Style.parse("#00ff00 on #000000"))])
    text = shown.text(update(both), ColorSystem.TRUECOLOR)
    assert text == "\x1b[1;1H\x1b[0;38;2;0;0;255;48;2;0;0;0ma\x1b[38;2;0;255;0mb\x1b[m"


@pytest.mark.parametrize(
    ("before", "after"), [("日本", "ab日"), ("ab日", "日本"), ("e\u0301xyz", "exyz"), ("日本語x", "日a語x ")]
)
def test_wide_and_joined_characters_are_replaced_whole(before: str, after: str) -> None:
    shown, grid = Shown(), Grid()
    grid.feed(shown.text(update(strip(before)), ColorSystem.TRUECOLOR).replace("e\u0301", "e"))
    grid.feed(shown.text(update(strip(after)), ColorSystem.TRUECOLOR))
    assert grid.rows(10, 1)[0].rstrip() == after.rstrip()


def test_nothing_that_acts_on_a_terminal_gets_through() -> None:
    text = Shown().text(update(strip("a\x1b[2Jb\x07\x9b\x7f\u202ec\u200d")), ColorSystem.TRUECOLOR)
    assert text.endswith("ma[2Jbc\x1b[m")
    assert text.count("\x1b") == 3
