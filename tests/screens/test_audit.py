"""The audit on the screens: what a tired person reads before the first phase, and what the keys do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from textual.pilot import Pilot

from cockpit.model.audit import Mark, Progress
from cockpit.model.auditing import NOT_AUDITED, Auditing
from cockpit.model.playbook import Portability
from cockpit.model.snapshot import Freshness, SourceName, SourceState
from cockpit.run.assess import judge
from cockpit.run.crew import Crew
from cockpit.run.frame import Frame
from cockpit.run.machine import permit
from screens.app import CockpitApp
from screens.audit import AuditScreen
from screens.present import audit
from screens.present.view import View
from screens.present.words import Line, plain, width
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines
from tests.audits import CLEAR, NOW, VETOED, audited, row, waived
from tests.screens import factories as make
from tests.screens.fakes import FakeFlight, app_of
from tests.screens.world import PLAYBOOK

NARROW, BROAD = (80, 24), (120, 40)
GATED = replace(PLAYBOOK, portability=Portability("waived_ok"))
UNDER_WAY = Auditing(progress=Progress(12, 40, "image registry.example.com/payments/payments-api:2.14.0"))
MANY = audited(*VETOED, *(row(name=f"payments/part-{n}:1") for n in range(40)))


def frame(auditing: Auditing, base: Frame | None = None) -> Frame:
    """A run of a gated playbook, judged by its own rules, which is not begun unless `base` is."""
    shown = base or make.ready()
    sources = {**shown.snapshot.sources, SourceName.PORTABILITY: SourceState(Freshness.LIVE, 1.0)}
    seen = replace(shown.snapshot, auditing=auditing, sources=sources)
    if base is not None:
        return replace(shown, playbook=GATED, snapshot=seen)
    gates = judge(Crew(GATED), seen, shown.state).gates
    allowed = permit(shown.state, GATED, gates, "", shown.readiness.verdict)
    return replace(shown, playbook=GATED, snapshot=seen, gates=gates, promote=allowed)


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def opened(pilot: Pilot[int]) -> None:
    await pilot.pause()
    await press(pilot, "A")
    await pilot.pause()


def shown(app: CockpitApp) -> list[str]:
    """The rows of the list that are in sight without scrolling."""
    browse = app.screen.query_one(Browse)
    top = browse.scroll_offset.y
    return [plain(line) for line in browse.lines[top : top + browse.size.height]]


def text_of(app: CockpitApp) -> str:
    return "\n".join(plain(line) for bar in app.screen.query(Lines) for line in bar.lines)


def marked(rows: list[str]) -> str:
    return next(text for text in rows if text.startswith("▸"))


async def test_p_is_refused_with_the_component_that_is_in_the_way() -> None:
    app, flight = app_of(frame(audited(*VETOED)))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = text_of(app)
        assert "not portable (A shows it): FIX image/…/edr/sensor:7.16.2 (1 of 5 red)" in text
        assert "p Promote (waiting: portability)" in text
        assert "✗ portability FAIL" in text
        assert "A Audit!" in text and "q Quit" in text
        await press(pilot, "p")
        assert app.view.reply.startswith("Promote (p) cannot act now: portability: FIX image/…/edr/sensor:7.16.2")
        assert flight.calls == []


async def test_the_main_screen_says_how_far_the_audit_is() -> None:
    app, _ = app_of(frame(UNDER_WAY))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = text_of(app)
        assert "A Audit" in text
        assert "… portability no data (A): auditing, 12 of 40" in text


async def test_once_the_run_has_begun_red_is_shown_and_p_does_not_wait_for_it() -> None:
    app, _ = app_of(frame(audited(*VETOED), make.promotable()))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = text_of(app)
        assert "A Audit!" in text and "not portable" not in text
        assert "p Promote to canary-50" in text


async def test_a_playbook_that_asks_for_no_audit_has_none_in_its_key_bar_and_still_can() -> None:
    app, flight = app_of(make.ready())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert "Audit" not in text_of(app)
        await opened(pilot)
        assert isinstance(app.screen, AuditScreen)
        assert shown(app)[0] == "nothing has been audited yet: a does it now"
        await press(pilot, "a")
        assert flight.calls == [("audit",)]


async def test_a_opens_it_worst_first_up_and_down_choose_enter_shows_one_whole_and_escape_goes_back() -> None:
    app, _ = app_of(frame(audited(*VETOED)))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        rows = shown(app)
        assert rows[:2] == ["1 FIX, 1 WAIVED, 3 PASS", "audited 90 s ago; the first phase waits until all pass or are waived"]
        assert "✗ FIX" in marked(rows) and "edr/sensor:7.16.2" in marked(rows)
        assert any(text.strip().startswith("to do      build and push it") for text in rows)
        assert any(text.strip() == "owner      team-payments" for text in rows)
        assert any("◇ WAIVED" in text and "waived, 23 days left" in text for text in rows)
        await press(pilot, "down")
        assert "ledger-export" in marked(shown(app))
        assert "waived, 23 days left (until 2026-12-15), by team-ledger: stays on x86" in " ".join("".join(shown(app)).split())
        await press(pilot, "enter")
        assert "image/registry.example.com/payments/ledger-export:1.9.4" in shown(app)[0]
        await press(pilot, "escape")
        assert isinstance(app.screen, AuditScreen) and "ledger-export" in marked(shown(app))
        await press(pilot, "escape")
        assert not isinstance(app.screen, AuditScreen)


async def test_f_shows_only_what_is_red_then_what_is_waived_then_each_layer() -> None:
    app, _ = app_of(frame(audited(*VETOED)))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        counts = []
        for _ in range(6):
            await press(pilot, "f")
            counts.append(
                (text_of(app).split("f show: ")[1].split()[0], sum(" ✓ " in t or "✗ FIX" in t or "◇" in t for t in shown(app)))
            )
        assert counts == [("red", 1), ("waived", 1), ("image", 3), ("agent", 1), ("topology", 1), ("all", 5)]


async def test_what_is_chosen_stays_in_sight_far_down_and_when_a_new_audit_comes() -> None:
    app, flight = app_of(frame(MANY))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await press(pilot, "end")
        assert "part-39" in marked(shown(app))
        assert any("used by" in text for text in shown(app)), "with what is known of it"
        await press(pilot, *["up"] * 5)
        assert "part-34" in marked(shown(app))
        flight.now = frame(audited(*MANY.audit.rows[1:]) if MANY.audit else NOT_AUDITED)
        app.tick()
        await pilot.pause()
        assert "part-34" in "".join(plain(t) for t in app.screen.query_one(Browse).lines if plain(t).startswith("▸"))


async def test_a_asks_for_another_audit_and_says_what_came_of_it() -> None:
    app, flight = app_of(frame(audited(*VETOED)), answer="an audit is under way")
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await press(pilot, "a")
        assert flight.calls == [("audit",)] and ("a", "audit portability again") in flight.keys
        assert app.view.reply == "an audit is under way"


async def test_r_rolls_back_from_the_audit_too() -> None:
    app, flight = app_of(frame(audited(*VETOED)))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await press(pilot, "R", "enter")
        assert flight.calls == [("roll_back",)]


async def test_whoever_sets_the_first_phase_reads_on_whose_waivers() -> None:
    app, _ = app_of(frame(audited(*CLEAR)))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        await press(pilot, "p")
        await pilot.pause()
        assert "waived image/…/payments/ledger-export:1.9.4 by team-ledger" in " ".join(text_of(app).split())


def of(auditing: Auditing, require: str = "waived_ok") -> audit.Picture:
    return audit.Picture(auditing, Portability(require), NOW)  # type: ignore[arg-type]


def said(rows: list[Line]) -> str:
    return "\n".join(plain(text) for text in rows)


@pytest.mark.parametrize("cells", [76, 116])
@pytest.mark.parametrize("auditing", [audited(*VETOED), MANY, UNDER_WAY, NOT_AUDITED, Auditing(why="no route to host")])
def test_every_row_fits_and_every_mark_has_its_word(auditing: Auditing, cells: int) -> None:
    rows = list(audit.overview(of(auditing), 0, audit.ALL, cells))
    assert rows and all(width(text) <= cells for text in rows)


def test_progress_is_a_bar_with_its_figures() -> None:
    text = plain(audit.progress(Progress(12, 40, "image registry.example.com/payments/api"), 76))
    assert text.startswith("◐ auditing  █████···········  12 of 40  image")
    assert plain(audit.progress(Progress(), 76)).split() == ["◐", "auditing", "·" * 16, "begun"]


@pytest.mark.parametrize(
    ("expires", "words"),
    [
        (NOW.date() + timedelta(days=23), "waived, 23 days left"),
        (NOW.date(), "waived, for today only"),
        (date(2099, 12, 31), "waived until 2099-12-31"),
        (NOW.date() - timedelta(days=1), "waiver expired 1 day ago"),
    ],
)
def test_a_waiver_says_how_long_it_holds(expires: date, words: str) -> None:
    picture = of(audited(waived(expires)))
    text = said(list(audit.overview(picture, 0, audit.ALL, 116)))
    assert words in text
    assert ("EXPIRED" in text) is (expires < NOW.date())
    assert bool(picture.shown(audit.RED)) is (expires < NOW.date())


def test_what_could_not_be_looked_at_stands_above_everything() -> None:
    of_faults = of(audited(row(), faults=("Deployments of namespace payments could not be listed: forbidden",)))
    rows = list(audit.overview(of_faults, 0, audit.ALL, 76))
    assert plain(rows[0]).startswith("1 PASS, 1 fault")
    assert plain(rows[2]).startswith("✗ not looked at: Deployments of namespace payments could not be listed")


def test_it_is_in_help_and_in_the_palette_with_what_it_found() -> None:
    from screens.present.keys import help_rows, searched

    view = View(frame=frame(audited(*VETOED)), size=BROAD)
    text = said(help_rows(view, 116))
    assert "A" in text and "Audit" in text and "now: 1 red" in text
    assert [action.id for action in searched("portab")] == ["audit"]


def test_the_fake_answers_as_the_flight_does() -> None:
    assert FakeFlight(answer="why not").audit() == "why not"


def test_marks_of_every_kind_are_drawn() -> None:
    rows = [row(mark, f"x/{mark.lower()}:1") for mark in Mark if mark is not Mark.WAIVED]
    text = said(list(audit.overview(of(audited(*rows)), 0, audit.ALL, 76)))
    for glyph, mark in (("✗", "FIX"), ("?", "UNKNOWN"), ("!", "GATE"), ("✓", "PASS")):
        assert f"{glyph} {mark}" in text
