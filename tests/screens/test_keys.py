"""Keys as a person presses them, told by what reaches the flight."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events
from textual.pilot import Pilot

from cockpit.model.plan import Plan
from cockpit.run.frame import Frame
from screens.base import CockpitScreen
from screens.confirm import PromoteDialog, QuitDialog, RollbackDialog
from screens.help import HelpScreen
from screens.log import LogScreen
from screens.main import MainScreen
from screens.plan import PlanScreen
from screens.present.words import Tone, plain
from screens.widgets.lines import Lines
from screens.widgets.panel import PanelBox
from tests.screens import factories as make
from tests.screens.fakes import Manual, app_of

SIZE = (120, 40)


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def settle(pilot: Pilot[int]) -> None:
    await pilot.pause()
    await pilot.pause()


async def test_a_wrong_share_does_nothing_and_the_right_one_promotes_by_the_plan_that_was_shown() -> None:
    frame = make.promotable()
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", "2", "5", "enter")
        assert flight.calls == []
        assert isinstance(app.screen, PromoteDialog)
        assert "50%" in app.screen.warning
        await press(pilot, "backspace", "backspace", "5", "0")
        # The plan that counts is the one that was shown, also when the world moves on meanwhile.
        flight.now = replace(frame, next_plan=Plan("other"))
        app.tick()
        await press(pilot, "enter")
        assert frame.next_plan is not None
        assert flight.calls == [("promote", frame.next_plan.hash)]
        assert isinstance(app.screen, MainScreen)


async def test_an_empty_enter_does_not_promote_and_escape_leaves() -> None:
    app, flight = app_of(make.promotable())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", "enter", "escape")
        assert flight.calls == []
        assert isinstance(app.screen, MainScreen)


@pytest.mark.parametrize(("frame", "word"), [(make.ready(), "5%"), (make.last_promotable(), "complete")], ids=["first", "last"])
async def test_the_word_to_type_follows_the_phase(frame: Frame, word: str) -> None:
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", *["percent_sign" if c == "%" else c for c in word], "enter")
        assert [call[0] for call in flight.calls] == ["promote"]


async def test_an_affinity_phase_is_promoted_to_by_its_name() -> None:
    frame = replace(make.promotable(), state=make.at(3, soaked=900.0))
    frame = replace(frame, next_plan=make.plan_to(frame.playbook.phases[4], 100))
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", *["minus" if c == "-" else c for c in "require-arm64"], "enter")
        assert [call[0] for call in flight.calls] == ["promote"]


async def test_a_refusal_of_the_flight_is_shown_where_it_was_asked() -> None:
    app, flight = app_of(make.promotable(), answer="the world has changed")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", "5", "0", "enter")
        assert flight.calls
        assert isinstance(app.screen, PromoteDialog)
        assert app.screen.warning == "the world has changed"


async def test_p_opens_no_dialog_while_promote_waits_and_says_why() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", "5", "0", "enter")
        assert not isinstance(app.screen, PromoteDialog)
        assert flight.calls == []
        await press(pilot, "escape", "p")
        assert "soak 7:19" in app.view.reply


ROLLBACK_STATES = [
    "ready",
    "soaking",
    "promotable",
    "held",
    "rolled_back",
    "completed",
    "stale",
    "down",
    "unsynced",
    "placing",
    "setting",
]


@pytest.mark.parametrize("name", ROLLBACK_STATES)
async def test_r_then_enter_rolls_back_once_in_every_state(name: str) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R", "enter", "enter")
        assert flight.calls == [("roll_back",)]
        assert ("enter", "roll back") in flight.keys


@pytest.mark.parametrize("way", [("d",), ("l",), ("question_mark",), ("1",), ("6",), ("q",), ("p",), ("ctrl+p",), ("l", "q")])
async def test_r_then_enter_rolls_back_from_every_screen(way: tuple[str, ...]) -> None:
    app, flight = app_of(make.promotable())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, *way, "R")
        assert isinstance(app.screen, RollbackDialog)
        await press(pilot, "enter")
        assert flight.calls == [("roll_back",)]


async def test_escape_leaves_the_rollback_dialog_without_a_rollback() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R", "R", "escape", "enter")
        assert flight.calls == []


async def test_nothing_acts_within_300_ms_of_a_dialogs_opening() -> None:
    clock = Manual()
    app, flight = app_of(make.soaking(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        clock.at += 0.29
        await press(pilot, "enter")
        assert flight.calls == []
        clock.at += 1.0
        await press(pilot, "enter")
        assert flight.calls == [("roll_back",)]


async def test_a_held_enter_does_not_roll_back() -> None:
    clock = Manual()
    app, flight = app_of(make.soaking(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        clock.at += 0.2
        await press(pilot, "enter")
        clock.at += 0.4
        for _ in range(30):
            await press(pilot, "enter")
            clock.at += 0.033
        assert flight.calls == []


async def test_a_paste_into_the_rollback_dialog_does_nothing() -> None:
    clock = Manual()
    app, flight = app_of(make.soaking(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        clock.at += 1.0
        app.post_message(events.Paste("\r\nR\r\n"))
        await press(pilot, "x", "enter")  # a paste without brackets: both at the same moment
        assert flight.calls == []
        assert isinstance(app.screen, RollbackDialog)


async def test_a_pasted_share_is_not_a_typed_one() -> None:
    clock = Manual()
    app, flight = app_of(make.promotable(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p")
        clock.at += 1.0
        app.post_message(events.Paste("50\n"))
        await press(pilot, "5", "0", "enter")
        assert isinstance(app.screen, PromoteDialog)
        assert app.screen.text == "5"
        assert flight.calls == []


async def test_space_holds_and_resumes() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "space")
        flight.now = make.held()
        app.tick()
        await press(pilot, "space")
        assert flight.calls == [("hold",), ("resume",)]
        assert flight.keys == [("space", "hold"), ("space", "resume")]


@pytest.mark.parametrize("name", ["ready", "completed", "rolled_back", "rolling_back"])
async def test_space_asks_for_nothing_where_nothing_can_be_held(name: str) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "space")
        assert flight.calls == []
        assert "cannot act now" in app.view.reply


async def test_a_small_terminal_disarms_and_a_larger_one_arms_again() -> None:
    app, flight = app_of(make.promotable())
    async with app.run_test(size=(79, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "p", "R", "enter", "space")
        assert flight.calls == []
        assert isinstance(app.screen, MainScreen)
        assert "disarmed" in app.view.reply
        assert app.screen.query_one("TooSmall").display
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert not app.screen.query_one("TooSmall").display
        await press(pilot, "R", "enter")
        assert flight.calls == [("roll_back",)]


async def test_a_dialog_that_is_open_disarms_too_when_the_terminal_shrinks() -> None:
    app, flight = app_of(make.promotable())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        await pilot.resize_terminal(70, 20)
        await settle(pilot)
        await press(pilot, "enter")
        assert flight.calls == []


async def test_nobody_rolls_back_from_a_cockpit_that_only_observes() -> None:
    frame = replace(make.soaking(), identity=replace(make.WHO, read_only=True))
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R", "enter", "p", "space")
        assert flight.calls == []


@pytest.mark.parametrize(("key", "screen"), [("d", PlanScreen), ("l", LogScreen), ("question_mark", HelpScreen)])
async def test_looking_keys_open_their_screens_and_escape_returns(key: str, screen: type[CockpitScreen]) -> None:
    app, _ = app_of(make.down())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, key)
        assert isinstance(app.screen, screen)
        await press(pilot, "escape")
        assert isinstance(app.screen, MainScreen)


@pytest.mark.parametrize("name", ["soaking", "setting", "held", "ready"])
async def test_quitting_asks_while_the_run_is_not_ended(name: str) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "q")
        assert isinstance(app.screen, QuitDialog)
        await press(pilot, "escape")
        assert app.is_running
        await press(pilot, "q", "enter")
    assert app.return_value == 1
    assert flight.closed
    assert flight.calls == []


@pytest.mark.parametrize(("name", "code"), [("completed", 0), ("rolled_back", 1)])
async def test_quitting_an_ended_run_asks_nothing(name: str, code: int) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+q" if code else "q")
    assert app.return_value == code
    assert flight.closed


async def test_tab_and_enter_open_a_panel() -> None:
    app, _ = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "tab", "enter")
        assert plain(app.screen.query_one("#title", Lines).lines[0]).startswith(" 2 Traffic")


async def test_the_bell_rings_on_transitions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    app, flight = app_of(make.soaking())
    rung: list[None] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(None))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        counts = []
        for frame in (make.soaking(), make.held(), make.held(), make.rolling_back(), make.rolled_back(), make.rolled_back()):
            flight.now = frame
            app.tick()
            counts.append(len(rung))
    assert counts == [0, 1, 1, 2, 3, 3]


async def test_the_next_key_takes_the_answer_to_the_last_one_away() -> None:
    app, _ = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p")
        assert "cannot act now" in app.view.reply
        await press(pilot, "1")
        assert app.view.reply == ""


async def test_a_focus_that_moves_is_shown_at_once_and_not_by_the_next_picture() -> None:
    app, _ = app_of(make.soaking())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        if app._timer:
            app._timer.stop()
        first, second = app.screen.query_one("#panel-1", PanelBox), app.screen.query_one("#panel-2", PanelBox)
        assert (edge(first), edge(second)) == (Tone.RULE, Tone.RULE)
        await pilot.press("tab")
        assert (edge(first), edge(second)) == (Tone.PLAIN, Tone.RULE)
        await pilot.press("tab")
        assert (edge(first), edge(second)) == (Tone.RULE, Tone.PLAIN)


def edge(of: PanelBox) -> Tone:
    """The tone of a panel's frame."""
    return of.lines[0][0][1]
