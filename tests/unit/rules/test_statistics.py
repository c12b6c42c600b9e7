"""The judge's statistics beside scipy's, over thousands of random samples."""

from __future__ import annotations

import random
from itertools import accumulate, combinations, pairwise
from statistics import median

import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from cockpit.rules.statistics.mann_whitney import EXACT_PRODUCT, cut, mann_whitney
from cockpit.rules.statistics.noise import boundary, effective, noise, overlap_from, student
from cockpit.rules.statistics.shift import hodges_lehmann
from cockpit.rules.window import window

RNG = random.Random(4)


def sample(least: int, most: int) -> list[float]:
    return [RNG.gauss(0, 1) for _ in range(RNG.randint(least, most))]


def tied(most: int, values: int) -> list[float]:
    return [float(RNG.randrange(values)) for _ in range(RNG.randint(1, most))]


def test_the_exact_test_agrees_with_scipy_without_ties() -> None:
    for _ in range(1500):
        here, there = sample(1, 20), sample(1, 20)
        ours, theirs = mann_whitney(here, there), stats.mannwhitneyu(here, there, method="exact")
        assert ours.exact
        assert ours.u == theirs.statistic
        assert ours.p == pytest.approx(theirs.pvalue, abs=1e-9)


def test_the_approximation_agrees_with_scipy_with_and_without_ties() -> None:
    for turn in range(1500):
        here, there = (tied(60, 9), tied(60, 9)) if turn % 2 else (sample(1, 60), sample(1, 60))
        if len(set(here + there)) > 1:
            theirs = stats.mannwhitneyu(here, there, method="asymptotic")
            assert mann_whitney(here, there, exact=False).p == pytest.approx(theirs.pvalue, abs=1e-9)


def test_with_ties_the_exact_test_is_the_permutation_test() -> None:
    for _ in range(150):
        here, there = tied(5, 4), tied(5, 4)
        pooled = here + there
        least = min(mann_whitney(here, there).u, len(here) * len(there) - mann_whitney(here, there).u)
        dealt = list(combinations(range(len(pooled)), len(here)))
        below = 0
        for chosen in dealt:
            left, right = [pooled[i] for i in chosen], [v for i, v in enumerate(pooled) if i not in chosen]
            below += sum((x > y) + (x == y) / 2 for x in left for y in right) <= least
        assert mann_whitney(here, there).p == pytest.approx(min(1.0, 2 * below / len(dealt)), abs=1e-9)


@pytest.mark.parametrize("exact", [True, False])
def test_constants_do_not_differ(exact: bool) -> None:
    found = mann_whitney([0.1] * 8, [0.1] * 12, exact=exact)
    assert (found.u, found.p, found.effect) == (48.0, 1.0, 0.5)


def test_where_the_exact_test_ends() -> None:
    assert mann_whitney([0.0] * 20, [1.0] * 20).exact
    assert not mann_whitney([0.0] * 20, [1.0] * 21).exact
    assert EXACT_PRODUCT == 400
    with pytest.raises(ValueError, match="empty"):
        mann_whitney([], [1.0])
    with pytest.raises(ValueError, match="empty"):
        hodges_lehmann([1.0], [])


def test_the_interval_is_cut_where_the_tables_say() -> None:
    assert [cut(n, n, 0.025) for n in (3, 4, 5, 8, 10, 15, 20)] == [0, 1, 3, 14, 24, 65, 128]
    assert 318 - cut(30, 30, 0.025) in (0, 1), "the approximation errs to the wider side"


def test_the_shift_is_the_median_of_all_differences_and_moves_with_its_sample() -> None:
    for _ in range(300):
        here, there = sample(1, 30), sample(1, 30)
        found = hodges_lehmann(here, there)
        assert found.estimate == pytest.approx(median(x - y for x in here for y in there))
        assert found.low <= found.estimate <= found.high
        moved = hodges_lehmann([x + 3 for x in here], there)
        assert (moved.low, moved.high) == pytest.approx((found.low + 3, found.high + 3))


@pytest.mark.parametrize("size", [6, 15, 40])
def test_the_interval_covers_as_often_as_it_says(size: int) -> None:
    missed = 0
    for _ in range(600):
        found = hodges_lehmann([RNG.gauss(1, 1) for _ in range(size)], [RNG.gauss(0, 1) for _ in range(size)], 0.05)
        missed += not found.low <= 1 <= found.high
    assert missed / 600 < 0.13, missed


@pytest.mark.parametrize("freedom", [5.0, 8.5, 16.0, 100.0])
@pytest.mark.parametrize("at", [1.0, 1.645, 3.0, 4.0])
def test_student_is_near_scipys(freedom: float, at: float) -> None:
    assert student(at, freedom) == pytest.approx(stats.t.isf(stats.norm.sf(at), freedom), rel=0.07)


def test_overlapping_samples_count_for_less() -> None:
    assert effective(20, 1) == 20
    assert effective(20, 8) == pytest.approx(20 / 6.95)
    assert effective(1, 8) == 1
    assert effective(1200, 8) == pytest.approx(150, rel=0.01)


@pytest.mark.parametrize("overlap", [1, 8])
def test_the_noise_is_read_off_the_steps(overlap: int) -> None:
    raw = [RNG.gauss(0, 1) for _ in range(4000 + overlap)]
    values = [sum(raw[i : i + overlap]) / overlap**0.5 for i in range(4000)]
    steps = [b - a for a, b in pairwise(values)]
    assert noise(steps, overlap).scale == pytest.approx(1, abs=0.06)
    assert noise([*steps[:30], 50.0, -50.0], overlap).scale < 2, "one bad scrape is not the noise"


def moving(count: int, width: int) -> list[float]:
    """Noise of standard deviation 1 whose neighbours share a window of `width`."""
    raw = [RNG.gauss(0, 1) for _ in range(count + width - 1)]
    return [sum(raw[i : i + width]) / width**0.5 for i in range(count)]


def test_the_boundary_is_crossed_in_few_of_all_soaks() -> None:
    crossed = 0
    for _ in range(1500):
        sums = list(accumulate(RNG.gauss(0, 1) for _ in range(120)))
        crossed += any(sums[n - 1] / n**0.5 > boundary(n, 2.9) for n in range(10, 121))
    assert crossed / 1500 <= 0.025
    assert boundary(10, 2.9) == boundary(20, 2.9) == 2.9
    assert 2.9 < boundary(120, 2.9) < boundary(5760, 2.9) < 4


@pytest.mark.parametrize("width", [1, 2, 8])
@pytest.mark.parametrize("size", [10, 20, 120])
def test_an_overlap_that_is_not_told_is_seldom_taken_for_less(width: int, size: int) -> None:
    found = [overlap_from([moving(size, width), moving(size, width)], 8.0) for _ in range(200)]
    assert sum(w < width - 0.5 for w in found) <= 16
    assert max(found) <= 8


def test_an_overlap_that_is_not_told_is_found_out() -> None:
    assert median(overlap_from([moving(120, 1), moving(120, 1)], 8.0) for _ in range(50)) < 1.6
    assert overlap_from([moving(120, 8), moving(120, 8)], 2.0) == 2
    assert overlap_from([[1.0, 2.0], [1.0, 2.0]], 8.0) == overlap_from([[1.0] * 20] * 2, 8.0) == 8, "nothing to read it from"
    assert overlap_from([[1.0, 2.0], [1.0, 2.0]], 0.5) == 1


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ('sum(rate(http_requests_total{app="p",arch="arm64"}[2m]))', 120),
        ("histogram_quantile(0.99, sum by (le) (rate(x[1m30s]))) / rate(y[5m])", 300),
        ("max_over_time(rate(x[2m])[10m:30s])", 600),
        ('job:latency:p99_rate5m{arch="arm64"}', 300),
        ('up{path=~"[5m]"}', 0),
        ("p99", 0),
    ],
)
def test_how_far_a_query_looks_back(query: str, seconds: float) -> None:
    assert window(query) == seconds
