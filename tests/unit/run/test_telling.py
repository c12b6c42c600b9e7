from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from cockpit.model.playbook import SignalCheck
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.signals import judge_gate
from cockpit.run.telling import verdict_fields
from screens.present.evidence import evidence_rows
from screens.present.words import plain, width
from tests.factories import NOW, PLAYBOOK, snapshot

DRIFT = SignalCheck("latency_p99", max_drift=0.04, min_samples=4)
VERDICT = judge_gate(DRIFT, snapshot(), PLAYBOOK, NOW - timedelta(minutes=5))


def test_a_verdict_tells_the_test_the_interval_and_each_sides_samples_query_and_age() -> None:
    told = json.loads(json.dumps(verdict_fields(VERDICT), allow_nan=False))
    assert (told["gate"], told["verdict"]) == ("latency_p99 drift", "PASS")
    assert {"n", "drift", "max_drift", "canary", "baseline", "age"} <= told["numbers"].keys()
    evidence = told["evidence"]
    assert evidence["exact"] is True
    assert 0 < evidence["p"] < 0.1, "few independent samples: the query names no range"
    assert evidence["interval"] == [evidence["estimate"]] * 2
    side = evidence["sides"]["arm64"]
    assert (side["query"], side["n"], side["age"]) == ('p99{arch="arm64"}', 20, 0.0)
    assert side["values"] == [0.118] * 20


def test_what_json_cannot_say_is_null() -> None:
    odd = Verdict("x", Outcome.NO_DATA, "", {"high": float("inf"), "low": float("nan")})
    assert verdict_fields(odd)["numbers"] == {"high": None, "low": None}


def test_the_evidence_fits_80_columns_and_shows_all_of_the_query() -> None:
    rows = evidence_rows(VERDICT, 78)
    shown = "\n".join(plain(row) for row in rows)
    assert max(width(row) for row in rows) <= 78
    assert "(+2.6%..+2.6% at 90%)" in shown
    assert 'p99{arch="amd64"}' in shown
    assert "20 samples, newest 0 s old" in shown
    assert "Mann-Whitney, exact" in shown


def test_no_chance_is_shown_as_none_at_all() -> None:
    sure = replace(VERDICT, evidence=replace(VERDICT.evidence, p=0.0)) if VERDICT.evidence else VERDICT
    assert "p <0.001 (Mann-Whitney" in "\n".join(plain(row) for row in evidence_rows(sure, 78))
