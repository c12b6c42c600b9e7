"""The gate before the first phase: only a finished audit that is good enough passes, and every reason names what stops it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.audit import Mark, Progress, Row
from cockpit.model.auditing import NOT_AUDITED, Auditing
from cockpit.model.playbook import Portability
from cockpit.model.snapshot import Freshness, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.portability.gate import Colour, colour, gate, short, used
from tests.audits import CLEAR, NOW, SENSOR, TODAY, VETOED, WAIVER, audit, audited, row, waived

LIVE = SourceState(Freshness.LIVE, 1.0)
GREEN, WAIVED = Portability("green"), Portability("waived_ok")


def judged(auditing: Auditing, asked: Portability = WAIVED, source: SourceState = LIVE, today: date = TODAY) -> Verdict:
    found = gate(asked, auditing, source, today)
    assert found is not None
    return found


def test_a_playbook_that_does_not_ask_has_no_gate() -> None:
    assert gate(Portability("off"), audited(*VETOED), LIVE, TODAY) is None


def test_what_passes_passes_and_the_waivers_that_it_rests_on_are_named() -> None:
    found = judged(audited(row()), GREEN)
    assert (found.outcome, found.reason) == (Outcome.PASS, "1 component audited, every one passes")
    found = judged(audited(*CLEAR))
    assert found.passed and found.reason == "4 components audited, 1 of them waived"
    [detail] = found.details
    assert detail == f"{WAIVER.component}: waived by team-ledger until 2026-12-15: stays on x86 until January"


def test_green_takes_no_waiver() -> None:
    found = judged(audited(*CLEAR), GREEN)
    assert found.outcome is Outcome.FAIL
    assert found.reason == "1 component waived, and portability.require is green: image/…/payments/ledger-export:1.9.4"


def test_what_is_red_fails_and_is_named_with_what_to_do() -> None:
    found = judged(audited(*VETOED))
    assert (found.outcome, found.reason) == (Outcome.FAIL, "FIX image/…/edr/sensor:7.16.2 (1 of 5 red)")
    assert found.details[0].startswith(f"FIX {SENSOR.component}: no linux/arm64 build, only linux/amd64; build and push it")
    many = judged(audited(*(row(Mark.GATE, f"x/y:{n}") for n in range(5))))
    assert many.reason == "GATE image/…/x/y:0, GATE image/…/x/y:1 and 3 more (5 of 5 red)"


def test_what_nobody_could_look_at_is_no_data_and_never_passes() -> None:
    assert judged(audited(row(), row(Mark.UNKNOWN, "x/y:1"))).outcome is Outcome.NO_DATA
    assert judged(audited(row(Mark.FIX), row(Mark.UNKNOWN, "x/y:1"))).outcome is Outcome.FAIL
    found = judged(audited(row(), faults=("nodes could not be listed: forbidden",)))
    assert (found.outcome, found.reason) == (Outcome.NO_DATA, "not looked at: nodes could not be listed: forbidden")
    assert judged(audited()).reason == "the audit has found no component at all"


def test_a_waiver_that_runs_out_after_the_audit_is_red_from_the_next_day_on() -> None:
    of = audited(row(), waived(TODAY))
    assert judged(of).passed
    late = judged(of, today=TODAY + timedelta(days=1))
    assert (late.outcome, late.reason) == (Outcome.FAIL, "EXPIRED image/…/payments/ledger-export:1.9.4 (1 of 2 red)")
    assert late.details[1].strip() == "its waiver by team-ledger expired on 2026-11-22"
    assert of.audit is not None
    assert colour(of.audit, TODAY, "waived_ok") is Colour.WAIVED
    assert colour(of.audit, TODAY + timedelta(days=1), "waived_ok") is Colour.RED
    assert colour(of.audit, TODAY, "green") is Colour.RED, "it accepts no waiver"


def test_while_an_audit_is_under_way_the_one_before_counts_and_without_one_nothing_is_known() -> None:
    under_way = Progress(12, 40, "image registry.example.com/payments/api")
    found = judged(Auditing(progress=under_way))
    assert (found.outcome, found.reason) == (
        Outcome.NO_DATA,
        "auditing, 12 of 40: image registry.example.com/payments/api",
    )
    again = judged(replace(audited(*CLEAR), progress=under_way))
    assert again.passed and again.reason.endswith("(being audited again)")
    assert judged(NOT_AUDITED).reason == "it has not been audited here"


def test_a_failed_or_stale_audit_is_no_ground_to_begin_on() -> None:
    failed = judged(replace(audited(*CLEAR), why="no route to host"))
    assert (failed.outcome, failed.reason) == (Outcome.NO_DATA, "the audit failed: no route to host")
    stale = judged(audited(*CLEAR), source=SourceState(Freshness.STALE, 9000.0))
    assert stale.outcome is Outcome.STALE


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ("image/registry.example.com/edr/sensor:7", "image/…/edr/sensor:7"),
        ("image/localhost:5000/edr", "image/…/edr"),
        ("image/library/nginx:1", "image/library/nginx:1"),
        ("agent/security/edr-sensor", "agent/security/edr-sensor"),
        ("topology/cluster", "topology/cluster"),
    ],
)
def test_a_component_is_named_without_its_registry(component: str, words: str) -> None:
    assert short(component) == words


ROWS = st.lists(
    st.one_of(
        st.sampled_from([m for m in Mark if m is not Mark.WAIVED]).map(row),
        st.integers(-400, 400).map(lambda days: waived(TODAY + timedelta(days=days))),
    ),
    max_size=8,
)


@given(ROWS, st.sampled_from(["green", "waived_ok"]), st.booleans(), st.booleans(), st.sampled_from(list(Freshness)))
def test_nothing_red_unknown_or_old_ever_passes(
    rows: list[Row], require: Literal["green", "waived_ok"], fault: bool, failed: bool, freshness: Freshness
) -> None:
    made = audit(*rows, faults=("an area",) if fault else ())
    found = judged(Auditing(made, NOW, why="broke" if failed else ""), Portability(require), SourceState(freshness, 1.0))
    lapsed = any(w.waiver.expires < TODAY for w in used(made))
    good = rows and not fault and not failed and not any(made.red()) and not lapsed
    good = good and freshness in (Freshness.LIVE, Freshness.UNSYNCED) and (require == "waived_ok" or made.green)
    assert found.passed is bool(good)
    assert found.reason
