"""Measurements that say nothing neither promote nor abort, whatever the numbers before them were: 1,000 cases of each kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import Arch
from cockpit.model.playbook import SignalCheck
from cockpit.model.series import Sample, Series
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.rules.judging import aborts, gates
from cockpit.run import machine
from cockpit.run.state import RunState, Stage
from tests.factories import NOW, PLAYBOOK, signals, snapshot, with_source

CASES = 1000
PHASE = replace(
    PLAYBOOK.phases[0],
    gates=(SignalCheck("latency_p99", max_drift=0.04, min_samples=10), SignalCheck("error_rate", max=0.001, min_samples=10)),
    abort=(SignalCheck("latency_p99", max_drift=0.1, for_seconds=60), SignalCheck("error_rate", max=0.01, for_seconds=60)),
)
SINCE = NOW - timedelta(minutes=10)
HEALTHY = snapshot()
SOAKED = RunState("run", Stage.SOAKING, 0, proven_at=SINCE, phase_at=SINCE, soaked=PHASE.soak + 1, ticked=999.0)
"""All that promote still waits for are the gates."""


def history(rng: random.Random, count: int | None = None, end: float = 0.0) -> Series:
    """Good, bad or absurd values that end `end` seconds before now."""
    level = rng.choice([0.0, 0.0002, 0.05, 0.115, 0.5, 30.0])
    size = count if count is not None else rng.randint(10, 60)
    times = (NOW - timedelta(seconds=end + 15 * i) for i in reversed(range(size)))
    return Series(tuple(Sample(time, level * rng.uniform(0.9, 1.1)) for time in times))


def failed(words: str, *, no_data: bool = False) -> Callable[[random.Random], Series]:
    return lambda rng: replace(history(rng), error=words, error_is_no_data=no_data)


def reset(rng: random.Random) -> Series:
    """A counter starts anew: a scrape or two of absurd rates, then none until there are two scrapes again."""
    before = history(rng)
    absurd = tuple(replace(s, value=s.value * rng.choice([0.0, 50.0])) for s in before.samples[-rng.randint(1, 2) :])
    return Series((*before.samples[: -len(absurd)], *absurd), "the query gives NaN, which is no number (no data)", True)


def partial(rng: random.Random) -> Series:
    """One side is not scraped any more, or has so many holes that too little is left."""
    if rng.random() < 0.5:
        return history(rng, end=rng.uniform(61, 500))
    whole = history(rng, 40).samples
    return Series(tuple(sorted(rng.sample(whole, rng.randint(0, 3)), key=lambda s: s.time)))


SERIES: dict[str, Callable[[random.Random], Series]] = {
    "nan": failed("the query gives NaN, which is no number (no data)", no_data=True),
    "empty": failed("the query gives no series (no data)", no_data=True),
    "stale": lambda rng: history(rng, end=rng.uniform(60.5, 3600)),
    "partial scrape": partial,
    "several series": failed("the query gives 3 series, not one"),
    "HTTP 500": failed("Prometheus: HTTP 500 without an answer of its API"),
    "HTTP 429": failed("Prometheus asks to wait"),
    "timeout": failed("Prometheus: no answer in 10 s"),
    "malformed JSON": failed("Prometheus: its answer is no result"),
    "clock skew": lambda rng: history(rng, end=rng.choice([-1, 1]) * rng.uniform(60.5, 7200)),
    "counter reset": reset,
    "too few samples": lambda rng: history(rng, rng.randint(0, 2)),
}
_DOWN = (SourceState(), SourceState(Freshness.STALE, 75.0), SourceState(Freshness.FAULT, 20.0, "HTTP 503"))


def case(kind: str, rng: random.Random) -> Snapshot:
    """A world in which one of the judged series says nothing, or the whole source where its server is what fails."""
    if kind in ("HTTP 500", "HTTP 429", "timeout") and rng.random() < 0.5:
        everything = {key: history(rng) for key in signals()}
        return with_source(replace(HEALTHY, signals=everything), SourceName.METRICS, rng.choice(_DOWN))
    key = rng.choice([("latency_p99", Arch.ARM64), ("latency_p99", Arch.AMD64), ("error_rate", Arch.ARM64)])
    return replace(HEALTHY, signals={**signals(), key: SERIES[kind](rng)})


@pytest.mark.parametrize("kind", SERIES)
def test_what_says_nothing_moves_nothing(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(CASES):
        found = case(kind, rng)
        judged, fired = gates(PHASE, found, PLAYBOOK, SINCE), aborts(PHASE, found, PLAYBOOK, SINCE)
        assert not machine.permit(SOAKED, PLAYBOOK, judged).allowed, judged
        assert machine.tick(SOAKED, 1000.0, judged).soaked == SOAKED.soaked, "neither counted nor begun anew"
        assert not any(v.outcome is Outcome.FAIL for v in (*judged, *fired)), fired


def test_the_same_world_with_good_measurements_does_promote() -> None:
    assert machine.permit(SOAKED, PLAYBOOK, gates(PHASE, HEALTHY, PLAYBOOK, SINCE)).allowed


@pytest.mark.parametrize("times", [0.0, 50.0])
def test_one_absurd_scrape_fails_nothing(times: float) -> None:
    for key, before in signals().items():
        odd = Series((*before.samples[:-1], replace(before.samples[-1], value=before.samples[-1].value * times)))
        found = replace(HEALTHY, signals={**signals(), key: odd})
        verdicts = (*gates(PHASE, found, PLAYBOOK, SINCE), *aborts(PHASE, found, PLAYBOOK, SINCE))
        assert not any(v.outcome is Outcome.FAIL for v in verdicts), verdicts
