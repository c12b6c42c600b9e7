"""Seeded soaks: p99 of both sides every 15 seconds, with noise that is independent or that of overlapping two-minute windows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

EVERY = 15.0
WINDOW = 8
"""Samples that share a two-minute window."""
LEVEL = 0.115


@dataclass(frozen=True, slots=True)
class Setting:
    """`noise` is a sample's standard deviation as a part of its level; `drift` the canary's true one, from sample `onset` on.

    `told`: the query says how far its samples look back.
    """

    noise: float
    overlapping: bool
    drift: float = 0.0
    samples: int = 120
    onset: int = 0
    told: bool = True


def soak(setting: Setting, seed: int) -> tuple[list[float], list[float]]:
    """The canary's and the baseline's values."""
    rng = random.Random(f"{setting.noise}-{setting.overlapping}-{seed}")
    width = WINDOW if setting.overlapping else 1
    sides = [[LEVEL * max(0.05, 1 + setting.noise * x) for x in _noise(rng, setting.samples, width)] for _ in range(2)]
    canary = [x * (1 + setting.drift * (i >= setting.onset)) for i, x in enumerate(sides[0])]
    return canary, sides[1]


def _noise(rng: random.Random, count: int, width: int) -> Iterator[float]:
    sums = [0.0, *accumulate(rng.gauss(0, 1) for _ in range(count + width - 1))]
    return ((sums[i + width] - sums[i]) / sqrt(width) for i in range(count))
