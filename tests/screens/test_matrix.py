"""The matrix screen on the classifier's own worlds: what a tired person sees at 80x24, and what the keys do."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from cockpit.model.arch import Arch
from cockpit.model.finding import FindingKind
from cockpit.model.snapshot import Freshness, SourceName, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.matrix import Matrix, look
from cockpit.rules.readiness import Readiness
from cockpit.run.frame import Frame
from screens.app import CockpitApp
from screens.matrix import MatrixScreen
from screens.present import matrix
from screens.present.words import plain, width
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines
from tests.screens import factories as make
from tests.screens.fakes import app_of
from tests.unit.rules.matrix.test_words import rolled
from tests.unit.rules.matrix.worlds import Case, cases, playbook

NARROW = (80, 24)
CASES = {case.name: case for case in cases()}


def frame(*names: str) -> Frame:
    """A soaking run in which these symptoms are seen at once."""
    found = [f for name in names for f in look(CASES[name].snapshot, playbook()).findings]
    rows = look(CASES[names[0]].snapshot, playbook()).rows
    return replace(make.soaking(), matrix=Matrix(tuple(found), rows))


async def opened(pilot: Pilot[int], app: CockpitApp) -> list[str]:
    await pilot.pause()
    await pilot.press("m")
    await pilot.pause()
    await pilot.pause()
    return shown(app)


def shown(app: CockpitApp) -> list[str]:
    """The rows of the list that are in sight without scrolling."""
    browse = app.screen.query_one(Browse)
    return [plain(row) for row in browse.lines[: browse.size.height]]


@pytest.mark.parametrize("case", [c for c in CASES.values() if c.expected], ids=lambda c: c.name)
def test_cause_command_and_move_of_the_gravest_fit_on_the_smallest_terminal(case: Case) -> None:
    shown = replace(make.soaking(), matrix=look(case.snapshot, playbook()))
    rows = matrix.overview(shown, 0, NARROW[0] - 2)
    first = look(case.snapshot, playbook()).findings[0]
    text = [plain(row) for row in rows[:16]]
    assert all(width(row) <= NARROW[0] - 2 for row in rows)
    for label in ("seen", "cause", "run", "fix", "safe"):
        assert any(row.startswith(label) for row in text), (label, text)
    said = " ".join(row[matrix.INDENT :].removesuffix(" \\") for row in text)
    assert matrix.command(shown, first).replace(" ", "") in said.replace(" ", "")
    assert first.rollback in said


def test_a_command_that_does_not_fit_is_continued_so_that_it_still_runs() -> None:
    command = "kubectl --context prod -n payments get pods -l 'app=payments api' -o wide | grep -A 6 'Allocated resources'"
    rows = matrix.continued(command, 30)
    assert all(row.endswith(" \\") for row in rows[:-1])
    assert shlex.split(" ".join(row.removesuffix(" \\") for row in rows)) == shlex.split(command)
    assert len(rows) > 3


@given(st.lists(st.text("ab-='\"$ ;{}é", min_size=1, max_size=40), min_size=1, max_size=12), st.integers(10, 120))
def test_no_word_of_a_command_is_ever_lost_or_changed(words: list[str], cells: int) -> None:
    rows = matrix.continued(shlex.join(words), cells)
    assert all(len(row) <= cells for row in rows)
    joined = "\n".join(rows).replace(" \\\n", " ").replace("\n", "")
    assert shlex.split(joined) == words


def test_a_command_of_which_a_word_is_broken_says_which_key_copies_it() -> None:
    def said(name: str, cells: int) -> str:
        shown = replace(make.soaking(), matrix=look(CASES[name].snapshot, playbook()))
        return "\n".join(plain(row) for row in matrix.overview(shown, 0, cells))

    assert "press c to copy it" in said("targets-unhealthy", 78)
    assert "press c to copy it" not in said("targets-unhealthy", 130)
    assert "press c to copy it" not in said("exec-format-log-message", 78)


def test_what_mends_it_stands_below_and_a_way_back_that_is_not_ready_says_why_and_how() -> None:
    seen = rolled("registry.example.com/payments:1.3.9")
    shown = replace(make.soaking(), matrix=look(seen, playbook()))
    text = [plain(row) for row in matrix.overview(shown, 0, 78)]
    assert text[0].startswith("▸✗ Exec format error  likely, Pod/canary-0")
    assert any(row.startswith("fix by kubectl --context prod-eks -n payments rollout undo") for row in text)
    cordoned = {k: replace(n, unschedulable=n.arch is Arch.AMD64) for k, n in seen.nodes.items()}
    red = Readiness(Verdict("rollback ready", Outcome.FAIL, "no amd64 node is ready and schedulable"))
    stuck = replace(
        shown, snapshot=replace(seen, nodes=cordoned), matrix=look(CASES["healthy"].snapshot, playbook()), readiness=red
    )
    text = [plain(row) for row in matrix.overview(stuck, 0, 78)]
    assert "cause  4 of 4 amd64 nodes are cordoned" in text
    assert "fix by kubectl --context prod-eks uncordon -l kubernetes.io/arch=amd64" in text


def test_the_rest_is_listed_quietly_and_what_is_blind_is_named() -> None:
    case = CASES["healthy"]
    dark = replace(case.snapshot, sources={**case.snapshot.sources, SourceName.IMAGES: SourceState(Freshness.UNSYNCED)})
    seen = look(dark, playbook())
    rows = [plain(row) for row in matrix.overview(replace(make.soaking(), matrix=seen), 0, 78)]
    assert matrix.headline(seen) == "nothing found, 3 detectors blind"
    assert rows[0] == "nothing found among what can be seen"
    assert [row.split(":")[0] for row in rows if row.startswith("!")] == [
        "! Exec format error",
        "! No matching manifest",
        "! Emulated",
    ]
    assert "not found: aLB" not in "".join(rows)
    assert any(row.startswith("not found: ") for row in rows)


async def test_m_opens_it_up_and_down_choose_enter_shows_one_whole_and_escape_goes_back() -> None:
    app, _ = app_of(frame("exec-format-log-message", "pending-capacity", "hpa-at-maximum"))
    async with app.run_test(size=NARROW) as pilot:
        rows = await opened(pilot, app)
        assert isinstance(app.screen, MatrixScreen)
        assert rows[0].startswith("▸✗ Exec format error")
        assert any(row.startswith("run    kubectl") for row in rows)
        await pilot.press("down", "down", "down")
        assert next(row for row in shown(app) if row.startswith("▸")).startswith("▸✗ Autoscaler at its maximum")
        await pilot.press("up", "enter")
        assert shown(app)[0].startswith("▸✗ Pending: no room")
        assert any("Pod/payments-api-arm64-6b7-bbbbb" in plain(row) for row in app.screen.query_one(Browse).lines)
        await pilot.press("escape")
        assert isinstance(app.screen, MatrixScreen)
        assert sum("✗" in row for row in shown(app)) == 3
        await pilot.press("escape")
        assert not isinstance(app.screen, MatrixScreen)


async def test_what_was_opened_and_has_gone_makes_room_for_the_list_not_for_another() -> None:
    app, flight = app_of(frame("exec-format-log-message", "pending-capacity"))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot, app)
        await pilot.press("down", "enter")
        flight.now = frame("exec-format-log-message", "hpa-at-maximum")
        app.tick()
        await pilot.pause()
        assert sum("✗" in row for row in shown(app)) == 2


async def test_c_copies_the_whole_command() -> None:
    app, _ = app_of(frame("no-manifest-containerd"))
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot, app)
        await pilot.press("c")
        assert app.clipboard == "docker buildx imagetools inspect registry.example.com/payments/api:1.4.0"


async def test_the_main_screen_says_that_there_are_findings_and_which_key_shows_them() -> None:
    app, _ = app_of(frame("no-manifest-containerd", "hpa-at-maximum"))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = "\n".join(plain(row) for bar in app.screen.query(Lines) for row in bar.lines)
        assert "2 findings (m): No matching manifest" in text
        assert "m Matrix (2 found)" in text


def test_every_kind_has_a_world_in_which_it_is_shown() -> None:
    assert {kind for case in CASES.values() for kind in case.expected} == set(FindingKind)


def test_nothing_found_is_not_said_while_there_is_no_way_back() -> None:
    red = Readiness(Verdict("rollback ready", Outcome.FAIL, "no amd64 node is ready and schedulable"))
    shown = replace(make.soaking(), matrix=look(CASES["healthy"].snapshot, playbook()), readiness=red)
    text = [plain(row) for row in matrix.overview(shown, 0, 78)]
    assert matrix.title(shown) == "the way back is NOT ready"
    assert text[0] == " ! The way back is NOT ready"
    assert "kubectl --context prod-eks get nodes -l kubernetes.io/arch=amd64" in "\n".join(text)
    assert "nothing found" not in text
