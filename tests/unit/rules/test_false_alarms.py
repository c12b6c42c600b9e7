"""A small version of `python -m tests.judging`: the judge raises few false alarms and sees a real drift soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from cockpit.model.series import Sample
from cockpit.model.verdict import Outcome
from cockpit.rules.drift import Limit, soak
from cockpit.rules.limits import Limits, Measuring
from tests.factories import NOW, PLAYBOOK
from tests.judging import draws, kayenta
from tests.judging.__main__ import Plan, measure
from tests.judging.draws import EVERY, Setting
from tests.judging.flown import GATE, SOON, Flown, fly
from tests.judging.report import report

RUNS = 24
SETTINGS = [(0.02, False), (0.05, False), (0.02, True), (0.05, True)]


def alike(setting: Setting, runs: int, **options: int) -> list[Flown]:
    return [fly(setting, seed, beside=False, **options) for seed in range(runs)]


@pytest.mark.parametrize(("noise", "overlapping"), SETTINGS)
@pytest.mark.parametrize("told", [True, False])
def test_without_a_difference_promote_is_not_blocked_and_nothing_aborts(noise: float, overlapping: bool, told: bool) -> None:
    found = alike(Setting(noise, overlapping, told=told), RUNS, every=10)
    # Where the query does not say how far it looks back, much noise may leave it untold; it is never called a drift.
    assert sum(f.blocked if told else f.caught is not None for f in found) <= 2
    assert not any(f.aborted for f in found)


def test_five_minute_windows_that_no_query_tells_of_abort_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "WINDOW", 20)
    found = alike(Setting(0.06, True, told=False), RUNS, every=10)
    assert sum(f.caught is not None for f in found) <= 2
    assert not any(f.aborted for f in found)


@pytest.mark.parametrize(("noise", "overlapping"), SETTINGS[:3])
def test_ten_percent_more_is_caught_within_five_minutes(noise: float, overlapping: bool) -> None:
    found = alike(Setting(noise, overlapping, 0.10, samples=SOON), 2 * RUNS)
    assert sum(f.caught is not None for f in found) >= 2 * RUNS - 3


def test_a_rise_late_in_a_long_soak_is_not_diluted() -> None:
    found = alike(Setting(0.02, True, 0.25, samples=400, onset=370), 4, every=10)
    assert sum(f.caught is not None and 370 < f.caught <= 390 for f in found) >= 3


def test_fewer_false_alarms_than_kayenta_where_windows_overlap() -> None:
    found = [fly(Setting(0.05, True, samples=60), seed, every=3) for seed in range(RUNS)]
    assert sum(f.caught is not None for f in found) < sum(f.theirs is not None and f.theirs.caught is not None for f in found)


def test_more_is_caught_than_by_kayenta_where_samples_are_independent() -> None:
    found = [fly(Setting(0.05, False, 0.06, samples=SOON), seed) for seed in range(150)]
    ours, theirs = (sum(n is not None for n in caught) for caught in zip(*map(caught_by, found), strict=True))
    assert ours >= theirs


def caught_by(of: Flown) -> tuple[int | None, int | None]:
    assert of.theirs is not None
    return of.caught, of.theirs.caught


def samples(values: list[float]) -> list[Sample]:
    return [Sample(NOW + timedelta(seconds=EVERY * i), value) for i, value in enumerate(values)]


def test_noise_that_both_sides_share_hides_no_drift() -> None:
    common = [1 + 2 * (x / draws.LEVEL - 1) for x in draws.soak(Setting(0.05, True), 1)[0]]
    canary, baseline = draws.soak(Setting(0.005, True, 0.10), 2)
    both = [samples([a * b for a, b in zip(side, common, strict=True)][:40]) for side in (canary, baseline)]
    seen = soak(both[0], both[1], EVERY, 120.0)
    assert seen is not None
    assert Limit(0.04).broken(seen) is not None


@pytest.mark.parametrize(("size", "outcome"), [(5, Outcome.LOW_SAMPLES), (6, Outcome.FAIL)])
def test_five_samples_of_a_side_cannot_show_a_drift_by_ranks_but_six_can(size: int, outcome: Outcome) -> None:
    rising = [0.100 + 0.001 * i for i in range(size)]
    limits = Limits(GATE, "p99", PLAYBOOK.signals["latency_p99"].unit, measuring=Measuring(EVERY, EVERY))
    assert limits.judge(samples([2 * x for x in rising]), samples(rising)).outcome is outcome


def test_a_verdict_says_what_it_assumes_of_a_query_without_a_range() -> None:
    sides = [samples(side) for side in draws.soak(Setting(0.02, True), 3)]
    said, silent = (
        Limits(GATE, "p99", PLAYBOOK.signals["latency_p99"].unit, measuring=Measuring(EVERY, w)) for w in (120.0, 0.0)
    )
    assert not said.judge(*sides).details
    (line,) = silent.judge(*sides).details
    assert line.startswith("no range in the query: ")
    assert line.endswith("samples taken to share a window (300 s at most)")


def test_kayenta_of_a_clear_case() -> None:
    assert kayenta.judge([2.0 + i / 100 for i in range(10)], [1.0 + i / 100 for i in range(10)]).high
    assert not kayenta.judge([1.0, 2.0, 3.0] * 5, [1.0, 2.0, 3.0] * 5).detected


def test_the_report_names_every_point() -> None:
    def short(of: partial[Flown], seeds: range) -> list[Flown]:
        setting: Setting = of.args[0]
        return [fly(replace(setting, samples=SOON), seed, **of.keywords) for seed in seeds]

    points, untold, more = measure(short, Plan(1, 1, 2, 1))
    text = report(points, untold, more, 60.0)
    assert text.count("\n| 5% | overlapping | ") == 9
    assert "Kayenta with as few false alarms" in text
