"""A check's limits over samples: a ceiling or floor, and the drift of the canary against the concurrent baseline.

A fixed limit is held against the worse of the median over the samples and the median of the last three: one bad scrape is
forgiven, a trend is not. A drift is held against what its noise allows to say (`drift`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cockpit.model.playbook import SignalCheck
from cockpit.model.series import Sample, middle
from cockpit.model.signal import Unit
from cockpit.model.verdict import SHOWN, Evidence, Outcome, Side, Verdict
from cockpit.rules.drift import ASSUMED, TAIL, Drift, Limit, Sides, Soak, soak

RECENT = 3
"""Samples whose median must hold besides the whole window's."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a signal is measured: seconds between samples, and seconds that each looks back over (0: not known)."""

    every: float = 15.0
    window: float = 0.0


@dataclass(slots=True)
class _Findings:
    broken: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """What is broken decides, then what cannot be told."""
        return Outcome.FAIL if self.broken else Outcome.LOW_SAMPLES if self.unsure else Outcome.PASS

    @property
    def reason(self) -> str:
        """The words of what decides."""
        return "; ".join(self.broken or self.unsure or self.held)


@dataclass(frozen=True, slots=True)
class Limits:
    """A check's limits, with what is needed to say them. `baseline_unknown` is why the baseline says nothing, if it does not."""

    check: SignalCheck
    name: str
    unit: Unit
    higher_is_better: bool = False
    baseline_unknown: Verdict | None = None
    measuring: Measuring = Measuring()

    @property
    def limit(self) -> Limit:
        """The limit of the drift."""
        return Limit(self.check.max_drift or 0.0, -1.0 if self.higher_is_better else 1.0)

    def soak(self, canary: Sequence[Sample], baseline: Sequence[Sample]) -> Soak | None:
        """Both sides made comparable; None without a baseline."""
        return soak(canary, baseline, self.measuring.every, self.measuring.window)

    def judge(self, canary: Sequence[Sample], baseline: Sequence[Sample]) -> Verdict:
        """The verdict over a soak. A broken fixed limit needs no baseline to be broken. `canary` is not empty."""
        found = _Findings(numbers={"n": len(canary)})
        self._fixed(found, canary)
        both = None if self.baseline_unknown else self.soak(canary, baseline)
        evidence = Evidence()
        details: tuple[str, ...] = ()
        if self.check.max_drift is not None:
            if both is None and not found.broken:
                return self.baseline_unknown or self._no_baseline(found)
            if both is not None:
                evidence, details = self._drifted(found, both), self._assumed(both)
                found.numbers |= {
                    "canary": middle(canary) or 0.0,
                    "baseline": middle(baseline) or 0.0,
                    "n_baseline": len(baseline),
                }
        return Verdict(self.name, found.outcome, found.reason, found.numbers, details, evidence)

    def glance(self, canary: Sequence[Sample], baseline: Sequence[Sample]) -> Verdict:
        """FAIL when these few samples' medians are beyond a limit, whatever the noise; PASS when they are not."""
        found = _Findings(numbers={"n": len(canary)})
        self._fixed(found, canary)
        if self.check.max_drift is not None and not found.broken:
            if self.baseline_unknown:
                return self.baseline_unknown
            change = drift(canary, baseline)
            if change is None:
                return self._no_baseline(found)
            self._told(found, change, self.limit.sign * change > self.limit.most)
            found.numbers |= {"canary": middle(canary) or 0.0, "baseline": middle(baseline) or 0.0}
        return Verdict(self.name, found.outcome, found.reason, found.numbers)

    def fixed_broken(self, canary: Sequence[Sample]) -> bool:
        """A ceiling or floor is broken by these samples."""
        found = _Findings()
        self._fixed(found, canary)
        return bool(found.broken)

    def _assumed(self, both: Soak) -> tuple[str, ...]:
        """What was taken for granted about how far the samples look back, where the query does not say."""
        if self.measuring.window:
            return ()
        overlap = both.newest.noise.overlap
        return (f"no range in the query: {overlap:.3g} samples taken to share a window ({ASSUMED:.0f} s at most)",)

    def _no_baseline(self, found: _Findings) -> Verdict:
        return Verdict(self.name, Outcome.NO_DATA, "no baseline to compare with", found.numbers)

    def _fixed(self, found: _Findings, canary: Sequence[Sample]) -> None:
        for bound, sign, word in ((self.check.max, 1.0, "max"), (self.check.min, -1.0, "min")):
            if bound is None:
                continue
            value = sign * max(sign * _median(canary), sign * _median(canary[-RECENT:]))
            found.numbers |= {"value": value, "limit": bound}
            words = f"{say(value, self.unit)} ({word} {say(bound, self.unit)})"
            (found.broken if sign * value > sign * bound else found.held).append(words)

    def _drifted(self, found: _Findings, both: Soak) -> Evidence:
        """Judge the drift over the soak, and its newest part by itself."""
        whole, bad = both.whole.drift(), self.limit.broken(both)
        told = whole if bad is None else bad.drift()
        found.numbers |= {"drift": told.estimate, "max_drift": self.limit.most, "low": told.low, "high": told.high}
        found.numbers |= {"p": told.p, "u": told.test.u, "effect": told.test.effect}
        if bad is not None:
            self._told(found, told.estimate, True, "" if bad is both.whole else f" over the newest {bad.size} samples")
            return evident(bad, told)
        if few := self.limit.rising(both):
            change = few.drift().estimate
            found.unsure.append(f"{self._words(change)} over the newest {few.size} samples: cannot tell yet")
        elif self.limit.held(both.whole, whole):
            self._told(found, whole.estimate, False)
        else:
            span = f"{_percent(whole.low)}..{_percent(whole.high)}"
            found.unsure.append(f"cannot tell yet: {span} against baseline (max {self.limit.sign * self.limit.most:+.0%})")
        return evident(both.whole, whole)

    def _told(self, found: _Findings, change: float, broken: bool, where: str = "") -> None:
        found.numbers |= {"drift": change, "max_drift": self.limit.most}
        (found.broken if broken else found.held).append(self._words(change) + where)

    def _words(self, change: float) -> str:
        return f"{change:+.1%} against baseline (max {self.limit.sign * self.limit.most:+.0%})"


def _percent(change: float) -> str:
    return f"{change:+.0%}" if abs(change) < 10 else f"{'+' if change > 0 else '-'}∞"


def evident(sides: Sides, found: Drift | None = None) -> Evidence:
    """The statistics of a comparison as evidence, without its raw values."""
    found = found or sides.drift()
    return Evidence(
        statistic=found.test.u,
        p=found.p,
        exact=found.test.exact,
        effect=found.test.effect,
        estimate=found.estimate,
        interval=(found.low, found.high),
        level=1 - 2 * TAIL,
        overlap=sides.noise.overlap,
    )


def with_sides(verdict: Verdict, sides: Mapping[str, Side]) -> Verdict:
    """The verdict with what was measured on each side, and the age of the older one."""
    ages = [side.age for side in sides.values() if side.age is not None]
    numbers = {**verdict.numbers, **({"age": max(ages)} if ages else {})}
    return replace(verdict, numbers=numbers, evidence=replace(verdict.evidence or Evidence(), sides=sides))


def shown(samples: Sequence[Sample]) -> tuple[float, ...]:
    """The newest values, as many as evidence carries."""
    return tuple(s.value for s in samples[-SHOWN:])


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
