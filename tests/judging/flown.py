"""One simulated soak, judged at every sample by the cockpit's own rules and by Kayenta's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, SignalCheck
from cockpit.model.series import Sample, Series
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.signals import judge_abort, judge_gate
from tests.factories import NOW, PLAYBOOK, snapshot
from tests.judging import kayenta
from tests.judging.draws import EVERY, Setting, soak

GATE = SignalCheck("latency_p99", max_drift=0.04, min_samples=10)
ABORT = SignalCheck("latency_p99", max_drift=0.10, for_seconds=120)
SOON = 20
"""Samples of five minutes."""
SEEN = snapshot()


@dataclass(frozen=True, slots=True)
class Theirs:
    """Kayenta's judgements: the first look that calls High, the highest confidence that would within 5 minutes and at any look.

    Looking ends with the first High after five minutes, so `ever` means something only for soaks that were looked at throughout.
    """

    caught: int | None
    soon: float
    ever: float
    blocked: bool
    """It calls High at the end."""
    detected: bool


@dataclass(frozen=True, slots=True)
class Flown:
    """What became of a soak. `caught` is the first look at which the gate failed or the trigger fired, None when never."""

    caught: int | None
    aborted: bool
    passed: bool
    detected: bool
    """At the end the interval lies above 0."""
    theirs: Theirs | None = None

    @property
    def blocked(self) -> bool:
        """Promote was not possible at the end of an unbroken soak."""
        return self.caught is not None or not self.passed


@lru_cache
def playbook(setting: Setting) -> Playbook:
    """The tests' playbook, its query a rate over as long as the samples look back, or a gauge that does not say."""
    span = "2m" if setting.overlapping else f"{EVERY:.0f}s"
    told = f'histogram_quantile(0.99, rate(latency{{arch="{{{{arch}}}}"}}[{span}]))'
    signal = replace(PLAYBOOK.signals["latency_p99"], query=told if setting.told else 'p99{arch="{{arch}}"}')
    return replace(PLAYBOOK, signals={**PLAYBOOK.signals, "latency_p99": signal})


def fly(setting: Setting, seed: int, *, every: int = 1, beside: bool = True) -> Flown:
    """Judge the soak at every `every`-th sample from the tenth on, with (`beside`) or without Kayenta's judgement."""
    canary, baseline = soak(setting, seed)
    last = setting.samples
    looks = range(last - (last - GATE.min_samples) // every * every, last + 1, every)
    ours = _ours(setting, canary, baseline, looks)
    return replace(ours, theirs=_theirs(canary, baseline, looks, throughout=setting.drift == 0)) if beside else ours


def _ours(setting: Setting, canary: Sequence[float], baseline: Sequence[float], looks: range) -> Flown:
    sides = [tuple(Sample(NOW + timedelta(seconds=EVERY * i), v) for i, v in enumerate(side)) for side in (canary, baseline)]
    for n in looks:
        gate, abort = _judged(setting, sides, n)
        if Outcome.FAIL in (gate.outcome, abort.outcome):
            end = gate if n == looks[-1] else _judged(setting, sides, looks[-1])[0]
            return Flown(n, abort.outcome is Outcome.FAIL, end.passed, _detected(end))
    return Flown(None, False, gate.passed, _detected(gate))


def _judged(setting: Setting, sides: Sequence[tuple[Sample, ...]], n: int) -> tuple[Verdict, Verdict]:
    """The gate and the trigger after `n` samples."""
    book, start = playbook(setting), NOW - timedelta(seconds=EVERY)
    archs = (PLAYBOOK.target.to_arch, PLAYBOOK.target.from_arch)
    signals: dict[tuple[str, Arch], Series] = {("latency_p99", a): Series(s[:n]) for a, s in zip(archs, sides, strict=True)}
    now = replace(SEEN, time=sides[0][n - 1].time, signals=signals)
    return judge_gate(GATE, now, book, start), judge_abort(ABORT, now, book, start)


def _detected(verdict: Verdict) -> bool:
    return verdict.numbers.get("low", 0.0) > 0


def _theirs(canary: Sequence[float], baseline: Sequence[float], looks: range, *, throughout: bool) -> Theirs:
    caught: int | None = None
    soon = ever = 0.0
    for n in looks:
        found = kayenta.judge(canary[:n], baseline[:n])
        caught = n if caught is None and found.high else caught
        soon, ever = max(soon, found.reach if n <= SOON else 0.0), max(ever, found.reach)
        if caught is not None and n > SOON and not throughout:
            found = kayenta.judge(canary, baseline)
            break
    return Theirs(caught, soon, ever, found.high, found.detected)
