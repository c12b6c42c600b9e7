"""Waivers: what they cover, until when, and that an audit is no greener than its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.playbook import Waiver
from cockpit.rules.portability.compose import compose
from cockpit.rules.portability.waivers import apply, covers

DAY = date(2026, 11, 22)
HSM = "image/registry.example.com/legacy/hsm-client"


def waiver(component: str = HSM, days: int = 10, owner: str = "team-hsm") -> Waiver:
    return Waiver(component, "rebuilt, waiting for release 4.2", owner, DAY + timedelta(days))


def row(component: str = f"{HSM}:4.1", mark: Mark = Mark.FIX, layer: Layer = Layer.IMAGE, **changes: object) -> Row:
    return replace(Row(component, layer, mark, "no linux/arm64 build"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("named", "component", "covered"),
    [
        (HSM, f"{HSM}:4.1", True),
        (HSM, f"{HSM}@sha256:{'0' * 64}", True),
        (HSM, f"{HSM}:4.1@sha256:{'0' * 64}", True),
        (f"{HSM}:4.1", f"{HSM}:4.1", True),
        (f"{HSM}:4.1", f"{HSM}:4.2", False),
        (f"{HSM}:4.1", HSM, False),
        (f"{HSM}:4.1", f"{HSM}:4.1@sha256:{'0' * 64}", True),
        (f"{HSM}:4.1", f"{HSM}:4.2@sha256:{'0' * 64}", False),
        (f"{HSM}:4.1", f"{HSM}@sha256:{'0' * 64}", False),
        (f"{HSM}:4.1@sha256:{'0' * 64}", f"{HSM}:4.1", False),
        (f"{HSM}:4.1@sha256:{'0' * 64}", f"{HSM}:4.1@sha256:{'1' * 64}", False),
        ("image/nginx:1.29", f"image/docker.io/library/nginx:1.29@sha256:{'0' * 64}", True),
        (HSM, f"{HSM}-other:1", False),
        (HSM, "image/registry.example.com/legacy:1", False),
        ("image/registry.example.com:5000/x", "image/registry.example.com:5000/x:1", True),
        ("image/nginx", "image/docker.io/library/nginx:1.29", True),
        ("image/nginx:1.29", "image/docker.io/library/nginx:1.29", True),
        ("agent/security/edr", "agent/security/edr", True),
        ("agent/security", "agent/security/edr", False),
        ("library/registry.example.com/x", "library/registry.example.com/x:1", False),
        ("image/NOT VALID", "image/ALSO NOT", False),
    ],
)
def test_what_a_waiver_covers(named: str, component: str, covered: bool) -> None:
    assert covers(waiver(named), component) is covered


def test_it_counts_through_its_last_day_and_an_expired_one_leaves_the_row_red_and_says_so() -> None:
    for days, mark in ((1, Mark.WAIVED), (0, Mark.WAIVED), (-1, Mark.FIX)):
        (found,), notes = apply([row()], [waiver(days=days)], DAY)
        assert found.mark is mark and found.waiver == waiver(days=days) and not notes
        assert ("expired on 2026-11-21" in found.status) is (days < 0)


def test_of_several_the_one_that_still_counts_then_the_exact_one() -> None:
    exact, wide, old = waiver(f"{HSM}:4.1", 5, "exact"), waiver(days=9, owner="wide"), waiver(f"{HSM}:4.1", -3, "old")
    (found,), _ = apply([row()], [old, wide, exact], DAY)
    assert found.waiver == exact
    (found,), _ = apply([row()], [old, wide], DAY)
    assert found.waiver == wide and found.mark is Mark.WAIVED


def test_one_that_nobody_needs_is_told_with_the_reason() -> None:
    rows, notes = apply([row(mark=Mark.PASS), row("agent/a/b", Mark.GATE, Layer.AGENT)], [waiver(), waiver("agent/x/y")], DAY)
    assert [r.mark for r in rows] == [Mark.PASS, Mark.GATE] and rows[0].waiver is None
    assert len(notes) == 2 and "passes without" in notes[0] and "no such component" in notes[1]


MARKS = st.sampled_from([m for m in Mark if m is not Mark.WAIVED])
ROWS = st.lists(st.builds(row, st.sampled_from([f"{HSM}:{n}" for n in range(4)]), MARKS), max_size=8)
WAIVERS = st.lists(
    st.builds(waiver, st.sampled_from([HSM, f"{HSM}:1", f"{HSM}:2", "image/other"]), st.integers(-2, 2)), max_size=4
)


@given(ROWS, WAIVERS)
def test_nothing_red_is_lost_and_nothing_is_waived_without_a_waiver_that_counts(rows: list[Row], waivers: list[Waiver]) -> None:
    audit = compose(rows, waivers, DAY)
    worst = {r.component: max(x.mark.red for x in rows if x.component == r.component) for r in rows}
    assert sorted(r.component for r in audit.rows) == sorted(worst)
    for found in audit.rows:
        counts = any(covers(w, found.component) and w.expires >= DAY for w in waivers)
        assert found.mark.red is (worst[found.component] and not counts)
        assert (found.mark is Mark.WAIVED) is (worst[found.component] and counts)
    assert audit.clear is (bool(audit.rows) and not any(r.mark.red for r in audit.rows))
    assert not compose(rows, waivers, DAY, ["the cluster"]).clear


def test_rows_of_one_component_become_one_and_the_worst_come_first() -> None:
    one = row(used_by=("deployment/a/x",), mark=Mark.PASS, notes=("old",))
    two = row(used_by=("deployment/a/y",), owner="team")
    gate = row("agent/a/b", Mark.GATE, Layer.AGENT)
    audit = compose([gate, one, two, row("image/z:1", Mark.PASS)], [], DAY)
    assert [r.component for r in audit.rows] == [f"{HSM}:4.1", "agent/a/b", "image/z:1"]
    merged = audit.rows[0]
    assert (merged.used_by, merged.owner, merged.notes) == (("deployment/a/x", "deployment/a/y"), "team", ("old",))
