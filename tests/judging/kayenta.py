"""Kayenta's judgement of one metric, stated again from its published description; no line of it is Kayenta's.

Two-sided Mann-Whitney: the 98% confidence interval of the location shift (normal approximation, Hodges-Lehmann estimate). The
canary is High when the interval lies above +0.25 x |estimate|, Low below -0.25 x |estimate|, else Pass. Effect size: the ratio
of the means, which has to be above 1 (its default asks for no more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

DEVIATIONS = 2.3263478740408408
"""Of the normal that leaves 1% on each side."""
TOLERANCE = 0.25


@dataclass(frozen=True, slots=True)
class Judgement:
    """Confidence, in deviations of the normal, up to which the interval lies above the tolerance, and above 0."""

    reach: float
    above_zero: float

    @property
    def high(self) -> bool:
        """Kayenta calls the canary High: worse, for a metric that should not rise."""
        return self.reach >= DEVIATIONS

    @property
    def detected(self) -> bool:
        """The interval lies above 0."""
        return self.above_zero >= DEVIATIONS


def judge(canary: Sequence[float], baseline: Sequence[float]) -> Judgement:
    """Kayenta's judgement for any confidence.

    The interval begins at the difference of rank `round(nm/2 - deviations * spread)`, so it lies above a value as long as this
    rank is not less than the number of differences up to the value.
    """
    n, m = len(canary), len(baseline)
    differences = np.subtract.outer(canary, baseline).ravel()
    estimate = float(np.median(differences))
    spread = sqrt(n * m * (n + m + 1) / 12)
    worse = sum(canary) / n > sum(baseline) / m

    def reach(value: float) -> float:
        return (n * m / 2 + 0.5 - int(np.count_nonzero(differences <= value))) / spread

    return Judgement(reach(TOLERANCE * abs(estimate)) if worse else 0.0, reach(0.0))
