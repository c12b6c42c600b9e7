"""One simulated soak, judged at every sample by the cockpit's own rules and by Kayenta's method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, SignalCheck
from cockpit.model.series import Sample, Series
from cockpit.model.verdict import Outcome
from cockpit.rules.signals import judge_abort, judge_gate
from tests.factories import NOW, PLAYBOOK, snapshot
from tests.judging import kayenta
from tests.judging.draws import EVERY, Setting, soak

GATE = SignalCheck("latency_p99", max_drift=0.04, min_samples=10)
ABORT = SignalCheck("latency_p99", max_drift=0.10, for_seconds=120)
SOON = 20
"""Samples of five minutes."""


@dataclass(frozen=True, slots=True)
class Flown:
    """What became of a soak. `caught` is the first look at which the gate failed or the trigger fired, None when never."""

    caught: int | None
    aborted: bool
    passed: bool
    detected: bool
    """At the end the interval lies above 0."""
    kayenta: tuple[int | None, bool]
    """The first look at which Kayenta calls the canary High, and whether it does at the end."""

    @property
    def blocked(self) -> bool:
        """Promote was not possible at the end of an unbroken soak."""
        return self.caught is not None or not self.passed


@lru_cache
def playbook(overlapping: bool) -> Playbook:
    """The tests' playbook, its query one over two minutes or one of a gauge."""
    query = 'histogram_quantile(0.99, rate(latency{arch="{{arch}}"}[2m]))' if overlapping else 'p99{arch="{{arch}}"}'
    signal = replace(PLAYBOOK.signals["latency_p99"], query=query)
    return replace(PLAYBOOK, signals={**PLAYBOOK.signals, "latency_p99": signal})


def fly(setting: Setting, seed: int, *, every: int = 1, beside: bool = True) -> Flown:
    """Judge the soak at every `every`-th sample from the tenth on, with (`beside`) or without Kayenta's verdict."""
    canary, baseline = soak(setting, seed)
    book, start = playbook(setting.overlapping), NOW - timedelta(seconds=EVERY)
    samples = [tuple(Sample(NOW + timedelta(seconds=EVERY * i), v) for i, v in enumerate(side)) for side in (canary, baseline)]
    caught, aborted, other = None, False, None
    seen, last = snapshot(), setting.samples
    for n in range(last - (last - GATE.min_samples) // every * every, last + 1, every):
        sides = zip(Arch, (samples[1][:n], samples[0][:n]), strict=True)
        now = replace(seen, time=samples[0][n - 1].time, signals={("latency_p99", arch): Series(side) for arch, side in sides})
        if caught is None or n == last:
            gate, abort = judge_gate(GATE, now, book, start), judge_abort(ABORT, now, book, start)
            aborted = aborted or abort.outcome is Outcome.FAIL
            caught = n if caught is None and Outcome.FAIL in (gate.outcome, abort.outcome) else caught
        if beside and (other is None or n == last):
            high = kayenta.high(canary[:n], baseline[:n])
            other = n if other is None and high else other
    detected = gate.numbers.get("low", 0.0) > 0
    return Flown(caught, aborted, gate.passed, detected, (other, beside and high))
