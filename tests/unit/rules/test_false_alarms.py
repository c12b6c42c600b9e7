"""A small version of `python -m tests.judging`: the judge raises few false alarms and sees a real drift soon."""

from __future__ import annotations

import pytest

from tests.judging.draws import Setting
from tests.judging.flown import SOON, fly

RUNS = 24


@pytest.mark.parametrize(("noise", "overlapping"), [(0.02, False), (0.05, False), (0.02, True), (0.05, True)])
def test_without_a_difference_promote_is_not_blocked_and_nothing_aborts(noise: float, overlapping: bool) -> None:
    found = [fly(Setting(noise, overlapping), seed, every=5, beside=False) for seed in range(RUNS)]
    assert sum(f.blocked for f in found) <= 2
    assert not any(f.aborted for f in found)


@pytest.mark.parametrize(("noise", "overlapping"), [(0.02, False), (0.05, False), (0.02, True)])
def test_ten_percent_more_is_caught_within_five_minutes(noise: float, overlapping: bool) -> None:
    found = [fly(Setting(noise, overlapping, 0.10, samples=SOON), seed, beside=False) for seed in range(RUNS)]
    assert sum(f.caught is not None for f in found) >= RUNS - 3


def test_a_rise_late_in_a_long_soak_is_not_diluted() -> None:
    late = Setting(0.02, True, 0.25, samples=400, onset=370)
    found = [fly(late, seed, every=10, beside=False) for seed in range(5)]
    assert sum(f.caught is not None and 370 < f.caught <= 390 for f in found) >= 4


def test_fewer_false_alarms_than_kayenta_on_the_same_samples() -> None:
    found = [fly(Setting(0.05, True, samples=60), seed, every=3) for seed in range(RUNS)]
    ours, theirs = sum(f.caught is not None for f in found), sum(f.kayenta[0] is not None for f in found)
    assert ours < theirs
