"""Who has the controls: what a person sees, and what their keys do then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events

from cockpit.model.controls import Cockpit, Controls, Standing
from cockpit.run.frame import Frame
from screens.confirm import ApproveDialog, RollbackDialog
from screens.controls import ControlsDialog
from screens.main import MainScreen
from screens.present import header, keys, notice
from screens.present.view import View
from screens.present.words import Tone, plain, width
from tests.screens import factories as make
from tests.screens.fakes import Manual, app_of
from tests.screens.test_keys import SIZE, press, settle


def where(frame: Frame, columns: int) -> str:
    shown = View("payments-api", frame, size=(columns, 24))
    return plain(header.where(shown, columns - width(header.clock(shown))))


def said(frame: Frame, columns: int = 120) -> str:
    return plain(notice.notice(View("payments-api", frame), columns))


def bar(frame: Frame, columns: int = 80) -> str:
    return "\n".join(plain(row) for row in keys.key_bar(View("payments-api", frame), columns))


@pytest.mark.parametrize(
    ("controls", "wide", "narrow"),
    [
        (make.MINE, "ana@bastion has the controls (you) · 2 watching", "controls: you"),
        (replace(make.MINE, watchers=()), "ana@bastion has the controls (you)", "controls: you"),
        (make.THEIRS, "ana@bastion has the controls · you watch with 1 more", "controls: ana@bastion"),
        (make.FREE, "nobody has the controls · 2 watching", "controls: nobody"),
        (make.LOST, "✗ controls lost", "✗ controls lost"),
        (replace(make.LOST, why=""), "… controls not read", "… controls not read"),
    ],
)
def test_the_header_says_who_has_the_controls(controls: Controls, wide: str, narrow: str) -> None:
    frame = replace(make.soaking(), controls=controls)
    assert where(frame, 120) == f" payments-api │ prod-eks / payments │ {wide}"
    assert where(frame, 80) == f" payments-api │ prod-eks / payments │ {narrow}"


def test_a_dry_run_and_an_observer_say_what_they_are_instead() -> None:
    assert where(make.trying(), 80).endswith("│ ana@bastion │ DRY RUN") or where(make.trying(), 80).endswith("│ DRY RUN")
    assert where(make.observing(), 80).endswith("OBSERVING")
    assert where(make.observing(), 120).endswith("has the controls · you observe │ OBSERVING")


def test_long_names_leave_room_for_who_flies() -> None:
    frame = make.watching()
    context, namespace = "arn:aws:eks:ap-south-1:111122223333:cluster/prod-eks", "payments-and-more"
    playbook = replace(frame.playbook, target=replace(frame.playbook.target, namespace=namespace))
    shown = where(replace(frame, playbook=playbook, identity=replace(frame.identity, context=context)), 80)
    assert "prod-eks" in shown
    assert shown.endswith("ana flies")


@pytest.mark.parametrize("name", ["watching", "nobody", "lost"])
async def test_keys_that_move_the_run_are_dim_without_the_controls_and_say_who_has_them(name: str) -> None:
    frame = make.FRAMES[name]()
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "p", "5", "0", "enter", "escape", "space")
        assert flight.calls == []
        assert {"watching": "ana@bastion has", "nobody": "nobody has", "lost": "controls are lost"}[name] in app.view.reply


@pytest.mark.parametrize("name", ["watching", "nobody", "lost", "offered"])
async def test_anybody_rolls_back_with_two_keys(name: str) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        assert isinstance(app.screen, RollbackDialog)
        words = "\n".join(plain(row) for row in app.screen.head())
        assert ("taken from ana@bastion" if name in ("watching", "offered") else "waits for none") in words
        await press(pilot, "enter")
        assert flight.calls == [("roll_back",)]


async def test_the_controls_of_somebody_who_is_there_are_taken_by_their_name_only() -> None:
    app, flight = app_of(make.watching())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t", "enter")
        assert isinstance(app.screen, ControlsDialog)
        assert flight.calls == []
        await press(pilot, "b", "o", "b", "enter")
        assert "bob was typed, ana is asked for" in app.screen.warning
        await press(pilot, "backspace", "backspace", "backspace", "a", "n", "a", "enter")
        assert flight.calls == [("take_controls",)]
        assert flight.keys == [("enter", "take the controls")]
        assert isinstance(app.screen, MainScreen)


@pytest.mark.parametrize("name", ["offered", "nobody"])
async def test_free_and_offered_controls_are_taken_by_enter(name: str) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t", "enter")
        assert flight.calls == [("take_controls",)]


async def test_a_refusal_to_take_them_is_shown_where_it_was_asked() -> None:
    app, _ = app_of(make.nobody(), answer="the API server does not answer")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t", "enter")
        assert isinstance(app.screen, ControlsDialog)
        assert app.screen.warning == "the API server does not answer"


@pytest.mark.parametrize(
    ("moves", "to"), [("", make.BOB.id), ("down", make.CAROL.id), ("down down down", ""), ("up", make.BOB.id)]
)
async def test_the_holder_chooses_whom_to_hand_them_to(moves: str, to: str) -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t", *moves.split(), "enter")
        assert flight.calls == [("hand_over", to)]


async def test_nobody_is_handed_to_who_has_left_while_the_dialog_was_up() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t")
        assert flight.now is not None
        flight.now = replace(flight.now, controls=replace(make.MINE, watchers=(make.CAROL,)))
        app.tick()
        await press(pilot, "enter")
        assert flight.calls == []
        assert isinstance(app.screen, ControlsDialog)
        assert "has left" in app.screen.warning
        await press(pilot, "up", "enter")
        assert flight.calls == [("hand_over", make.CAROL.id)]


async def test_an_enter_that_was_meant_for_the_old_holder_takes_nothing() -> None:
    app, flight = app_of(make.nobody())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t")
        flight.now = make.watching()
        app.tick()
        await press(pilot, "enter")
        assert flight.calls == []
        assert isinstance(app.screen, ControlsDialog)
        assert "changed hands" in app.screen.warning


async def test_pastes_held_keys_and_keys_within_the_opening_take_nothing() -> None:
    clock = Manual()
    app, flight = app_of(make.nobody(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t")
        clock.at += 0.2
        await press(pilot, "enter")
        clock.at += 0.4
        for _ in range(30):
            await press(pilot, "enter")
            clock.at += 0.033
        app.post_message(events.Paste("t\r"))
        await settle(pilot)
        assert flight.calls == []


@pytest.mark.parametrize("name", ["observing", "trying"])
async def test_who_takes_no_controls_has_no_dialog_of_them(name: str) -> None:
    app, flight = app_of(make.FRAMES[name]())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t", "enter")
        assert isinstance(app.screen, MainScreen)
        assert flight.calls == []


async def test_both_are_told_when_the_controls_have_changed_hands() -> None:
    app, flight = app_of(make.offered())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        mine = replace(make.MINE, me=make.BOB, holder=make.BOB, watchers=(make.ANA,))
        flight.now = replace(make.offered(), controls=mine)
        app.tick()
        assert app.view.reply == "you have control"
        flight.now = make.watching()
        app.tick()
        assert app.view.reply == "ana@bastion has control; you watch (R still rolls back)"


async def test_losing_them_and_being_offered_them_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    app, flight = app_of(make.soaking())
    rung: list[None] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(None))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        counts = []
        for frame in (make.lost(), make.lost(), make.watching(), make.offered(), make.offered()):
            flight.now = frame
            app.tick()
            counts.append(len(rung))
    assert counts == [1, 1, 1, 2, 2]


def test_a_loss_is_a_banner_and_says_what_still_works() -> None:
    shown = notice.notice(View("x", make.lost()), 200)
    assert shown[0][1] is Tone.ALARM_BANNER
    assert "not renewed for 10 s" in plain(shown)
    assert "rollback (R)" in plain(shown)


def test_a_run_that_nobody_flies_says_so() -> None:
    assert "NOBODY HAS THE CONTROLS (t takes them), no abort trigger acts" in said(make.nobody())
    assert "NOBODY" not in said(replace(make.completed(), controls=make.FREE))


async def test_the_second_person_approves_the_plan_that_their_own_cockpit_shows() -> None:
    frame = make.approving()
    assert frame.next_plan is not None
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert f"p Approve canary-50 (plan {frame.next_plan.hash})" in bar(frame)
        await press(pilot, "p")
        assert isinstance(app.screen, ApproveDialog)
        words = "\n".join(plain(row) for row in (*app.screen.head(), *app.screen.foot()))
        assert frame.next_plan.hash in words
        assert "nothing moves by" in words
        await press(pilot, "5", "enter")
        assert flight.calls == []
        assert "50% is asked for" in app.screen.warning
        await press(pilot, "0", "enter")
        assert flight.calls == [("approve", frame.next_plan.hash)]
        assert "ana@bastion promotes" in app.view.reply


def test_who_flies_sees_whom_they_wait_for_and_who_has_approved() -> None:
    waiting, done = make.two_person(), make.approved()
    assert waiting.next_plan is not None
    assert f"approves plan {waiting.next_plan.hash}" in said(waiting)
    assert "bob@laptop approved plan" in said(replace(done, promote=waiting.promote))
    assert "p Promote to canary-50" in bar(done)


def test_a_rehearsal_says_how_to_become_the_second_person_until_somebody_is_there() -> None:
    frame = make.two_person()
    frame = replace(frame, identity=replace(frame.identity, rehearsal="clean", second_seat="sh /tmp/world/second"))
    alone = replace(frame, controls=replace(frame.controls, watchers=()))
    assert "in another terminal `sh /tmp/world/second` opens their cockpit (rehearsal-second): p there" in said(alone)
    assert "p in their own cockpit approves plan" in said(frame)


def test_an_approval_of_another_plan_is_none() -> None:
    frame = make.approved()
    word = frame.controls.approval
    assert word is not None
    other = replace(frame, controls=replace(frame.controls, approval=replace(word, plan_hash="0" * 12)))
    assert "it is" in said(replace(other, promote=make.two_person().promote))
    theirs = replace(other, controls=replace(other.controls, standing=Standing.THEIRS, me=make.BOB))
    assert "p Approve" in bar(theirs)


@pytest.mark.parametrize("operator", ["Rita@Host", "a b@x", "ünal@x", "x" * 60, "@", ""])
async def test_any_holder_can_be_taken_from_by_typing_what_is_asked(operator: str) -> None:
    holder = Cockpit("9", operator)
    app, flight = app_of(make.make(make.at(1), controls=replace(make.THEIRS, holder=holder)))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "t")
        assert isinstance(app.screen, ControlsDialog)
        words = [plain(row) for row in app.screen.foot()]
        asked = next(row for row in words if row.startswith("type ")).split()[1]
        await press(pilot, *asked, "enter")
        assert flight.calls == [("take_controls",)]


def test_what_was_found_of_writes_without_outcome_is_said() -> None:
    assert said(make.reconciled()).startswith(" ▸ picked up with 1 write without outcome: weights: rule …/9683b2d02a6cabee: done")


def test_drift_says_who_and_what_at_80_columns() -> None:
    shown = said(make.drifted(), 80)
    assert "HELD by drift" in shown
    assert "9683b2d02a6cabee" in shown


CLAIMS = ("is done", "was set", "rolled back,", "has been rolled", "is being undone")


@pytest.mark.parametrize("name", ["trying", "tried"])
def test_a_dry_run_claims_no_change(name: str) -> None:
    shown = said(make.FRAMES[name]())
    assert "dry run" in shown.lower()
    assert not any(claim in shown for claim in CLAIMS)
