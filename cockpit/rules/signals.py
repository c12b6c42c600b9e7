"""Judging one signal as a gate, over the whole soak, or as an abort trigger, over the time that it must be broken for.

Missing, stale or erroneous data never fails and never passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, Prometheus, SignalCheck
from cockpit.model.series import Sample, Series, middle
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.limits import RECENT, Limits, drift


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
    return Comparison(signal, middle(canary[-RECENT:]), middle(baseline[-RECENT:]), drift(canary, baseline), len(canary))


def judge_gate(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict of a gate over the samples from `since` on; a drift needs `min_samples` of both sides."""
    name, (to, home) = label(check), (playbook.target.to_arch, playbook.target.from_arch)
    if unknown := side_unknown(snapshot, playbook, check.signal, to, name):
        return unknown
    canary, baseline = (_series(snapshot, check.signal, arch).since(since) for arch in (to, home))
    if len(canary) < max(1, check.min_samples):
        return _too_few(name, canary, check.min_samples)
    missing = side_unknown(snapshot, playbook, check.signal, home, name)
    if not missing and len(baseline) < check.min_samples:
        missing = _too_few(name, baseline, check.min_samples, f" of {home}")
    return _limits(check, playbook, name, missing).judge(canary, baseline)


def judge_abort(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict of an abort trigger: FAIL (it fires) when the limit was broken throughout the last `for_seconds`.

    Throughout means by every rolling median of three samples, so that one scrape, good or bad, decides nothing. Without a time
    the newest sample decides.
    """
    name, (to, home) = label(check), (playbook.target.to_arch, playbook.target.from_arch)
    if (prometheus := playbook.prometheus) is None:
        return Verdict(name, Outcome.ERROR, "no source for this signal")
    if unknown := side_unknown(snapshot, playbook, check.signal, to, name):
        return unknown
    canary, baseline = (_series(snapshot, check.signal, arch).since(since) for arch in (to, home))
    width = RECENT if check.for_seconds else 1
    if len(canary) < max(width, check.min_samples):
        return _too_few(name, canary, max(width, check.min_samples))
    limits = _limits(check, playbook, name, side_unknown(snapshot, playbook, check.signal, home, name))
    start = snapshot.time - timedelta(seconds=check.for_seconds + 2 * prometheus.every)
    window = _unbroken([s for s in canary if s.time >= start], prometheus) if check.for_seconds else canary[-1:]
    return _lasting(limits, window, baseline, width, prometheus.every)


def _lasting(limits: Limits, canary: Sequence[Sample], baseline: Sequence[Sample], width: int, every: float) -> Verdict:
    """FAIL only when every rolling judgement of `width` samples fails, back to `for_seconds` ago."""
    if len(canary) < width:
        return _too_few(limits.name, canary, width)

    def judge(samples: Sequence[Sample]) -> Verdict:
        return limits.judge(samples, _beside(baseline, samples, every))

    newest = judge(canary[-width:])
    if newest.outcome is not Outcome.FAIL:
        return newest
    first = len(canary) - width
    while first and judge(canary[first - 1 : first - 1 + width]).outcome is Outcome.FAIL:
        first -= 1
    bad = (s for s in canary[first : first + width] if judge([s]).outcome is Outcome.FAIL)
    lasted = (canary[-1].time - next(bad, canary[first + width - 1]).time).total_seconds()
    if lasted + every >= limits.check.for_seconds:
        return newest
    words = f"{newest.reason}, for {lasted:.0f} of {limits.check.for_seconds:.0f} s"
    return Verdict(limits.name, Outcome.LOW_SAMPLES, words, newest.numbers)


def _unbroken(samples: Sequence[Sample], prometheus: Prometheus) -> Sequence[Sample]:
    """The samples since the last hole: what was in a hole is not known to have been bad."""
    longest = max(prometheus.stale_after, RECENT * prometheus.every)
    for i in range(len(samples) - 1, 0, -1):
        if (samples[i].time - samples[i - 1].time).total_seconds() > longest:
            return samples[i:]
    return samples


def _beside(baseline: Sequence[Sample], canary: Sequence[Sample], every: float) -> Sequence[Sample]:
    """The baseline at the time of these samples. The sides are asked a moment apart, on a slow machine by up to a round."""
    for slack in (timedelta(seconds=every / 2), timedelta(seconds=every)):
        if found := [s for s in baseline if canary[0].time - slack <= s.time <= canary[-1].time + slack]:
            return found
    return []


def _too_few(name: str, samples: Sequence[Sample], needed: int, whose: str = "") -> Verdict:
    return Verdict(name, Outcome.LOW_SAMPLES, f"{len(samples)} of {max(1, needed)} samples{whose}", {"n": len(samples)})


def _limits(check: SignalCheck, playbook: Playbook, name: str, missing: Verdict | None) -> Limits:
    signal = playbook.signals[check.signal]
    return Limits(check, name, signal.unit, signal.better == "higher", missing)


def side_unknown(snapshot: Snapshot, playbook: Playbook, signal: str, arch: Arch, name: str) -> Verdict | None:
    """Why nothing can be said about a signal of one architecture, None when its newest sample may be believed."""
    if playbook.prometheus is None or signal not in playbook.signals:
        return Verdict(name, Outcome.ERROR, "no source for this signal")
    if fault := blind(snapshot, [SourceName.METRICS], name):
        return fault
    series = _series(snapshot, signal, arch)
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
