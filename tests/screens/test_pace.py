"""A slow line: how it is known, and what is left out on it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events, messages

from screens.pace import LIMIT, RoundTrips
from screens.present import header
from screens.present.panels import PANELS, content
from screens.present.view import View
from screens.present.words import plain
from tests.screens import factories as make
from tests.screens.fakes import app_of
from tests.screens.grid import drawn, taken, watched
from tests.screens.test_terminal import terminal

TREND = re.compile("[▁▂▃▄▅▆▇]")


def test_two_late_answers_make_a_slow_line_and_one_does_not() -> None:
    trips = RoundTrips()
    trips.answered("2026", 5.0)
    assert trips.took == [], "nobody has asked"
    for number, took in enumerate((LIMIT * 2, LIMIT / 2)):
        trips.asked("2026", number)
        trips.answered("2026", number + took)
    assert trips.slow == 0.0
    trips.asked("6n", 9.0)
    assert not trips.slow
    trips.answered("6n", 9.0 + LIMIT * 3)
    assert trips.slow == pytest.approx(LIMIT * 2)


def at(event: events.CursorPosition | messages.TerminalSupportsSynchronizedOutput, time: float) -> None:
    event.time = time


async def test_answers_that_come_late_make_the_app_draw_less_and_say_so() -> None:
    app, flight = app_of(make.soaking())
    app._tick_seconds = 0.5
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        asked = events.Event().time
        app.trips.asked("2026", asked)
        app.trips.asked("\x1b[6n", asked)
        first, second = messages.TerminalSupportsSynchronizedOutput(), events.CursorPosition(3, 4)
        at(first, asked + 0.3)
        at(second, asked + 0.4)
        app.post_message(first)
        await pilot.pause()
        assert app._pace == 0.5
        app.post_message(second)
        await pilot.pause()
        assert app.view.slow and app._pace == 1.0
        assert "slow line: 1 Hz" in app.view.reply
        await pilot.press("w")
        assert (app.view.slow, app._pace) == (False, 0.5)
        assert flight.calls == []


@pytest.mark.parametrize("option", [True, False])
async def test_what_the_command_line_says_is_not_measured(option: bool) -> None:
    app, _ = app_of(make.soaking())
    app.slow, app._measures = option, False
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for what in ("2026", "\x1b[6n"):
            app.trips.asked(what, 1.0)
            app.heard(what, 2.0)
        assert app.slow is option


def test_a_slow_line_carries_no_trend_and_a_slower_clock() -> None:
    frame = make.soaking()
    quick, slow = View(frame=frame, size=(120, 40)), View(frame=frame, size=(120, 40), slow=True)
    for panel in PANELS[1:3]:
        assert TREND.search("".join(plain(row) for row in content(panel, quick, 56, 10)))
        assert not TREND.search("".join(plain(row) for row in content(panel, slow, 56, 10)))
    assert "█" in "".join(plain(row) for row in content(PANELS[0], slow, 56, 10)), "a bar is no trend"
    seen = frame.snapshot
    texts = {
        plain(header.clock(replace(slow, frame=replace(frame, snapshot=replace(seen, time=seen.time + timedelta(seconds=n))))))
        for n in range(3)
    }
    assert texts == {"02:14:05Z slow line: 1 Hz │ ● LIVE "}


async def test_a_slow_line_takes_less_still() -> None:
    sizes = []
    for slow in (False, True):
        app, flight = app_of(make.soaking())
        app._tick_seconds, app.slow = 0.5, slow
        async with watched(app, (120, 40)) as (pilot, driver):
            taken(driver)
            for number in range(1, 6):
                base = make.make(make.at(1, soaked=461.0 + number))
                moved = replace(base.snapshot, time=base.snapshot.time + timedelta(seconds=number))
                flight.now = replace(base, snapshot=moved)
                app.tick()
                await drawn(pilot)
            sizes.append(len(taken(driver)))
    assert sizes[1] < sizes[0]


SLOW = "import screens.pace; screens.pace.LIMIT = 0.0\n"


def test_a_terminals_answers_are_timed_and_are_no_keys() -> None:
    """Every answer counts as late here. The text of one, read as keys, would open the second panel."""
    with terminal(120, 40, before=SLOW) as (fd, until):
        until(b"\x1b[?2026$p")
        os.write(fd, b"\x1b[?2026;2$y")
        until(b"\x1b[6n")
        os.write(fd, b"\x1b[1;2R")
        seen = until(b"slow line: 1 Hz")
        os.write(fd, b"w")
        seen = until(b"full pace")
        assert b"\x1b[?2026h" in seen, "pictures come at once where the terminal can do it"
        assert b"Esc" not in seen, "no other screen was opened"


def test_a_terminal_that_answers_nothing_is_drawn_on_all_the_same() -> None:
    with terminal(120, 40) as (_, until):
        seen = until(b"fluent-bit")
    assert seen.count(b"\x1b[6n") == 1
    assert b"slow line" not in seen
