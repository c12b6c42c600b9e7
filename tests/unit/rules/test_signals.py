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
LONG_AGO = NOW - timedelta(hours=1)


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
    assert (rising.outcome, rising.reason) == (
        Outcome.LOW_SAMPLES,
        "+73.9% against baseline (max +4%) over the newest 3 samples: cannot tell yet",
    )
    risen = judge_gate(DRIFT, seen("latency_p99", Arch.ARM64, series([0.115] * 13 + [0.2] * 7)), PLAYBOOK, SINCE)
    assert (risen.outcome, risen.reason) == (Outcome.FAIL, "+73.9% against baseline (max +4%) over the newest 10 samples")


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


@given(st.lists(st.floats(0.01, 1.0), min_size=5, max_size=30), st.floats(0.01, 1.0))
def test_a_gate_fails_only_above_its_limit_and_passes_only_within_it(values: list[float], base: float) -> None:
    found = snapshot(
        signals={
            **signals(),
            ("latency_p99", Arch.ARM64): series(values),
            ("latency_p99", Arch.AMD64): series([base] * len(values)),
        }
    )
    verdict = judge_gate(DRIFT, found, PLAYBOOK, NOW - timedelta(hours=1))
    if verdict.outcome is Outcome.FAIL:
        assert verdict.numbers["drift"] > 0.04
    elif verdict.passed:
        assert verdict.numbers["drift"] <= 0.04 + 1e-9
        assert verdict.numbers["high"] < 0.08


@given(st.floats(0.01, 10.0), st.floats(0.01, 10.0), st.integers(5, 30))
def test_without_noise_the_limit_alone_decides(here: float, there: float, count: int) -> None:
    both = {("latency_p99", Arch.ARM64): series([here] * count), ("latency_p99", Arch.AMD64): series([there] * count)}
    verdict = judge_gate(DRIFT, snapshot(signals={**signals(), **both}), PLAYBOOK, LONG_AGO)
    if abs(here / there - 1.04) > 1e-9:
        assert verdict.outcome is (Outcome.FAIL if here / there > 1.04 else Outcome.PASS)


BREACH = SignalCheck("latency_p99", max=0.2, for_seconds=120)


def slow(values: list[float]) -> Snapshot:
    return seen("latency_p99", Arch.ARM64, series(values))


def test_an_abort_does_not_fire_on_a_breach_shorter_than_its_time() -> None:
    for bad in (2, 3, 7):
        verdict = judge_abort(BREACH, slow([0.1] * (20 - bad) + [0.5] * bad), PLAYBOOK, LONG_AGO)
        assert verdict.outcome is Outcome.LOW_SAMPLES
        assert f"for {15 * (bad - 1)} of 120 s" in verdict.reason
    assert judge_abort(BREACH, slow([0.1] * 12 + [0.5] * 8), PLAYBOOK, LONG_AGO).outcome is Outcome.FAIL


def test_one_scrape_neither_fires_an_abort_nor_calls_it_off() -> None:
    assert judge_abort(BREACH, slow([0.1] * 19 + [0.5]), PLAYBOOK, LONG_AGO).passed
    for good in range(11, 20):
        once = [0.1] * 10 + [0.1 if i == good else 0.5 for i in range(10, 20)]
        assert judge_abort(BREACH, slow(once), PLAYBOOK, LONG_AGO).outcome is Outcome.FAIL
    twice = [0.1] * 8 + [0.5] * 6 + [0.1] * 2 + [0.5] * 4
    assert judge_abort(BREACH, slow(twice), PLAYBOOK, LONG_AGO).outcome is Outcome.LOW_SAMPLES


def test_a_drift_must_last_beside_the_baseline_of_its_own_time() -> None:
    check = replace(BREACH, max=None, max_drift=0.1)
    canary = [0.1] * 10 + [0.15] * 10
    for baseline, outcome in (([0.1] * 20, Outcome.FAIL), ([0.1] * 10 + [0.15] * 6 + [0.1] * 4, Outcome.LOW_SAMPLES)):
        both = {("latency_p99", Arch.ARM64): series(canary), ("latency_p99", Arch.AMD64): series(baseline)}
        assert judge_abort(check, snapshot(signals={**signals(), **both}), PLAYBOOK, LONG_AGO).outcome is outcome


def test_what_was_in_a_hole_is_not_known_to_have_been_bad() -> None:
    whole = series([0.5] * 20).samples
    holed = seen("latency_p99", Arch.ARM64, Series((*whole[:12], *whole[-3:])))
    assert judge_abort(BREACH, holed, PLAYBOOK, LONG_AGO).outcome is Outcome.LOW_SAMPLES


def test_an_abort_waits_for_its_own_min_samples() -> None:
    verdict = judge_abort(replace(BREACH, min_samples=21), slow([0.5] * 20), PLAYBOOK, LONG_AGO)
    assert (verdict.outcome, verdict.reason) == (Outcome.LOW_SAMPLES, "20 of 21 samples")


@given(st.lists(st.sampled_from([0.1, 0.5]), min_size=3, max_size=30))
def test_an_abort_fires_only_when_every_rolling_median_of_its_time_is_over(values: list[float]) -> None:
    from statistics import median

    verdict = judge_abort(BREACH, slow(values), PLAYBOOK, LONG_AGO)
    recent = values[-8:]  # 8 samples of 15 s are 2 minutes
    medians = [median(recent[i : i + 3]) for i in range(len(recent) - 2)]
    if verdict.outcome is Outcome.FAIL:
        assert len(recent) == 8
        assert all(m > 0.2 for m in medians)
    elif len(values) >= 10 and all(median(values[-10:][i : i + 3]) > 0.2 for i in range(8)):
        raise AssertionError(verdict)


def test_a_drift_needs_its_samples_on_both_sides() -> None:
    verdict = judge_gate(DRIFT, seen("latency_p99", Arch.AMD64, series([0.115])), PLAYBOOK, SINCE)
    assert (verdict.outcome, verdict.reason) == (Outcome.LOW_SAMPLES, "1 of 4 samples of amd64")


@pytest.mark.parametrize("baseline", [Series(), Series((), "empty vector", error_is_no_data=True), series([0.1])])
def test_a_broken_fixed_limit_needs_no_baseline(baseline: Series) -> None:
    both = SignalCheck("latency_p99", max=0.2, max_drift=0.04, min_samples=4)
    worlds = [{("latency_p99", Arch.ARM64): series([v] * 20), ("latency_p99", Arch.AMD64): baseline} for v in (0.5, 0.1)]
    broken, held = (judge_gate(both, snapshot(signals={**signals(), **w}), PLAYBOOK, SINCE) for w in worlds)
    assert broken.outcome is Outcome.FAIL
    assert broken.reason == "500 ms (max 200 ms)"
    assert not held.passed
    assert held.outcome is not Outcome.FAIL
    fired = judge_abort(replace(both, for_seconds=60), snapshot(signals={**signals(), **worlds[0]}), PLAYBOOK, SINCE)
    assert fired.outcome is Outcome.FAIL


def test_a_fall_of_what_is_better_higher_reads_as_a_fall() -> None:
    signal = replace(PLAYBOOK.signals["requests"], better="higher")
    playbook = replace(PLAYBOOK, signals={**PLAYBOOK.signals, "requests": signal})
    found = {**signals(), ("requests", Arch.ARM64): series([50.0] * 20), ("requests", Arch.AMD64): series([100.0] * 20)}
    verdict = judge_gate(SignalCheck("requests", max_drift=0.04), snapshot(signals=found), playbook, SINCE)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAIL, "-50.0% against baseline (max -4%)")
    assert verdict.numbers["drift"] == pytest.approx(-0.5)
