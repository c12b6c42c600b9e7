"""The rows and words of every panel, without an app."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import Arch
from cockpit.model.event import EventType
from cockpit.model.series import Series
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run.frame import Frame, Judged
from cockpit.run.machine import Permit
from cockpit.run.state import Stage
from screens.actions import ACTIONS, BY_ID
from screens.present import asking, header, keys, notice, plan
from screens.present.alerts import rings
from screens.present.detail import detail_rows
from screens.present.events import log_rows
from screens.present.panels import PANELS, boxed, content, ruled
from screens.present.view import View
from screens.present.words import Line, Tone, plain, width
from tests.screens import factories as make
from tests.screens import world

SIZES = [(80, 24), (120, 40)]


def view(name: str, **more: object) -> View:
    return replace(View("payments-api", make.FRAMES[name]()), **more)  # type: ignore[arg-type]


def text(rows: list[Line]) -> str:
    return "\n".join(plain(row) for row in rows)


def panel(number: int, name: str, cells: int = 56, height: int = 10) -> str:
    return text(content(PANELS[number - 1], view(name), cells, height))


@pytest.mark.parametrize("name", sorted(make.FRAMES))
@pytest.mark.parametrize("cells", [76, 80, 100, 120])
def test_nothing_is_wider_than_its_place(name: str, cells: int) -> None:
    shown = view(name)
    rows = [header.rail(shown, cells), notice.notice(shown, cells), *keys.key_bar(shown, cells), header.where(shown, cells - 36)]
    for of in PANELS:
        rows += [*boxed(of, shown, cells // 2, 12, False), *ruled(of, shown, cells, 3, True)]
    assert all(width(row) <= cells for row in rows)


@pytest.mark.parametrize("name", sorted(make.FRAMES))
@pytest.mark.parametrize("of", PANELS, ids=lambda p: p.title)
@pytest.mark.parametrize("height", [1, 2, 3, 5, 10])
def test_a_panel_has_no_more_rows_than_its_height(name: str, of: object, height: int) -> None:
    assert isinstance(of, type(PANELS[0]))
    assert 1 <= len(content(of, view(name), 74, height)) <= height


@pytest.mark.parametrize("name", sorted(set(make.FRAMES) - {"unsynced"}))
def test_at_80_columns_target_phase_verdicts_and_keys_are_whole(name: str) -> None:
    shown = view(name)
    assert "payments-api │ prod-eks / payments" in plain(header.where(shown, 80 - width(header.clock(shown))))
    assert "…" not in plain(header.rail(shown, 80))
    bar = text(keys.key_bar(shown, 80))
    for key in ("p ", "space ", "R Roll back", "d Plan", "l Log", "? Help"):
        assert key in bar
    assert "…" not in bar
    assert shown.frame is not None
    gates = panel(5, name, 76, 3)
    assert all(v.gate in gates for v in shown.frame.gates)


def test_unsynced_figures_are_unknown_and_never_zero() -> None:
    for number in (1, 2, 3, 4):
        for height in (2, 10):
            shown = panel(number, "unsynced", 76, height)
            assert "…" in shown
            assert not re.search(r"(?<![\d.])0(?![\d.])", shown), shown


def test_a_stale_source_says_its_age_on_its_panels_and_in_the_header() -> None:
    shown = view("stale")
    assert plain(header.clock(shown)).endswith("! STALE metrics 75 s ")
    for number in (2, 3):
        top = plain(boxed(PANELS[number - 1], shown, 60, 12, False)[0])
        assert "! metrics stale 75 s" in top
    assert "stale" not in plain(boxed(PANELS[0], shown, 60, 12, False)[0])


def test_a_source_that_cannot_be_asked_says_why() -> None:
    assert "connection refused" in plain(notice.notice(view("down"), 80))
    assert "✗ FAULT metrics" in plain(header.clock(view("down")))


def test_nodes_show_counts_pods_and_the_way_back() -> None:
    shown = panel(1, "soaking")
    assert re.search(r"amd64 +14 .* 61% +30", shown)
    assert re.search(r"arm64 +6 .* 48% +10", shown)
    assert "✓ room for 84 on amd64" in shown


def test_pending_pods_are_named_beside_the_nodes() -> None:
    for height in (2, 10):
        assert "2 pods Pending" in panel(1, "placing", 76, height)


def test_traffic_keeps_its_three_layers_apart() -> None:
    shown = panel(2, "soaking")
    assert re.search(r"intended +25%", shown)
    assert re.search(r"configured +25% +✓ proven", shown)
    assert re.search(r"observed +25.0% ±0.\d", shown)


@pytest.mark.parametrize("arch", list(Arch))
def test_a_share_of_which_one_side_is_not_scraped_is_unknown(arch: Arch) -> None:
    frame = make.FRAMES["soaking"]()
    found = frame.snapshot.signals
    unscraped = replace(frame.snapshot, signals={**found, ("requests", arch): Series((), "empty vector", error_is_no_data=True)})
    shown = View("payments-api", make.make(frame.state, unscraped))
    for height in (2, 10):
        rows = text(content(PANELS[1], shown, 76, height))
        assert re.search(r"observed +…", rows)
        assert "req/s" not in rows


def test_a_drift_of_what_is_better_higher_is_bad_when_it_falls() -> None:
    frame = make.FRAMES["held"]()
    p99 = replace(frame.playbook.signals["latency_p99"], better="higher")
    playbook = replace(frame.playbook, signals={**frame.playbook.signals, "latency_p99": p99})
    rows = content(PANELS[2], View("payments-api", replace(frame, playbook=playbook)), 56, 10)
    drift = next(row for row in rows if plain(row).startswith("drift"))
    assert "abort -10%" in plain(drift)
    assert Tone.ALARM not in {tone for _, tone in drift}


def test_an_unproven_share_says_what_is_missing() -> None:
    shown = panel(2, "setting")
    assert "… unproven yet" in shown
    assert "rule still at 25%" in shown


def test_an_affinity_phase_shows_its_placement() -> None:
    for height in (2, 10):
        shown = panel(2, "placing", 76, height)
        assert "required arm64" in shown
        assert "22 of 30 pods on arm64" in shown


@pytest.mark.parametrize(("name", "tone"), [("soaking", Tone.STRONG), ("held", Tone.ALARM)])
def test_drift_stands_beside_its_limits_in_the_tone_of_what_it_breaks(name: str, tone: Tone) -> None:
    rows = content(PANELS[2], view(name), 56, 10)
    drift = next(row for row in rows if plain(row).startswith("drift"))
    assert "limit +4%" in plain(drift)
    assert "abort +10%" in plain(drift)
    assert tone in {t for words, t in drift if "%" in words and "limit" not in words}


def test_a_sick_agent_comes_first_with_its_node_and_reason() -> None:
    for height in (2, 10):
        first = panel(4, "soaking", 76, height).splitlines()[0]
        assert re.match(r"fluent-bit +5/6 +! ip-10-0-2-10: not ready", first)


def test_verdicts_are_glyph_and_word() -> None:
    shown = panel(5, "down")
    assert "? latency_p99 drift" in shown
    assert "no data" in shown
    assert "✗ agents ready" in panel(5, "soaking")


def test_a_firing_abort_trigger_is_named() -> None:
    for height in (3, 10):
        assert "✗ ABORT latency_p99 drift" in panel(5, "held", 76, height)


def test_events_are_newest_first_with_the_clusters_warnings() -> None:
    rows = panel(6, "soaking", 76).splitlines()
    assert "fluent-bit-x7k2: Unhealthy" in rows[0]
    assert [row[:8] for row in rows] == sorted((row[:8] for row in rows), reverse=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ready", "p sets the first phase"),
        ("promotable", "p promotes to canary-50"),
        ("last_promotable", "p completes the run"),
        ("held", "HELD by abort: latency_p99"),
        ("rolling_back", "rolling back: ModifyRule throttled"),
        ("rolled_back", "ROLLED BACK"),
        ("completed", "COMPLETED"),
        ("setting", "setting canary-50"),
        ("placing", "2 pods Pending"),
    ],
)
def test_the_notice_says_the_most_urgent_thing(name: str, words: str) -> None:
    assert words in plain(notice.notice(view(name), 80))


def test_a_reply_to_a_key_comes_before_everything_else() -> None:
    assert "because" in plain(notice.notice(view("held", reply="because"), 80))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("promotable", "✓ canary-5 ── ● canary-25 soaked 15:00/15:00 ── ○ canary-50"),
        ("soaking", "✓ canary-5 ── ● canary-25 ✗ blocked 7:41/15:00 ── ○ canary-50"),
        ("held", "● canary-25 ‖ HELD 7:41/15:00"),
        ("rolling_back", "● canary-25 ↩ rolling back"),
        ("completed", "✓ require-arm64   ✓ COMPLETED"),
        ("rolled_back", "↩ ROLLED BACK"),
        ("setting", "● canary-50 setting"),
    ],
)
def test_the_rail_shows_where_the_run_stands(name: str, words: str) -> None:
    assert words in plain(header.rail(view(name), 120))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("soaking", "p Promote (waiting: soak 7:19, agents ready)"),
        ("promotable", "p Promote to canary-50 (50%)"),
        ("last_promotable", "p Complete the run"),
        ("held", "space Resume"),
        ("rolling_back", "R Roll back (under way)"),
        ("unsynced", "R Roll back (readiness unknown"),
        ("unsynced", "p Promote (waiting: rollback ready)"),
        ("completed", "p Promote (the run has completed)"),
    ],
)
def test_the_key_bar_says_what_each_key_will_do(name: str, words: str) -> None:
    assert words in text(keys.key_bar(view(name), 120))


def test_keys_that_cannot_act_are_dim() -> None:
    row = keys.key_bar(view("soaking"), 120)[0]
    tones = {tone for words, tone in row if "Promote" in words}
    assert tones == {Tone.DIM}


def test_normal_is_grey() -> None:
    shown = view("ready")
    for of in PANELS:
        tones = {tone for row in boxed(of, shown, 60, 12, False) for _, tone in row}
        assert tones <= {Tone.PLAIN, Tone.DIM, Tone.STRONG, Tone.RULE}


def test_a_small_terminal_is_told_its_size_and_that_the_keys_are_disarmed() -> None:
    shown = text(header.too_small(view("held", size=(60, 20)), 60))
    assert "60x20 is too small" in shown
    assert "disarmed" in shown
    assert "HELD" in shown


def test_help_holds_every_action_and_why_it_cannot_act() -> None:
    shown = text(keys.help_rows(view("soaking"), 100))
    for action in ACTIONS:
        assert (action.can(view("soaking")).label or action.label) in shown
    assert "not now: soak 7:19, agents ready" in shown


def test_help_says_why_there_are_no_controls_to_take() -> None:
    assert "not now: observing only" in text(keys.help_rows(view("observing"), 100))
    assert "not now: a dry run takes no controls" in text(keys.help_rows(view("trying"), 100))


def test_action_keys_are_unique() -> None:
    assert len({a.key for a in ACTIONS}) == len(ACTIONS) == len(BY_ID)


def test_the_plan_is_a_diff_of_both_ways() -> None:
    frame = make.promotable()
    shown = text(plan.plan_screen(frame, 80))
    assert re.search(r"Next: canary-50 .*Rollback", shown, re.S)
    assert "- arm64: 25" in shown
    assert "+ arm64: 50" in shown
    assert "+ arm64: 0" in shown


def test_a_plan_that_cannot_be_made_says_why() -> None:
    assert "the rules have not been read yet" in text(plan.plan_screen(make.unsynced(), 80))


def test_nested_values_are_diffed_as_manifests() -> None:
    shown = text(plan.changes(make.WRITE_AFFINITY))
    assert "- affinity: (none)" in shown
    assert "- key: kubernetes.io/arch" in shown


@pytest.mark.parametrize("typed", ["50", "50%"])
def test_the_share_may_be_typed_with_its_unit(typed: str) -> None:
    assert asking.matches(asking.asked(make.promotable()), typed)


@pytest.mark.parametrize("typed", ["", "5", "500", "25", "50 ", "complete", "canary-50"])
def test_anything_else_does_not_match(typed: str) -> None:
    assert not asking.matches(asking.asked(make.promotable()), typed)


@pytest.mark.parametrize("name", sorted(make.FRAMES))
@pytest.mark.parametrize("number", range(1, 7))
def test_every_panel_has_a_detail_in_every_state(name: str, number: int) -> None:
    assert [plain(row) for row in detail_rows(number, make.FRAMES[name](), 116)]


def test_details_name_what_the_panels_only_count() -> None:
    assert "6 Insufficient cpu" in text(list(detail_rows(1, make.placing(), 200)))
    assert "9683b2d02a6cabee" in text(list(detail_rows(2, make.soaking(), 116)))
    assert "ip-10-0-2-10" in text(list(detail_rows(4, make.soaking(), 116)))
    assert "max_drift 0.04" in text(list(detail_rows(5, make.soaking(), 116)))


@pytest.mark.parametrize("freshness", [Freshness.STALE, Freshness.FAULT])
def test_a_detail_says_what_is_wrong_with_its_source(freshness: Freshness) -> None:
    frame = make.make(make.at(1), make.troubled(freshness, 75.0, SourceName.NODES))
    assert "nodes" in plain(detail_rows(1, frame, 116)[0])


def test_a_failed_run_says_why() -> None:
    frame = make.make(make.at(1, Stage.FAILED, error="affinity: 403"))
    assert "FAILED: affinity: 403" in plain(notice.notice(View("x", frame), 80))


def test_a_waiting_gate_is_named_without_its_outcome_in_the_key_bar() -> None:
    assert "p Promote (waiting: soak 7:19, latency_p99 drift, error_rate, share)" in text(keys.key_bar(view("down"), 120))


@pytest.mark.parametrize("cells", [76, 116])
def test_the_log_holds_messages_whole_with_who(cells: int) -> None:
    message = "a message of many words that goes on and on " * 4
    rows = log_rows(make.event(1, EventType.WRITE_INTENDED, message), cells)
    assert all(width(row) <= cells for row in rows)
    assert "ana@bastion" in text(rows)
    assert " ".join(text(rows).split()).endswith(" ".join(message.split()[-3:]))


def test_the_log_names_what_held_a_run_where_that_was_no_person() -> None:
    assert plain(log_rows(make.event(1, EventType.HELD, "held", by="abort"), 116)[0])[10:].startswith("abort ")


def cordoned(stage: Stage = Stage.SOAKING) -> Frame:
    """Every amd64 node is cordoned while canary-25 soaks."""
    base = make.promotable().snapshot
    nodes = {k: replace(n, unschedulable=n.arch == Arch.AMD64) for k, n in base.nodes.items()}
    return make.make(make.at(1, stage), replace(base, nodes=nodes))


def shown_in(frame: Frame, cells: int = 80) -> str:
    return plain(notice.notice(View("payments-api", frame), cells))


def test_a_way_back_that_is_gone_comes_before_all_that_the_run_does() -> None:
    frame = cordoned()
    assert shown_in(frame).startswith(" ✗ THE WAY BACK IS NOT READY: 14 of 14 amd64 nodes cordoned")
    low = text(content(PANELS[0], View("x", frame), 76, 2))
    assert "amd64 14 ready, all cordoned" in low
    assert "R Roll back (NOT ready)" in text(keys.key_bar(View("x", frame), 120))
    assert rings(make.promotable(), frame)
    assert not rings(frame, frame)


def test_a_gate_that_fails_blocks_and_one_that_cannot_tell_waits() -> None:
    assert "blocked by agents ready: fluent-bit" in shown_in(make.soaking(), 120)
    assert "✗ blocked 7:41/15:00" in plain(header.rail(view("soaking"), 120))
    few = replace(make.promotable(), gates=(Verdict("share", Outcome.LOW_SAMPLES, "settling"),))
    few = replace(few, promote=Permit(False, ("share",)))
    assert "cannot tell yet: share" in shown_in(few)
    assert "yet" not in shown_in(replace(few, gates=(Verdict("errors", Outcome.NO_DATA, "no series"),)))


BREACH = Verdict(
    "latency_p99 drift",
    Outcome.LOW_SAMPLES,
    "+25.2% against baseline (max +10%), for 75 of 120 s",
    {"n": 3, "lasted": 75.0, "for_seconds": 120.0},
)


def test_an_abort_trigger_under_way_is_a_breach_and_says_what_follows() -> None:
    frame = replace(make.promotable(), aborts=(BREACH,))
    assert "latency_p99 drift beyond the abort limit for 75 of 120 s, then" in shown_in(frame)
    for height in (3, 10):
        assert "BREACHING 75/120 s, then" in text(content(PANELS[4], View("x", frame), 76, height))
    assert "few samples" not in text(list(detail_rows(5, frame, 76)))


def test_failing_verdicts_come_first_and_the_first_page_holds_their_reasons() -> None:
    frame = make.soaking()
    rows = [plain(row) for row in detail_rows(5, frame, 76)]
    states = [row.split()[0] for row in rows if row[2:3] in ("✗", "✓", "?", "!", "…")]
    gate_states = states[: len(frame.gates)]
    assert gate_states == sorted(gate_states, key="✗!?…✓".index)
    assert "fluent-bit" in "\n".join(rows[:6])
    first_query = next(n for n, row in enumerate(rows) if row.strip().startswith("query "))
    assert first_query > max(n for n, row in enumerate(rows) if row[2:3] in ("✗", "✓", "?"))


def gone_back() -> Frame:
    """Rolled back three minutes ago on a failing gate, an emulated image known."""
    when = world.NOW.replace(hour=2, minute=5, second=21)
    judged = Judged(when, make.held().gates, make.held().aborts, ("Emulated",))
    state = replace(make.at(1, Stage.ROLLED_BACK, error="latency_p99 drift: +197%"), stage_at=world.NOW - timedelta(minutes=4))
    return replace(make.make(state, world.snapshot(0)), judged=judged)


def test_a_rolled_back_run_keeps_why_and_names_the_cause() -> None:
    frame = gone_back()
    drained = replace(frame, traffic=replace(frame.traffic, observed=0.0))
    assert "ROLLED BACK: configured as before; likely cause: Emulated (m)" in shown_in(drained)
    top = plain(boxed(PANELS[4], View("x", frame), 60, 12, False)[0])
    assert "Gates, as judged at 02:05:21" in top
    assert "✗ ABORT latency_p99 drift" in text(content(PANELS[4], View("x", frame), 76, 3))
    assert "✗ FAIL" in text(list(detail_rows(5, frame, 76)))
    assert "the run has ended" in plain(header.rail(View("x", frame), 80))
    assert "next" not in plain(header.rail(View("x", frame), 80))


def test_what_did_not_come_back_is_said_before_rolled_back() -> None:
    frame = gone_back()
    still = replace(frame, traffic=replace(frame.traffic, observed=1.0))
    assert "WEIGHTS BACK, TRAFFIC NOT: 100% still on arm64" in shown_in(still)
    assert "NOT BACK" in plain(header.rail(View("x", still), 120))
    just_now = replace(still, state=replace(still.state, stage_at=still.snapshot.time))
    assert "ROLLED BACK, 100% still on arm64 (settling); likely cause: Emulated (m)" in shown_in(just_now)
    amd64 = replace(still.nodes.archs[Arch.AMD64], pods_ready=0)
    empty = replace(still, nodes=replace(still.nodes, archs={**still.nodes.archs, Arch.AMD64: amd64}))
    assert "100% still on arm64, 0 pods ready on amd64" in shown_in(empty)


def test_a_state_never_runs_into_the_figure_beside_it() -> None:
    base = make.promotable()
    nodes = {k: replace(n, control_plane=True) for k, n in base.snapshot.nodes.items()}
    rows = text(list(detail_rows(1, make.make(base.state, replace(base.snapshot, nodes=nodes)), 116)))
    assert "control plane  cpu" in rows
