"""How noisy a series of overlapping measurements is, and how far apart two looks at it may be by noise alone.

A rate over two minutes that is asked every 15 seconds shares seven eighths of its window with the value before it: eight samples
say little more than one. Such a series is a moving average of independent noise. Its steps are small but many, and from them its
full spread is known after a few samples, long before the samples themselves have spread out. Steps also do not care for a level
that has shifted, or that wanders slowly on both sides at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, expm1, log, sqrt
from statistics import NormalDist, variance

CLIP = 3.0
"""Steps beyond so many deviations count as that many: one bad scrape is not the noise."""
FLAT = 20
"""Samples up to which the boundary is constant: five minutes at 15 seconds."""
FEWEST = 5
"""Values of a side from which its overlap is read; of fewer the worst is assumed."""
OVERLAP_STEP = 0.25
PLAUSIBLE = 1.5
_QUARTILE = 1.1503
"""The third quartile of a standard normal's absolute value."""
_CLIPPED = 0.9945
"""Mean square of a standard normal that is clipped at CLIP."""
_EFFICIENCY = 0.85
"""Degrees of freedom that a step gives to the scale, found by simulation."""
_HODGES_LEHMANN = 1.0233
"""Standard error of the Hodges-Lehmann estimate over that of the mean, for normal noise: sqrt(pi / 3)."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Noise:
    """`scale` is one sample's standard deviation, of which `freedom` degrees are known.

    `overlap` is how many neighbouring samples share a window, 1 when they are independent.
    """

    scale: float
    freedom: float
    overlap: float = 1.0

    def error(self, n: int) -> float:
        """The standard error of the Hodges-Lehmann estimate over `n` successive samples."""
        return _HODGES_LEHMANN * self.scale * sqrt(1 / effective(n, self.overlap))

    def margin(self, n: int, deviations: float) -> float:
        """What noise exceeds as rarely as a standard normal exceeds `deviations`; infinite while the noise is not known."""
        return student(deviations, self.freedom) * self.error(n) if self.freedom >= 1 else float("inf")


def noise(steps: Sequence[float], overlap: float = 1.0) -> Noise:
    """The noise of a series from the differences of its neighbours. Clipped root mean square: one bad scrape adds little."""
    sizes = sorted(abs(step) for step in steps)
    if not sizes:
        return Noise(0.0, 0.0, overlap)
    clip = CLIP * sizes[(3 * len(sizes)) // 4] / _QUARTILE
    square = sum(min(size, clip) ** 2 for size in sizes) / len(sizes) / _CLIPPED
    return Noise(sqrt(square * max(1.0, overlap) / 2), _EFFICIENCY * len(sizes), overlap)


def effective(n: int, overlap: float) -> float:
    """How many independent samples say as much about the mean as `n` whose windows overlap by `overlap` samples."""
    shared = range(1, min(n, int(overlap) + 1))
    return n / (1 + 2 * sum((1 - lag / n) * max(0.0, 1 - lag / overlap) for lag in shared))


def student(deviations: float, freedom: float) -> float:
    """Student's t that is as rare as a standard normal of `deviations`, by Wallace's approximation (1959)."""
    inner = deviations * (8 * freedom + 3) / (8 * freedom + 1)
    power = inner * inner / freedom
    return sqrt(freedom * expm1(power)) if power < 600 else float("inf")


def deviations(tail: float) -> float:
    """The standard normal that is exceeded with chance `tail`."""
    return -_NORMAL.inv_cdf(max(tail, 1e-300))


def boundary(n: int, first: float) -> float:
    """Deviations that the mean of noise should exceed at none of all looks, of which each adds a sample.

    Constant at `first` up to FLAT samples, as Pocock's (1977): that catches soon what is there soon. Then it grows with the
    logarithm of the samples, as new chances to cross it come. By simulation 2.9 is crossed on one side in some 1.5% of soaks of
    120 independent samples that are looked at from the tenth on.
    """
    return sqrt(first**2 + log(max(1.0, n / FLAT)))


def overlap_from(sides: Sequence[Sequence[float]], most: float) -> float:
    """The largest overlap, `most` at most, that is still plausible for two series of which nothing else is known; 1 at least.

    Von Neumann's ratio (1941): the spread of the values over that of their steps is about the overlap. The ratio that an overlap
    leads to falls short of its mean by the margin used here in some 3% of soaks, found by simulation.
    """
    n = min(len(side) for side in sides)
    steps = sum((b - a) ** 2 for side in sides for a, b in pairwise(side)) / max(1, sum(len(side) - 1 for side in sides)) / 2
    if n < FEWEST or steps <= 0:
        return max(1.0, most)
    found = sum(variance(side) for side in sides) / len(sides) / steps
    tried = (1 + OVERLAP_STEP * i for i in range(1, int((most - 1) / OVERLAP_STEP) + 1))
    return max([1.0, *(w for w in tried if found >= _ratio_of(w, n) * exp(-PLAUSIBLE * sqrt(w / n)))])


def _ratio_of(overlap: float, n: int) -> float:
    """The mean of von Neumann's ratio for `n` values of which `overlap` neighbours share a window."""
    return overlap * (1 - 1 / effective(n, overlap)) * n / (n - 1)


def ratio(of: float) -> float:
    """A shift of logarithms as a relative change."""
    return expm1(of) if of < 700 else exp(700)
