"""A check's limits over samples: a ceiling or floor, and the drift of the canary against the concurrent baseline.

A value is taken as the worse of the median over the samples and the median of the last three: one bad scrape is forgiven, a
trend is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cockpit.model.playbook import SignalCheck, Unit
from cockpit.model.series import Sample, middle
from cockpit.model.verdict import Outcome, Verdict

RECENT = 3
"""Samples whose median must hold besides the whole window's."""


@dataclass(slots=True)
class _Findings:
    broken: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """A check's limits, with what is needed to say them. `baseline_unknown` is why the baseline says nothing, if it does not."""

    check: SignalCheck
    name: str
    unit: Unit
    higher_is_better: bool = False
    baseline_unknown: Verdict | None = None

    def judge(self, canary: Sequence[Sample], baseline: Sequence[Sample]) -> Verdict:
        """PASS, FAIL, or what the baseline lacks. A broken fixed limit needs no baseline to be broken. `canary` is not empty."""
        found = _Findings(numbers={"n": len(canary)})
        self._fixed(found, canary)
        unknown = self._drifted(found, canary, baseline) if self.check.max_drift is not None else None
        if unknown and not found.broken:
            return unknown
        return Verdict(
            self.name, Outcome.FAIL if found.broken else Outcome.PASS, "; ".join(found.broken or found.held), found.numbers
        )

    def _fixed(self, found: _Findings, canary: Sequence[Sample]) -> None:
        for bound, sign, word in ((self.check.max, 1.0, "max"), (self.check.min, -1.0, "min")):
            if bound is None:
                continue
            value = sign * max(sign * _median(canary), sign * _median(canary[-RECENT:]))
            found.numbers |= {"value": value, "limit": bound}
            words = f"{say(value, self.unit)} ({word} {say(bound, self.unit)})"
            (found.broken if sign * value > sign * bound else found.held).append(words)

    def _drifted(self, found: _Findings, canary: Sequence[Sample], baseline: Sequence[Sample]) -> Verdict | None:
        """Judge the drift; the verdict that says why it cannot be, None when it can."""
        if self.baseline_unknown:
            return self.baseline_unknown
        drifts = [drift(canary, baseline), drift(canary[-RECENT:], baseline[-RECENT:])]
        known = [d for d in drifts if d is not None]
        if len(known) < len(drifts):
            return Verdict(self.name, Outcome.NO_DATA, "no baseline to compare with", found.numbers)
        sign = -1.0 if self.higher_is_better else 1.0
        worst, bound = sign * max(sign * d for d in known), self.check.max_drift or 0.0
        found.numbers |= {"drift": worst, "max_drift": bound, "canary": _median(canary), "baseline": _median(baseline)}
        words = f"{worst:+.1%} against baseline (max {sign * bound:+.0%})"
        (found.broken if sign * worst > bound else found.held).append(words)
        return None


def drift(canary: Sequence[Sample], baseline: Sequence[Sample]) -> float | None:
    """Median of the canary over that of the baseline, less 1; None without either or with a baseline of 0."""
    here, there = middle(canary), middle(baseline)
    return here / there - 1 if here is not None and there else None


def _median(samples: Sequence[Sample]) -> float:
    return middle(samples) or 0.0


def say(value: float, unit: Unit) -> str:
    """A signal's value for people: seconds as milliseconds, ratios as percent."""
    if unit is Unit.SECONDS:
        return f"{value * 1000:.0f} ms" if abs(value) < 10 else f"{value:.1f} s"
    if unit is Unit.RATIO:
        return f"{value:.2%}"
    if unit is Unit.PERCENT:
        return f"{value:.2f}%"
    return f"{value:,.0f} req/s" if unit is Unit.REQUESTS_PER_SECOND else f"{value:,.4g}"
