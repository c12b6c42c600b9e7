"""How noisy a series of overlapping measurements is, and how far apart two looks at it may be by noise alone.

A rate over two minutes that is asked every 15 seconds shares seven eighths of its window with the value before it: eight samples
say little more than one. Such a series is a moving average of independent noise. Its steps are small but many, and from them its
full spread is known after a few samples, long before the samples themselves have spread out. Steps also do not care for a level
that has shifted, or that wanders slowly on both sides at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, log, sqrt
from statistics import NormalDist

CLIP = 3.0
"""Steps beyond so many deviations count as that many: one bad scrape is not the noise."""
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


def always(n: float, chance: float, sharpest: float = 20.0) -> float:
    """Deviations that a mean of noise exceeds at any of all looks, however many and often, with `chance` at most, on one side.

    Robbins' normal mixture (1970), sharpest at about `sharpest` samples; `n` is the number of samples at this look.
    """
    prior = sharpest / 9
    return sqrt((1 + prior / n) * (log(n / prior + 1) - 2 * log(2 * chance)))


def ratio(of: float) -> float:
    """A shift of logarithms as a relative change."""
    return expm1(of) if of < 700 else exp(700)
