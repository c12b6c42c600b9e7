"""Judging one signal as a gate, over the whole soak, or as an abort trigger, over the time that it must be broken for.

Missing, stale or erroneous data never fails and never passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, SignalCheck
from cockpit.model.series import Sample, Series, middle
from cockpit.model.signal import Cadence
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Side, Verdict
from cockpit.rules.drift import MOST
from cockpit.rules.freshness import blind, outdated
from cockpit.rules.kept import Remembered
from cockpit.rules.limits import RECENT, Limits, Measuring, drift, evident, shown, with_sides
from cockpit.rules.window import window

CHECKS = 32
"""Answers that are kept: one for each check of a phase, and some to spare."""
_NOTHING = Series()


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
    """Both sides of a signal from `since` on; a side whose newest sample is too old to be believed has nothing to compare."""
    sides = (playbook.target.to_arch, playbook.target.from_arch)
    canary, baseline = (_standing(snapshot, playbook, signal, arch) for arch in sides)
    return _compared(signal, canary, baseline, since)


@partial(Remembered, kept=CHECKS)
def _compared(signal: str, to: Series, home: Series, since: datetime) -> Comparison:
    canary, baseline = to.since(since), home.since(since)
    return Comparison(signal, middle(canary[-RECENT:]), middle(baseline[-RECENT:]), drift(canary, baseline), len(canary))


def _standing(snapshot: Snapshot, playbook: Playbook, signal: str, arch: Arch) -> Series:
    series = _series(snapshot, signal, arch)
    return series if series.standing and not outdated(snapshot, playbook, signal, arch) else _NOTHING


def judge_gate(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict of a gate over the samples from `since` on, with its evidence; a drift needs `min_samples` of both sides."""
    return _evident(_gate(check, snapshot, playbook, since), check, snapshot, playbook, since)


def _gate(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    name, (to, home) = label(check), (playbook.target.to_arch, playbook.target.from_arch)
    if unknown := side_unknown(snapshot, playbook, check.signal, to, name):
        return unknown
    canary, baseline = (_series(snapshot, check.signal, arch).since(since) for arch in (to, home))
    if len(canary) < max(1, check.min_samples):
        return _too_few(name, canary, check.min_samples)
    missing = side_unknown(snapshot, playbook, check.signal, home, name)
    if not missing and len(baseline) < check.min_samples:
        missing = _too_few(name, baseline, check.min_samples, f" of {home}")
    sides = _series(snapshot, check.signal, to), _series(snapshot, check.signal, home)
    return (_soak if missing else _soaked)(check, playbook, missing, *sides, since)


def _soak(
    check: SignalCheck, playbook: Playbook, missing: Verdict | None, canary: Series, baseline: Series, since: datetime
) -> Verdict:
    return _limits(check, playbook, label(check), missing).judge(canary.since(since), baseline.since(since))


_soaked = Remembered(_soak, kept=CHECKS)


def judge_abort(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict of an abort trigger: FAIL (it fires) when the limit was broken throughout the last `for_seconds`.

    Throughout means by every rolling median of three samples, so that one scrape, good or bad, decides nothing. Without a time
    the newest sample decides. A drift has to be beyond noise as well.
    """
    return _evident(_abort(check, snapshot, playbook, since), check, snapshot, playbook, since)


def _abort(check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    name, (to, home) = label(check), (playbook.target.to_arch, playbook.target.from_arch)
    if unknown := side_unknown(snapshot, playbook, check.signal, to, name):
        return unknown
    canary = _series(snapshot, check.signal, to).since(since)
    width = RECENT if check.for_seconds else 1
    if len(canary) < max(width, check.min_samples):
        return _too_few(name, canary, max(width, check.min_samples))
    missing = side_unknown(snapshot, playbook, check.signal, home, name)
    sides = _series(snapshot, check.signal, to), _series(snapshot, check.signal, home)
    return (_break if missing else _broken)(check, playbook, missing, *sides, since)


def _break(check: SignalCheck, playbook: Playbook, missing: Verdict | None, to: Series, home: Series, since: datetime) -> Verdict:
    limits, canary, baseline = _limits(check, playbook, label(check), missing), to.since(since), home.since(since)
    cadence = playbook.freshness_of(check.signal)
    if cadence is None:
        return Verdict(limits.name, Outcome.ERROR, "no source for this signal")
    width = RECENT if check.for_seconds else 1
    start = canary[-1].time - timedelta(seconds=check.for_seconds + 2 * cadence.every)
    recent = _unbroken([s for s in canary if s.time >= start], cadence) if check.for_seconds else canary[-1:]
    found = _lasting(limits, recent, baseline, width, cadence.every)
    if found.outcome is not Outcome.FAIL or check.max_drift is None or limits.fixed_broken(recent[-width:]):
        return found
    return _beyond_noise(found, limits, (to, home), recent, baseline)


_broken = Remembered(_break, kept=CHECKS)


def _beyond_noise(
    found: Verdict,
    limits: Limits,
    sides: tuple[Series, Series],
    recent: Sequence[Sample],
    baseline: Sequence[Sample],
) -> Verdict:
    """A lasting drift, unless noise explains it. The noise is that of all samples there are, from before the phase as well."""
    check, every = limits.check, limits.measuring.every
    lasted = [s for s in recent if (recent[-1].time - s.time).total_seconds() + every <= max(every, check.for_seconds)]
    history = [series.samples[-MOST:] for series in sides]
    whole, part = limits.soak(*history), limits.soak(lasted, _beside(baseline, lasted, every))
    if whole is None or part is None:
        return Verdict(limits.name, Outcome.NO_DATA, "no baseline to compare with", found.numbers)
    seen = replace(part.whole, noise=whole.newest.noise)
    if limits.limit.lasting(seen, whole.size / len(lasted)):
        return replace(found, evidence=evident(seen))
    words = f"{found.reason}: cannot be told from noise"
    numbers = {**found.numbers, "lasted": limits.check.for_seconds, "for_seconds": limits.check.for_seconds}
    return replace(found, outcome=Outcome.LOW_SAMPLES, reason=words, numbers=numbers, evidence=evident(seen))


def _lasting(limits: Limits, canary: Sequence[Sample], baseline: Sequence[Sample], width: int, every: float) -> Verdict:
    """FAIL only when every rolling judgement of `width` samples fails, back to `for_seconds` ago."""
    if len(canary) < width:
        return _too_few(limits.name, canary, width)

    def judge(samples: Sequence[Sample]) -> Verdict:
        return limits.glance(samples, _beside(baseline, samples, every))

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
    numbers = {**newest.numbers, "lasted": lasted, "for_seconds": limits.check.for_seconds}
    return Verdict(limits.name, Outcome.LOW_SAMPLES, words, numbers)


def _unbroken(samples: Sequence[Sample], cadence: Cadence) -> Sequence[Sample]:
    """The samples since the last hole: what was in a hole is not known to have been bad."""
    longest = max(cadence.stale_after, RECENT * cadence.every)
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
    return Limits(check, name, signal.unit, signal.better == "higher", missing, measuring(playbook, check.signal))


def measuring(playbook: Playbook, signal: str) -> Measuring:
    """How a signal of the playbook is measured."""
    cadence, found = playbook.freshness_of(signal), playbook.signals[signal]
    every = cadence.every if cadence else 0.0
    span = max(window(found.query_for(arch)) for arch in Arch)
    return Measuring(max(every, 1e-3), every if found.measure else span)


def _evident(found: Verdict, check: SignalCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """The verdict with each side's query, newest values and age; the baseline only where it is compared with."""
    if check.signal not in playbook.signals:
        return found
    archs = (playbook.target.to_arch, playbook.target.from_arch)[: 1 if check.max_drift is None else 2]
    return with_sides(found, {arch: side(check.signal, arch, snapshot, playbook, since) for arch in archs})


def side(signal: str, arch: Arch, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Side:
    """What was measured of a signal on one architecture from `since` on."""
    series = _series(snapshot, signal, arch)
    samples = series.since(since)
    age = (snapshot.time - series.latest.time).total_seconds() if series.latest else None
    return Side(playbook.signals[signal].query_for(arch), len(samples), age, shown(samples))


def side_unknown(snapshot: Snapshot, playbook: Playbook, signal: str, arch: Arch, name: str) -> Verdict | None:
    """Why nothing can be said about a signal of one architecture, None when its newest sample may be believed."""
    if (cadence := playbook.freshness_of(signal)) is None:
        return Verdict(name, Outcome.ERROR, "no source for this signal")
    if fault := blind(snapshot, [SourceName.METRICS], name):
        return fault
    series = _series(snapshot, signal, arch)
    if series.error:
        return Verdict(name, Outcome.NO_DATA if series.error_is_no_data else Outcome.ERROR, f"{arch}: {series.error}")
    if series.latest is None:
        return Verdict(name, Outcome.NO_DATA, f"{arch}: no sample yet")
    age = (snapshot.time - series.latest.time).total_seconds()
    if age < -cadence.stale_after:
        return Verdict(name, Outcome.ERROR, f"{arch}: newest sample is {-age:.0f} s in the future: clocks differ", {"age": age})
    if age > cadence.stale_after:
        return Verdict(name, Outcome.STALE, f"{arch}: newest sample is {age:.0f} s old", {"age": age})
    return None


def _series(snapshot: Snapshot, signal: str, arch: Arch) -> Series:
    return snapshot.signals.get((signal, arch), _NOTHING)
