"""Kayenta's judgement of one metric, stated again from its published description; no line of it is Kayenta's.

Two-sided Mann-Whitney: the 98% confidence interval of the location shift (normal approximation, Hodges-Lehmann estimate). The
canary is High when the interval lies above +0.25 x |estimate|, Low below -0.25 x |estimate|, else Pass. Effect size: the ratio
of the means, which has to be above 1 (its default asks for no more).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

DEVIATIONS = 2.3263478740408408
"""Of the normal that leaves 1% on each side."""
TOLERANCE = 0.25


def high(canary: Sequence[float], baseline: Sequence[float], deviations: float = DEVIATIONS) -> bool:
    """Kayenta calls the canary High: worse, for a metric that should not rise."""
    estimate, low = shift(canary, baseline, deviations)
    return low > TOLERANCE * abs(estimate) and sum(canary) / len(canary) > sum(baseline) / len(baseline)


def shift(canary: Sequence[float], baseline: Sequence[float], deviations: float = DEVIATIONS) -> tuple[float, float]:
    """The Hodges-Lehmann estimate, and the lower end of its interval."""
    n, m = len(canary), len(baseline)
    differences = sorted(x - y for x in canary for y in baseline)
    rank = round(n * m / 2 - deviations * sqrt(n * m * (n + m + 1) / 12))
    middle = (differences[(n * m - 1) // 2] + differences[n * m // 2]) / 2
    return middle, differences[max(0, rank)] if rank >= 0 else -float("inf")
