"""The drift of the canary against the concurrent baseline, with what its noise allows to say of it.

The estimate is the Hodges-Lehmann shift of the logarithms: a relative change, which no single scrape moves much. It is told from
noise by the ranks (Mann-Whitney), which know no shape of the noise, where samples are independent. Where windows overlap, which
ranks know nothing of, it has to be beyond the noise of the samples' own steps as well. One boundary holds for all looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, inf, log, log1p, sqrt
from statistics import NormalDist, median

from cockpit.model.series import Sample
from cockpit.rules.statistics.mann_whitney import MannWhitney, mann_whitney, statistic
from cockpit.rules.statistics.noise import FEWEST, Noise, boundary, deviations, effective, noise, overlap_from, ratio
from cockpit.rules.statistics.shift import Shift, hodges_lehmann

MOST = 240
"""Samples of a side that are compared; of a longer soak every second, third ... one. Noise is read off the newest so many."""
RECENT = 10
"""The shortest stretch that may fail by itself. Stretches double from it up to the whole soak."""
NEWEST = 3
"""Samples that block a pass when they alone are beyond the limit and beyond noise."""
BY_RANKS = 2.9
"""Where the boundary begins for independent samples, whose ranks need no knowledge of the noise."""
BY_STEPS = 3.1
"""The same for overlapping ones: their noise is read off them, and its shape is only assumed."""
RECENT_CHANCE = 0.002
"""Chance that the stretches of one length, within a soak as long as four of them, fail without a drift; in longer ones too."""
NEWEST_DEVIATIONS = 3.1
TAIL = 0.05
"""What the interval leaves on each side: 90% confidence, by which an equivalence is usually claimed."""
SIGNIFICANT = 0.02
ASSUMED = 300.0
"""Seconds that a sample may look back over when its query does not say: five minutes, as recorded rates often do."""
UNLIKE = 8.0
"""Two readings of one noise differ (in variance, as a ratio less 1) by more than so many over the root of their freedom in less
than 1% of cases: then the sides do not move independently."""
_LOOKS = 4
"""Looks at a stretch of samples while it slides by its own length that count as independent."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Drift:
    """A relative change of the canary, its interval, and the rank test behind it. `p` is corrected for overlapping windows."""

    estimate: float
    low: float
    high: float
    test: MannWhitney
    p: float


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides' values on a scale on which a relative change is a difference: logarithms, or parts of the baseline's median.

    `noise` is that of successive values of these sides.
    """

    canary: tuple[float, ...]
    baseline: tuple[float, ...]
    noise: Noise
    logs: bool

    @property
    def size(self) -> int:
        """Values of the shorter side."""
        return min(len(self.canary), len(self.baseline))

    def last(self, count: int) -> Sides:
        """The newest `count` values of each side."""
        return Sides(self.canary[-count:], self.baseline[-count:], self.noise, self.logs)

    @property
    def shift(self) -> Shift:
        """The canary less the baseline on this scale, with its interval as if samples were independent."""
        return _shift(self.canary, self.baseline)

    def beyond(self, least: float, sign: float) -> bool:
        """The shift times `sign` is more than `least`: so are most pairwise differences, which are counted sooner than sorted."""
        moved = [sign * x - least for x in self.canary]
        return 2 * statistic(moved, [sign * y for y in self.baseline]) > len(self.canary) * len(self.baseline)

    def unlike_noise(self) -> bool:
        """Noise explains no such shift, whichever way, at any of all looks."""
        if self.noise.overlap <= 1:
            return deviations(_test(self.canary, self.baseline).p / 2) > boundary(self.size, BY_RANKS)
        return abs(self.shift.estimate) > self.margin(boundary(self.size, BY_STEPS)) and significant(self)

    def margin(self, at: float) -> float:
        """How far noise may move the shift: exceeded as rarely as a standard normal exceeds `at`."""
        return self.noise.margin(self.size, at)

    def drift(self) -> Drift:
        """The relative change with its interval: the wider of what the ranks and what the noise say."""
        shift, test, margin = self.shift, _test(self.canary, self.baseline), self.margin(deviations(TAIL))
        low, high = min(shift.low, shift.estimate - margin), max(shift.high, shift.estimate + margin)
        return Drift(self.change(shift.estimate), self.change(low), self.change(high), test, self._p(test))

    def change(self, shift: float) -> float:
        """A shift on this scale as a relative change."""
        return ratio(shift) if self.logs else shift

    def scaled(self, change: float) -> float:
        """A relative change on this scale."""
        if not self.logs:
            return change
        return log1p(change) if change > -1 else -inf

    def _p(self, test: MannWhitney) -> float:
        if self.noise.overlap <= 1 or test.p >= 1:
            return test.p
        far = _NORMAL.inv_cdf(max(test.p / 2, 1e-300))
        return 2 * _NORMAL.cdf(far * sqrt(effective(self.size, self.noise.overlap) / self.size))


@dataclass(frozen=True, slots=True)
class Soak:
    """All of a soak, thinned where it is long, and its newest samples as they came; `size` of the shorter side, unthinned."""

    whole: Sides
    newest: Sides
    size: int

    def stretches(self) -> Iterator[Sides]:
        """The newest 10, 20, 40 ... samples, without the whole."""
        count = RECENT
        while count < self.size and count <= MOST:
            yield self.newest.last(count)
            count *= 2


@dataclass(frozen=True, slots=True)
class Limit:
    """How far the canary may drift for the worse: `sign` -1 when that is downwards."""

    most: float
    sign: float = 1.0

    def broken(self, soak: Soak) -> Sides | None:
        """What shows a drift beyond the limit: the whole soak, or the shortest stretch at its end; None when nothing does."""
        whole = soak.whole
        if self._beyond(whole) and whole.unlike_noise():
            return whole
        return next((part for part in soak.stretches() if self._trend(part, soak.size)), None)

    def rising(self, soak: Soak) -> Sides | None:
        """The newest few samples when they alone are beyond the limit and beyond noise."""
        few = soak.newest.last(NEWEST)
        return few if self._beyond(few) and self._worse(few) > few.margin(NEWEST_DEVIATIONS) else None

    def lasting(self, part: Sides, looks: float) -> bool:
        """A stretch whose drift is no noise, though `looks` stretches of its length were looked at."""
        return self._worse(part) > part.margin(deviations(RECENT_CHANCE / (_LOOKS * max(1.0, looks))))

    def held(self, sides: Sides, found: Drift) -> bool:
        """The drift is within the limit, and certainly within twice the limit."""
        farthest = found.high if self.sign > 0 else found.low
        return not self._beyond(sides) and self.sign * farthest < 2 * self.most

    def _trend(self, part: Sides, size: int) -> bool:
        chance = RECENT_CHANCE / (_LOOKS * ceil(size / part.size))
        return part.beyond(self._bound(part) + part.margin(deviations(chance)), self.sign) and significant(part)

    def _worse(self, sides: Sides) -> float:
        return self.sign * sides.shift.estimate

    def _bound(self, sides: Sides) -> float:
        return self.sign * sides.scaled(self.sign * self.most)

    def _beyond(self, sides: Sides) -> bool:
        return self._worse(sides) > self._bound(sides) + 1e-12


def significant(sides: Sides) -> bool:
    """The ranks of both sides differ."""
    return _test(sides.canary, sides.baseline).p <= SIGNIFICANT


def soak(canary: Sequence[Sample], baseline: Sequence[Sample], every: float, window: float) -> Soak | None:
    """Both sides, of samples `every` seconds that look back over `window` (0: not known); None without a baseline but 0."""
    step = max(1, ceil(max(len(canary), len(baseline)) / MOST))
    thin = [side[(len(side) - 1) % step :: step] if side else side for side in (canary, baseline)]
    newest = [side[-MOST:] for side in (canary, baseline)]
    middle = median(s.value for s in thin[1]) if thin[1] else 0.0
    if not canary or not middle:
        return None
    logs = all(s.value > 0 for side in (*thin, *newest) for s in side)
    long, short = ([_scaled(side, logs, middle) for side in sides] for sides in (thin, newest))
    overlap = max(1.0, window / every) if window else overlap_from([_values(side) for side in short], ASSUMED / every)
    found = _noise(short[0], short[1], every, overlap)
    thinned = Noise(found.scale, found.freedom, max(1.0, overlap / step))
    whole, newer = (Sides(_values(a), _values(b), of, logs) for (a, b), of in ((long, thinned), (short, found)))
    return Soak(whole, newer, min(len(canary), len(baseline)))


def _values(side: Sequence[Sample]) -> tuple[float, ...]:
    return tuple(s.value for s in side)


def _scaled(side: Sequence[Sample], logs: bool, middle: float) -> list[Sample]:
    return [Sample(s.time, log(s.value) if logs else s.value / abs(middle)) for s in side]


def _noise(canary: Sequence[Sample], baseline: Sequence[Sample], every: float, overlap: float) -> Noise:
    """The noise of the difference of both sides, from the steps of each, which are the more.

    From the steps of their difference where these are much smaller or much larger: then the sides move together, or against
    each other.
    """
    pairs = _pairs(canary, baseline, every)
    together = noise([after - before for before, after in pairwise(pairs)], overlap)
    size = min(len(canary), len(baseline))
    if size < FEWEST:
        return together
    apart = noise([(b.value - a.value) * sqrt(2.0) for side in (canary, baseline) for a, b in pairwise(side[-size:])], overlap)
    if 2 * len(pairs) < size:
        return apart
    most = 1 + UNLIKE / sqrt(max(1.0, together.freedom))
    alike = apart.scale**2 <= most * together.scale**2 <= (most * apart.scale) ** 2
    return apart if alike else together


def _pairs(canary: Sequence[Sample], baseline: Sequence[Sample], every: float) -> list[float]:
    """The difference of the samples that were taken at about the same time."""
    found, j = [], 0
    for sample in canary:
        while j < len(baseline) and (sample.time - baseline[j].time).total_seconds() > every / 2:
            j += 1
        if j < len(baseline) and (baseline[j].time - sample.time).total_seconds() <= every / 2:
            found.append(sample.value - baseline[j].value)
            j += 1
    return found


@lru_cache(maxsize=256)
def _shift(canary: tuple[float, ...], baseline: tuple[float, ...]) -> Shift:
    return hodges_lehmann(canary, baseline, TAIL)


@lru_cache(maxsize=256)
def _test(canary: tuple[float, ...], baseline: tuple[float, ...]) -> MannWhitney:
    return mann_whitney(canary, baseline)
