"""Signals from a Prometheus over real sockets: one series, or a reason; the server's time, or stale."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.model.series import Series
from cockpit.model.signal import Prometheus, Signal, Unit
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.playbook import loads
from cockpit.sources.base import Kind, Observation
from cockpit.sources.prometheus import KEPT, MARGIN, MetricsSource, keep
from cockpit.store import Store
from tests.contract.small_api import collect, serving
from tests.unit.playbook.base import BASE

ARM = ("latency_p99", Arch.ARM64)
SIGNALS = {"latency_p99": Signal("latency_p99", Unit.SECONDS, 'p99{arch="{{arch}}"}', "lower")}
Answer = Callable[[str, web.Request], Awaitable[web.Response]]


def vector(*pairs: tuple[float, str], metric: dict[str, str] | None = None) -> web.Response:
    result = [{"metric": metric or {"pod": f"p{i}"}, "value": list(pair)} for i, pair in enumerate(pairs)]
    return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})


class Metrics:
    """A server whose instant answers are given one by one; range queries give what `history` holds."""

    def __init__(self, clock: ManualClock, answer: Callable[[float], web.Response] | None = None) -> None:
        self.clock = clock
        self.answer = answer or (lambda now: vector((now, "0.25")))
        self.history: list[tuple[float, str]] = []
        self.queries: list[str] = []
        self.tokens: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.tokens.append(request.headers.get("Authorization", ""))
        if request.path.endswith("query_range"):
            result = [{"metric": {}, "values": [list(pair) for pair in self.history]}] if self.history else []
            return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})
        self.queries.append(str(form["query"]))
        return self.answer(self.clock.now().timestamp())


@asynccontextmanager
async def served(metrics: Metrics, kept: timedelta = KEPT, **config: Any) -> AsyncIterator[MetricsSource]:
    async with serving(metrics) as url:
        yield MetricsSource(Prometheus(url, **config), SIGNALS, metrics.clock, Random(1), keep=kept)


async def rounds(
    source: MetricsSource,
    clock: ManualClock,
    count: int,
    step: float = 15.0,
    until: Callable[[list[Observation]], bool] = lambda _: True,
) -> list[Observation]:
    """What is told in `count` rounds, and in more `until` something is, with the clock moved on between them."""
    told: list[Observation] = []
    stream = source.observe()
    try:
        while sum(o.kind in (Kind.LISTED, Kind.FAULT) for o in told) < count or not until(told):
            pending = asyncio.ensure_future(anext(stream))
            while not (await asyncio.wait({pending}, timeout=0.005))[0]:
                # Only once it sleeps: an answer on its way is not overtaken by the clock.
                if clock._sleepers:
                    await clock.advance(step)
            told.append(pending.result())
    finally:
        await stream.aclose()
    return told


def newest(told: list[Observation], key: tuple[str, Arch] = ARM) -> Series:
    found = [o.value for o in told if o.key == key and o.kind is Kind.UPSERT][-1]
    assert isinstance(found, Series)
    return found


def folded(told: list[Observation], clock: ManualClock, stale_after: float) -> Store:
    store = Store(clock)
    store.register([SourceName.METRICS], stale_after)
    for observation in told:
        store.fold(observation)
    return store


async def test_each_arch_is_asked_for_and_the_sample_has_the_servers_time() -> None:
    clock = ManualClock()
    metrics = Metrics(clock)
    async with served(metrics) as source:
        told = await rounds(source, clock, 1)
    assert set(metrics.queries) == {'p99{arch="amd64"}', 'p99{arch="arm64"}'}
    series = newest(told)
    assert [(s.time, s.value) for s in series.samples] == [(clock.start, 0.25)]
    assert not series.error
    assert told[-1].keys == {ARM, ("latency_p99", Arch.AMD64)}
    assert folded(told, clock, source.stale_after).freeze().source(SourceName.METRICS).freshness is Freshness.LIVE


@pytest.mark.parametrize(
    ("answer", "word", "no_data"),
    [
        (lambda now: vector(), "no series", True),
        (lambda now: vector((now, "NaN")), "NaN", True),
        (lambda now: vector((now, "+Inf")), "+Inf", True),
        (lambda now: vector((now, "-20")), "gives -20, which is no figure in seconds", False),
        (lambda now: vector((now, "1e200")), "gives 1e+200, which is no figure", False),
        (lambda now: vector((now, "1"), (now, "2")), '{pod="p0"} {pod="p1"}', False),
        (lambda now: vector((now, "1"), (now, "2"), metric={"x": "\x1b]52;c;a\x07"}), "␛]52", False),
        (
            lambda now: web.json_response({"status": "error", "errorType": "bad_data", "error": "parse error"}, status=400),
            "bad_data: parse error",
            False,
        ),
        (
            lambda now: web.json_response({"status": "success", "data": {"resultType": "string", "result": [1, "x"]}}),
            "result",
            False,
        ),
    ],
    ids=["empty", "nan", "inf", "negative", "absurd", "several", "hostile", "bad-data", "string"],
)
async def test_what_is_not_one_number_is_said_in_the_series(
    answer: Callable[[float], web.Response], word: str, no_data: bool
) -> None:
    clock = ManualClock()
    async with served(Metrics(clock, answer)) as source:
        series = newest(await rounds(source, clock, 1))
    assert word in series.error
    assert "\x1b" not in series.error
    assert series.error_is_no_data is no_data
    assert not series.samples


async def test_samples_grow_by_new_times_only_and_an_error_keeps_them() -> None:
    clock = ManualClock()
    base = clock.start.timestamp()
    values = iter(
        [(base, "1"), (base, "1"), (base, "2"), (base, "2"), (base + 15, "3"), (base + 15, "3"), (base, "NaN"), (base, "NaN")]
    )
    async with served(Metrics(clock, lambda now: vector(next(values)))) as source:
        told = await rounds(source, clock, 4)
    series = newest(told)
    assert [s.value for s in series.samples] == [1.0, 3.0]
    assert series.error_is_no_data


async def test_two_hours_of_samples_are_kept() -> None:
    clock = ManualClock()
    async with served(Metrics(clock)) as source:
        series = newest(await rounds(source, clock, 16, step=1000.0))
    spans = series.samples[-1].time - series.samples[0].time
    assert timedelta(hours=1) < spans <= timedelta(hours=2)


async def test_samples_are_kept_for_as_long_as_is_asked() -> None:
    clock = ManualClock()
    async with served(Metrics(clock), timedelta(hours=5)) as source:
        series = newest(await rounds(source, clock, 40, step=1000.0))
    spans = series.samples[-1].time - series.samples[0].time
    assert timedelta(hours=4) < spans <= timedelta(hours=5)
    assert len({s.time for s in series.samples}) == len(series.samples)


@pytest.mark.parametrize(
    ("soak", "lasting", "hours"), [("15m", "2m", 2), ("6h", "2m", 6), ("6h", "5h", 6), ("24h", "2m", 24), ("744h", "24h", 24)]
)
def test_samples_are_wanted_for_the_longest_soak_or_trigger_up_to_a_day(soak: str, lasting: str, hours: int) -> None:
    text = BASE.replace("soak: 15m", f"soak: {soak}").replace("for: 2m", f"for: {lasting}")
    assert timedelta(0) <= keep(loads(text, "p.yaml")) - timedelta(hours=hours) <= MARGIN


async def test_a_server_whose_time_stands_still_grows_stale_while_it_answers() -> None:
    clock = ManualClock()
    frozen = clock.start.timestamp()
    async with served(Metrics(clock, lambda now: vector((frozen, "0.25")))) as source:
        told = await rounds(source, clock, 8)
        store = folded(told, clock, source.stale_after)
    state = store.freeze().source(SourceName.METRICS)
    assert state.freshness is Freshness.STALE
    assert state.age is not None
    assert math.isclose(state.age, clock.elapsed, abs_tol=1.0)


async def test_a_server_that_is_old_from_the_first_answer_is_never_live() -> None:
    clock = ManualClock()
    old = clock.start.timestamp() - 3600
    async with served(Metrics(clock, lambda now: vector((old, "0.25")))) as source:
        told = await rounds(source, clock, 1)
        store = folded(told, clock, source.stale_after)
    assert store.freeze().source(SourceName.METRICS).freshness is Freshness.STALE


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda now: web.Response(status=502, text="<html>bad gateway"), "HTTP 502"),
        (lambda now: web.Response(status=200, text="<html>login page"), "without an answer"),
        (lambda now: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302"),
        (lambda now: web.Response(status=401), "bearer_token_file"),
    ],
    ids=["502", "html", "redirect", "401"],
)
async def test_a_server_that_cannot_be_asked_is_a_fault_and_every_series_says_why(
    answer: Callable[[float], web.Response], word: str
) -> None:
    clock = ManualClock()
    metrics = Metrics(clock)
    async with served(metrics) as source:
        good = await rounds(source, clock, 1)
        metrics.answer = answer
        told = await rounds(source, clock, 1)
        assert told[-1].kind is Kind.FAULT
        assert word in told[-1].why
        assert word in newest(told).error
        assert [s.value for s in newest(told).samples] == [s.value for s in newest(good).samples]
        state = folded([*good, *told], clock, source.stale_after).freeze().source(SourceName.METRICS)
        assert state.freshness is Freshness.FAULT
        metrics.answer = lambda now: vector((now + 1, "0.5"))
        again = await rounds(source, clock, 1)
    assert not newest(again).error
    assert again[-1].kind is Kind.LISTED


async def test_a_refused_connection_is_a_fault() -> None:
    source = MetricsSource(Prometheus("http://127.0.0.1:1"), SIGNALS, ManualClock(), Random(1))
    told = await collect(source, lambda t: t[-1].kind is Kind.FAULT)
    assert "connection refused" in told[-1].why


async def test_the_token_is_read_anew_and_never_shown(tmp_path: Path) -> None:
    clock = ManualClock()
    metrics = Metrics(clock)
    token = tmp_path / "token"
    token.write_text("s3cret-1\n")
    async with served(metrics, bearer_token_file=str(token)) as source:
        await rounds(source, clock, 1)
        assert set(metrics.tokens) == {"Bearer s3cret-1"}
        token.write_text("s3cret-2\n")
        metrics.tokens.clear()
        await rounds(source, clock, 1)
        assert set(metrics.tokens) == {"Bearer s3cret-2"}
        token.write_text("s3cret\nX-Evil: 1")
        told = await rounds(source, clock, 1)
        assert told[-1].kind is Kind.FAULT
        assert "s3cret" not in repr(told)
        token.unlink()
        assert "cannot be read" in (await rounds(source, clock, 1))[-1].why
