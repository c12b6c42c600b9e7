"""The Hodges-Lehmann estimate of the shift between two samples, with its distribution-free interval (Hodges and Lehmann 1963)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.rules.statistics.mann_whitney import cut


@dataclass(frozen=True, slots=True)
class Shift:
    """The first sample less the second: median of all pairwise differences, and the interval, in the samples' unit."""

    estimate: float
    low: float
    high: float


def hodges_lehmann(first: Sequence[float], second: Sequence[float], tail: float = 0.05) -> Shift:
    """The shift with its interval, which misses on each side with chance `tail` at most, as far as the samples can give that.

    The interval's ends are the order statistics of the differences that the Mann-Whitney distribution names. Independent
    samples are assumed. ValueError for an empty sample. All n*m differences are sorted: thin what is long.
    """
    if not first or not second:
        raise ValueError("an empty sample cannot be compared")
    pairs = len(first) * len(second)
    outside = min(max(0, cut(len(first), len(second), tail) - 1), (pairs - 1) // 2)
    ranks = ((pairs - 1) // 2, pairs // 2, outside, pairs - 1 - outside)
    # Both in order, the differences are runs in order, which are merged faster than sorted.
    right = sorted(second, reverse=True)
    found = sorted(x - y for x in sorted(first) for y in right)
    lower, upper, low, high = (found[rank] for rank in ranks)
    return Shift((lower + upper) / 2, low, high)
