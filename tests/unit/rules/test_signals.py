from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.playbook import SignalCheck
from cockpit.model.series import Series
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.rules.signals import judge_abort, judge_gate
from tests.factories import NOW, PLAYBOOK, series, signals, snapshot, with_source

DRIFT = SignalCheck("latency_p99", max_drift=0.04, min_samples=4)
CEILING = SignalCheck("error_rate", max=0.001)
ABORT = SignalCheck("latency_p99", max_drift=0.10, for_seconds=60)
SINCE = NOW - timedelta(minutes=5)


def seen(signal: str, arch: Arch, found: Series) -> Snapshot:
    return snapshot(signals={**signals(), (signal, arch): found})


def test_a_small_drift_passes_with_its_numbers() -> None:
    verdict = judge_gate(DRIFT, snapshot(), PLAYBOOK, SINCE)
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["drift"] == pytest.approx(0.118 / 0.115 - 1)
    assert verdict.numbers["n"] == 20


def test_drift_beyond_the_limit_fails_and_says_both_figures() -> None:
    verdict = judge_gate(DRIFT, snapshot(signals=signals(p99=(0.125, 0.115))), PLAYBOOK, SINCE)
    assert verdict.outcome is Outcome.FAIL
    assert "+8.7%" in verdict.reason
    assert "max +4%" in verdict.reason


def test_an_improvement_never_fails() -> None:
    assert judge_gate(DRIFT, snapshot(signals=signals(p99=(0.05, 0.115))), PLAYBOOK, SINCE).passed


def test_one_bad_scrape_is_forgiven_but_a_trend_is_not() -> None:
    calm = [0.115] * 19
    assert judge_gate(DRIFT, seen("latency_p99", Arch.ARM64, series([*calm, 0.2])), PLAYBOOK, SINCE).passed
    rising = judge_gate(DRIFT, seen("latency_p99", Arch.ARM64, series([*calm[:-2], 0.2, 0.2, 0.2])), PLAYBOOK, SINCE)
    assert rising.outcome is Outcome.FAIL


def test_a_ceiling_fails_above_and_passes_at_the_limit() -> None:
    assert judge_gate(CEILING, snapshot(signals=signals(errors=0.001)), PLAYBOOK, SINCE).passed
    assert judge_gate(CEILING, snapshot(signals=signals(errors=0.0011)), PLAYBOOK, SINCE).outcome is Outcome.FAIL


def test_a_floor_fails_below() -> None:
    floor = SignalCheck("requests", min=100)
    assert judge_gate(floor, snapshot(), PLAYBOOK, SINCE).outcome is Outcome.FAIL
    assert judge_gate(floor, snapshot(signals=signals(share=0.2)), PLAYBOOK, SINCE).passed


def test_too_few_samples_are_low_samples() -> None:
    verdict = judge_gate(DRIFT, snapshot(), PLAYBOOK, NOW - timedelta(seconds=30))
    assert (verdict.outcome, verdict.reason) == (Outcome.LOW_SAMPLES, "3 of 4 samples")


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (SourceState(), Outcome.NO_DATA),
        (SourceState(Freshness.STALE, 75.0), Outcome.STALE),
        (SourceState(Freshness.FAULT, 20.0, "connection refused"), Outcome.NO_DATA),
    ],
)
def test_a_source_that_is_not_live_is_never_green_and_never_fails(state: SourceState, outcome: Outcome) -> None:
    blind = with_source(snapshot(signals=signals(p99=(9.0, 0.1))), SourceName.METRICS, state)
    assert judge_gate(DRIFT, blind, PLAYBOOK, SINCE).outcome is outcome
    assert judge_abort(ABORT, blind, PLAYBOOK, SINCE).outcome is outcome


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (Series(), Outcome.NO_DATA),
        (Series(series([0.2] * 20).samples, "empty vector", error_is_no_data=True), Outcome.NO_DATA),
        (Series(series([0.2] * 20).samples, "2 series where one is expected"), Outcome.ERROR),
        (series([0.2] * 20, end=NOW - timedelta(seconds=61)), Outcome.STALE),
    ],
)
@pytest.mark.parametrize("arch", list(Arch))
def test_a_series_without_a_fresh_value_holds(found: Series, outcome: Outcome, arch: Arch) -> None:
    blind = seen("latency_p99", arch, found)
    assert judge_gate(DRIFT, blind, PLAYBOOK, SINCE).outcome is outcome
    assert judge_abort(ABORT, blind, PLAYBOOK, SINCE).outcome is outcome


def test_an_abort_fires_only_when_broken_for_its_whole_time() -> None:
    bad = signals(p99=(0.14, 0.115))
    long = judge_abort(ABORT, snapshot(signals=bad), PLAYBOOK, NOW - timedelta(seconds=90))
    short = judge_abort(ABORT, snapshot(signals=bad), PLAYBOOK, NOW - timedelta(seconds=30))
    assert long.outcome is Outcome.FAIL
    assert short.outcome is Outcome.LOW_SAMPLES
    assert "for 30 of 60 s" in short.reason


def test_an_abort_without_a_time_judges_the_newest_sample() -> None:
    now = replace(ABORT, for_seconds=0.0)
    spiked = seen("latency_p99", Arch.ARM64, series([*[0.115] * 19, 0.2]))
    assert judge_abort(now, spiked, PLAYBOOK, SINCE).outcome is Outcome.FAIL
    assert judge_abort(now, snapshot(), PLAYBOOK, SINCE).passed


def test_a_signal_that_is_better_higher_drifts_downwards() -> None:
    signal = replace(PLAYBOOK.signals["requests"], better="higher")
    playbook = replace(PLAYBOOK, signals={**PLAYBOOK.signals, "requests": signal})
    check = SignalCheck("requests", max_drift=0.5)
    assert judge_gate(check, snapshot(signals=signals(share=0.45)), playbook, SINCE).passed
    assert judge_gate(check, snapshot(signals=signals(share=0.2)), playbook, SINCE).outcome is Outcome.FAIL


@given(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=30), st.floats(0.01, 1.0))
def test_the_gate_fails_exactly_when_a_median_is_over(values: list[float], base: float) -> None:
    from statistics import median

    found = snapshot(
        signals={
            **signals(),
            ("latency_p99", Arch.ARM64): series(values),
            ("latency_p99", Arch.AMD64): series([base] * len(values)),
        }
    )
    verdict = judge_gate(DRIFT, found, PLAYBOOK, NOW - timedelta(hours=1))
    worst = max(median(values), median(values[-3:])) / base - 1
    if abs(worst - 0.04) > 1e-9:
        assert (verdict.outcome is Outcome.FAIL) is (worst > 0.04)
