"""Judging one signal: a ceiling or floor, and the drift of the canary against the concurrent baseline.

A value is taken as the worse of the median over the window and the median of its last three samples: one bad scrape is forgiven,
a trend is not. Missing, stale or erroneous data never fails and never passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, SignalCheck, Unit
from cockpit.model.series import Sample, Series, middle
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind

RECENT = 3
"""Samples whose median must hold besides the whole window's."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The newest picture of a signal on both sides; `drift` is canary / baseline - 1 over the window, None without a baseline."""

    signal: str
    canary: float | None
    baseline: float | None
    drift: float | None
    samples: int


def label(check: SignalCheck) -> str:
    """Short words for a check: `latency_p99 drift`."""
    return f"{check.signal} drift" if check.max_drift is not None else check.signal


def compare(snapshot: Snapshot, playbook: Playbook, signal: str, since: datetime) -> Comparison:
    """Both sides of a signal from `since` on."""
    sides = (playbook.target.to_arch, playbook.target.from_arch)
    canary, baseline = ([s for s in _series(snapshot, signal, a).standing if s.time >= since] for a in sides)
    return Comparison(signal, middle(canary[-RECENT:]), middle(baseline[-RECENT:]), _drift(canary, baseline), len(canary))


def judge_gate(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict of a gate over the samples from `since` on."""
    name = label(check)
    if unknown := _unknown(check, snapshot, playbook, name):
        return unknown
    canary = _series(snapshot, check.signal, playbook.target.to_arch).since(since)
    if len(canary) < max(1, check.min_samples):
        return Verdict(name, Outcome.LOW_SAMPLES, f"{len(canary)} of {max(1, check.min_samples)} samples", {"n": len(canary)})
    baseline = _series(snapshot, check.signal, playbook.target.from_arch).since(since)
    return _limits(check, playbook, name, canary, baseline)


def judge_abort(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict of an abort trigger: FAIL (it fires) when the limit was broken throughout the last `for_seconds`."""
    name = label(check)
    if unknown := _unknown(check, snapshot, playbook, name):
        return unknown
    start = max(since, snapshot.time - timedelta(seconds=check.for_seconds + _every(playbook)))
    canary = _series(snapshot, check.signal, playbook.target.to_arch).since(start)
    baseline = _series(snapshot, check.signal, playbook.target.from_arch).since(start)
    if not check.for_seconds:
        canary, baseline = canary[-1:], baseline[-1:]
    if not canary:
        return Verdict(name, Outcome.LOW_SAMPLES, "no sample yet", {"n": 0})
    verdict = _limits(check, playbook, name, canary, baseline)
    covered = (canary[-1].time - canary[0].time).total_seconds()
    if verdict.outcome is Outcome.FAIL and covered + _every(playbook) < check.for_seconds:
        return Verdict(
            name, Outcome.LOW_SAMPLES, f"{verdict.reason}, for {covered:.0f} of {check.for_seconds:.0f} s", verdict.numbers
        )
    return verdict


def _limits(check: SignalCheck, playbook: Playbook, name: str, canary: Sequence[Sample], baseline: Sequence[Sample]) -> Verdict:
    unit = playbook.signals[check.signal].unit
    broken: list[str] = []
    held: list[str] = []
    numbers: dict[str, float] = {"n": len(canary)}
    for bound, sign in ((check.max, 1.0), (check.min, -1.0)):
        if bound is None:
            continue
        value = sign * _worse([sign * v for v in (_median(canary), _median(canary[-RECENT:]))])
        numbers |= {"value": value, "limit": bound}
        word = "max" if sign > 0 else "min"
        (broken if sign * value > sign * bound else held).append(f"{say(value, unit)} ({word} {say(bound, unit)})")
    if check.max_drift is not None:
        drift = _worst_drift(canary, baseline, playbook.signals[check.signal].better == "higher")
        if drift is None:
            return Verdict(name, Outcome.NO_DATA, f"no {playbook.target.from_arch} baseline to compare with", numbers)
        numbers |= {"drift": drift, "max_drift": check.max_drift, "canary": _median(canary), "baseline": _median(baseline)}
        (broken if drift > check.max_drift else held).append(f"{drift:+.1%} against baseline (max {check.max_drift:+.0%})")
    return Verdict(name, Outcome.FAIL if broken else Outcome.PASS, "; ".join(broken or held), numbers)


def _worst_drift(canary: Sequence[Sample], baseline: Sequence[Sample], higher_is_better: bool) -> float | None:
    drifts = [_drift(canary, baseline), _drift(canary[-RECENT:], baseline[-RECENT:])]
    known = [-d if higher_is_better else d for d in drifts if d is not None]
    return max(known) if len(known) == len(drifts) else None


def _drift(canary: Sequence[Sample], baseline: Sequence[Sample]) -> float | None:
    here, there = middle(canary), middle(baseline)
    return here / there - 1 if here is not None and there else None


def _unknown(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, name: str) -> Verdict | None:
    """Why nothing can be said about the signal, None when its newest samples may be believed."""
    if playbook.prometheus is None or check.signal not in playbook.signals:
        return Verdict(name, Outcome.ERROR, "no source for this signal")
    if fault := blind(snapshot, [SourceName.METRICS], name):
        return fault
    sides = [playbook.target.to_arch] + ([playbook.target.from_arch] if check.max_drift is not None else [])
    for arch in sides:
        series = _series(snapshot, check.signal, arch)
        if series.error:
            return Verdict(name, Outcome.NO_DATA if series.error_is_no_data else Outcome.ERROR, f"{arch}: {series.error}")
        if series.latest is None:
            return Verdict(name, Outcome.NO_DATA, f"{arch}: no sample yet")
        age = (snapshot.time - series.latest.time).total_seconds()
        if age > playbook.prometheus.stale_after:
            return Verdict(name, Outcome.STALE, f"{arch}: newest sample is {age:.0f} s old", {"age": age})
    return None


def _series(snapshot: Snapshot, signal: str, arch: Arch) -> Series:
    return snapshot.signals.get((signal, arch), Series())


def _median(samples: Sequence[Sample]) -> float:
    return middle(samples) or 0.0


def _worse(values: Sequence[float]) -> float:
    return max(values)


def _every(playbook: Playbook) -> float:
    return playbook.prometheus.every if playbook.prometheus else 15.0


def say(value: float, unit: Unit) -> str:
    """A signal's value for people: seconds as milliseconds, ratios as percent."""
    if unit is Unit.SECONDS:
        return f"{value * 1000:.0f} ms" if abs(value) < 10 else f"{value:.1f} s"
    if unit is Unit.RATIO:
        return f"{value:.2%}"
    if unit is Unit.PERCENT:
        return f"{value:.2f}%"
    return f"{value:,.0f} req/s" if unit is Unit.REQUESTS_PER_SECOND else f"{value:,.4g}"
