"""One order of marks wherever several are said of one component."""

from __future__ import annotations

from itertools import permutations

import pytest

from cockpit.audit.lockfiles.judging import merged
from cockpit.model.audit import WORST_FIRST, Audit, Layer, Mark, Row, worst
from cockpit.rules.portability.aws.verdict import Verdict, together
from cockpit.rules.portability.compose import compose
from tests.unit.audit.reports import DAY, report


def row(mark: Mark, name: str = "a") -> Row:
    return Row(f"dependency/{name}", Layer.DEPENDENCY, mark, "said", used_by=("lock:1",))


def test_every_mark_has_its_place() -> None:
    assert sorted(WORST_FIRST) == sorted(Mark)


@pytest.mark.parametrize(("one", "other"), permutations((m for m in Mark if m is not Mark.WAIVED), 2))
def test_the_same_one_counts_in_a_lockfile_in_aws_and_in_the_whole(one: Mark, other: Mark) -> None:
    counts = worst((one, other))
    assert counts is (one if WORST_FIRST.index(one) < WORST_FIRST.index(other) else other)
    assert merged((row(one), row(other)))[0].mark is counts
    assert together((Verdict(one, "a"), Verdict(other, "b"))).mark is counts
    assert compose((row(one), row(other)), (), DAY).rows[0].mark is counts


def test_rows_stand_in_that_order_in_the_audit_and_in_what_is_printed() -> None:
    rows = tuple(row(mark, mark.lower()) for mark in Mark)
    assert tuple(one.mark for one in report(Audit(rows, DAY)).rows) == WORST_FIRST
    made = compose(rows, (), DAY)
    assert [one.mark for one in made.rows] == list(WORST_FIRST)
