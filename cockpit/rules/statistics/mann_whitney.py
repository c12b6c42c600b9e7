"""The Mann-Whitney U test (Mann and Whitney 1947): whether the values of one sample tend to be larger than those of another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import comb, sqrt
from statistics import NormalDist

EXACT_PRODUCT = 400
"""Up to this product of the sample sizes the distribution of U is exact (two samples of 20)."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """`u` counts the pairs in which the first sample's value is larger, ties by half; `p` is two-sided."""

    u: float
    p: float
    exact: bool
    n: int
    m: int

    @property
    def effect(self) -> float:
        """Common-language effect size: the chance that a value of the first sample is larger, ties by half. 0.5: none."""
        return self.u / (self.n * self.m)


def mann_whitney(first: Sequence[float], second: Sequence[float], *, exact: bool | None = None) -> MannWhitney:
    """The two-sided test. ValueError for an empty sample.

    Exact (`exact`, by default up to EXACT_PRODUCT) is the distribution over all ways to deal the pooled values, ties among them
    included, to two samples of these sizes: Streitberg and Rohmel's shift algorithm (1986). Else it is the normal
    approximation with continuity correction, its variance corrected for ties.
    """
    n, m = len(first), len(second)
    if not n or not m:
        raise ValueError("an empty sample cannot be compared")
    u = statistic(first, second)
    use_exact = n * m <= EXACT_PRODUCT if exact is None else exact
    pooled = _groups(first, second)
    p = _exact_p(u, n, m, pooled) if use_exact else _normal_p(u, n, m, pooled)
    return MannWhitney(u, p, use_exact, n, m)


def statistic(first: Sequence[float], second: Sequence[float]) -> float:
    """Mann and Whitney's U: pairs in which the first sample's value is larger, ties by half."""
    ranked = sorted(second)
    return sum(bisect_left(ranked, x) + bisect_right(ranked, x) for x in first) / 2


def _groups(first: Sequence[float], second: Sequence[float]) -> tuple[int, ...]:
    """How many pooled values are equal, from the smallest value to the largest."""
    sizes: list[int] = []
    before: float | None = None
    for value in sorted((*first, *second)):
        if sizes and value == before:
            sizes[-1] += 1
        else:
            sizes.append(1)
        before = value
    return tuple(sizes)


def _exact_p(u: float, n: int, m: int, groups: tuple[int, ...]) -> float:
    below = _cumulative(n, m, groups)
    least = int(2 * min(u, n * m - u))
    return min(1.0, 2 * below[least] / below[-1])


def _normal_p(u: float, n: int, m: int, groups: tuple[int, ...]) -> float:
    size = n + m
    ties = sum(t**3 - t for t in groups) / (size * (size - 1))
    deviation = sqrt(max(0.0, n * m / 12 * (size + 1 - ties)))
    if deviation == 0:
        return 1.0
    return min(1.0, 2 * _NORMAL.cdf(-(max(u, n * m - u) - n * m / 2 - 0.5) / deviation))


@lru_cache(maxsize=128)
def _cumulative(n: int, m: int, groups: tuple[int, ...]) -> tuple[int, ...]:
    """How many ways give at most each value of 2U, by 2U from 0 to 2nm.

    `dealt[i]` is a polynomial packed into one integer, whose slots count the ways that `i` values sum to a doubled rank.
    """
    bits = (comb(n + m, n).bit_length() + 7) // 8 * 8
    dealt = [1] + [0] * n
    ranked = 0
    for size in groups:
        doubled = 2 * ranked + size + 1
        for _ in range(size):
            for i in range(n, 0, -1):
                dealt[i] += dealt[i - 1] << (doubled * bits)
        ranked += size
    least, width = n * (n + 1), bits // 8
    sums = (dealt[n] >> (least * bits)).to_bytes((2 * n * m + 1) * width, "little")
    return tuple(accumulate(int.from_bytes(sums[i : i + width], "little") for i in range(0, len(sums), width)))


@lru_cache(maxsize=1024)
def cut(n: int, m: int, tail: float) -> int:
    """The end of a shift's interval that misses on a side with chance `tail`: which of the n*m ordered differences, from 1.

    0 when so few differences cannot give such an interval. Exact as far as the test is, without ties.
    """
    if n * m > EXACT_PRODUCT:
        found = n * m / 2 - 0.5 - _NORMAL.inv_cdf(1 - tail) * sqrt(n * m * (n + m + 1) / 12)
        return max(0, int(found) + (found >= 0))
    below = _cumulative(n, m, (1,) * (n + m))
    return bisect_right(below[::2], tail * below[-1])
