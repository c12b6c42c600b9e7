"""Signals from CloudWatch over real sockets: one point a minute or none, never a 0 that nobody measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from cockpit.clock import ManualClock
from cockpit.connections.cloudwatch import CloudWatchClient, Metric
from cockpit.errors import Throttled, Unauthorized
from cockpit.model.arch import Arch
from cockpit.model.series import Series
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.playbook import loads
from cockpit.preflight import preflight
from cockpit.sources.base import Kind, Observation
from cockpit.sources.cloudwatch import BACKFILL, CloudWatchSource
from cockpit.store import Store
from tests.contract.small_api import serving
from tests.contract.watching import SmallCloudWatch
from tests.unit.playbook.base import BASE

_OWN = BASE[BASE.index("  prometheus:") : BASE.index("agents:")]
PLAYBOOK = loads(
    BASE.replace(
        _OWN,
        "  cloudwatch: {}\n  signals:\n    latency: {preset: alb, of: latency_p99}\n"
        "    errors: {source: cloudwatch, of: error_rate}\n    requests: {preset: alb}\n",
    ),
    "p.yaml",
)
GROUPS = {Arch.AMD64: "targetgroup/x86/6d0ecf831eec9f09", Arch.ARM64: "targetgroup/arm/73e2d6bc24d8a067"}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # botocore waits between its own attempts with time.sleep.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


def minutes(clock: ManualClock, values: list[float | None], ending: int = 1) -> dict[datetime, float]:
    """Values of the last minutes, the newest `ending` minutes ago; None leaves a hole."""
    last = clock.now().replace(second=0, microsecond=0) - timedelta(minutes=ending)
    pairs = ((last - timedelta(minutes=len(values) - 1 - i), v) for i, v in enumerate(values))
    return {minute: value for minute, value in pairs if value is not None}


def full(clock: ManualClock) -> SmallCloudWatch:
    """Both groups with traffic: 600 and 60 requests a minute."""
    data = {}
    for arch, requests in ((Arch.AMD64, 600.0), (Arch.ARM64, 60.0)):
        data["RequestCount", "Sum", GROUPS[arch]] = minutes(clock, [requests] * 40)
        data["TargetResponseTime", "p99", GROUPS[arch]] = minutes(clock, [0.12] * 40)
    return SmallCloudWatch(data)


@asynccontextmanager
async def client(server: SmallCloudWatch) -> AsyncIterator[CloudWatchClient]:
    assert PLAYBOOK.cloudwatch
    async with serving(server) as url:
        connected = await CloudWatchClient.connect(replace(PLAYBOOK.cloudwatch, endpoint_url=url))
        try:
            yield connected
        finally:
            connected.close()


async def rounds(server: SmallCloudWatch, clock: ManualClock, count: int, step: float = 60.0) -> list[Observation]:
    """What is told in `count` rounds, `step` seconds apart."""
    assert PLAYBOOK.cloudwatch
    told: list[Observation] = []
    async with client(server) as connected:
        stream = CloudWatchSource(connected, PLAYBOOK.cloudwatch, PLAYBOOK.signals, clock, Random(1)).observe()
        try:
            while sum(o.kind in (Kind.LISTED, Kind.FAULT) for o in told) < count:
                pending = asyncio.ensure_future(anext(stream))
                while not (await asyncio.wait({pending}, timeout=0.005))[0]:
                    if clock._sleepers:
                        await clock.advance(step)
                told.append(pending.result())
        finally:
            await stream.aclose()
    return told


def newest(told: list[Observation], signal: str, arch: Arch = Arch.ARM64) -> Series:
    found = [o.value for o in told if o.key == (signal, arch)][-1]
    assert isinstance(found, Series)
    return found


async def test_one_call_asks_for_everything_and_the_trend_is_there_at_once() -> None:
    clock = ManualClock()
    server = full(clock)
    told = await rounds(server, clock, 1)
    assert len(server.calls) == 1
    assert len(server.calls[0]["MetricDataQueries"]) == 10
    assert server.calls[0]["EndTime"] - server.calls[0]["StartTime"] == BACKFILL
    assert {q["MetricStat"]["Period"] for q in server.calls[0]["MetricDataQueries"]} == {60}
    assert told[-1].keys == {(s, a) for s in ("latency", "errors", "requests") for a in Arch}
    latency, requests = newest(told, "latency"), newest(told, "requests")
    assert len(latency.samples) == 40
    assert {s.value for s in latency.samples} == {0.12}
    assert {s.value for s in requests.samples} == {1.0}
    assert {s.value for s in newest(told, "requests", Arch.AMD64).samples} == {10.0}


async def test_a_sample_is_of_the_beginning_of_its_minute_and_the_minute_under_way_is_not_used() -> None:
    clock = ManualClock()
    server = full(clock)
    this = clock.now().replace(second=0, microsecond=0)
    server.data["RequestCount", "Sum", GROUPS[Arch.ARM64]][this] = 3.0
    series = newest(await rounds(server, clock, 1), "requests")
    assert series.latest is not None
    assert series.latest.time == this - timedelta(minutes=1)
    assert 3.0 / 60 not in [s.value for s in series.samples]


async def test_no_count_of_errors_is_none_only_where_requests_were_counted() -> None:
    clock = ManualClock()
    server = full(clock)
    server.data["RequestCount", "Sum", GROUPS[Arch.ARM64]] = minutes(clock, [100.0, None, 100.0, 0.0, 100.0])
    server.data["HTTPCode_Target_5XX_Count", "Sum", GROUPS[Arch.ARM64]] = minutes(clock, [None, 7.0, 2.0, 1.0, None])
    series = newest(await rounds(server, clock, 1), "errors")
    assert [s.value for s in series.samples] == [0.0, 0.02, 0.0]


async def test_a_group_without_a_data_point_is_no_data_and_the_other_side_goes_on() -> None:
    clock = ManualClock()
    server = full(clock)
    for stat in (("RequestCount", "Sum"), ("TargetResponseTime", "p99")):
        server.data[(*stat, GROUPS[Arch.ARM64])] = {}
    told = await rounds(server, clock, 1)
    for signal in ("latency", "errors", "requests"):
        series = newest(told, signal)
        assert series.error_is_no_data
        assert not series.samples
        assert "no data point so far" in series.error
        assert not newest(told, signal, Arch.AMD64).error
    assert told[-1].kind is Kind.LISTED


async def test_points_that_stop_become_no_data_once_they_are_too_old() -> None:
    clock = ManualClock()
    told = await rounds(full(clock), clock, 8)
    series = newest(told, "latency")
    assert series.error_is_no_data
    assert series.samples
    assert not series.standing
    assert not any(o.value.error for o in told[:6] if isinstance(o.value, Series))


async def test_a_point_that_is_completed_late_replaces_the_first_one() -> None:
    clock = ManualClock()
    server = full(clock)
    key = ("RequestCount", "Sum", GROUPS[Arch.ARM64])
    last = max(server.data[key])
    server.data[key][last] = 6.0
    whole = dict(server.data[key])

    def complete(_: int) -> None:
        if len(server.calls) == 2:
            server.data[key] = {**whole, last: 60.0}

    server.refuse = complete
    told = await rounds(server, clock, 2)
    series = newest(told, "requests")
    assert [s.value for s in series.samples if s.time == last] == [1.0]
    assert len({s.time for s in series.samples}) == len(series.samples)


async def test_pages_are_put_together() -> None:
    clock = ManualClock()
    server = full(clock)
    server.page = 7
    told = await rounds(server, clock, 1)
    assert len(newest(told, "latency").samples) == 40
    assert len(server.calls) == 6


async def test_throttling_is_retried_a_few_times_and_then_said() -> None:
    clock = ManualClock()
    server = full(clock)
    server.refuse = lambda call: (400, "ThrottlingException") if call <= 2 else None
    told = await rounds(server, clock, 1)
    assert told[-1].kind is Kind.LISTED
    assert len(server.calls) == 3
    server.refuse = lambda _: (400, "ThrottlingException")
    told = await rounds(server, clock, 1)
    assert len(server.calls) == 6
    assert told[-1].kind is Kind.FAULT
    assert "cloudwatch:GetMetricData is throttled" in told[-1].why
    assert "throttled" in newest(told, "latency").error
    assert not newest(told, "latency").error_is_no_data


async def test_a_missing_permission_is_named() -> None:
    server = SmallCloudWatch(refuse=lambda _: (403, "AccessDenied"))
    clock = ManualClock()
    async with client(server) as connected:
        with pytest.raises(Unauthorized, match="cloudwatch:GetMetricData"):
            await connected.points([Metric("RequestCount", "Sum", GROUPS[Arch.ARM64])], clock.now(), clock.now())


async def test_one_metric_that_is_refused_marks_its_own_series_only() -> None:
    clock = ManualClock()
    server = full(clock)
    server.statuses = {"TargetResponseTime": "Forbidden", "HTTPCode_Target_5XX_Count": "InternalError"}
    told = await rounds(server, clock, 1)
    assert "not allowed" in newest(told, "latency").error
    assert "\x1b" not in newest(told, "latency").error
    assert not newest(told, "latency").error_is_no_data
    assert "internal error" in newest(told, "errors").error
    assert not newest(told, "requests").error


@pytest.mark.parametrize("missing", ["PartialData", "Unheard", "no result"])
async def test_a_count_of_errors_that_was_not_given_whole_is_not_0(missing: str) -> None:
    clock = ManualClock()
    server = full(clock)
    if missing == "no result":
        server.left_out = frozenset({"HTTPCode_Target_5XX_Count"})
    else:
        server.statuses = {"HTTPCode_Target_5XX_Count": missing}
    told = await rounds(server, clock, 1)
    series = newest(told, "errors")
    assert not series.samples
    assert missing in series.error
    assert not series.error_is_no_data
    assert not newest(told, "requests").error
    server.statuses, server.left_out = {}, frozenset()
    assert {s.value for s in newest(await rounds(server, clock, 1), "errors").samples} == {0.0}


async def test_connections_that_targets_break_are_errors() -> None:
    clock = ManualClock()
    server = full(clock)
    server.data["RequestCount", "Sum", GROUPS[Arch.ARM64]] = minutes(clock, [100.0, 100.0, 100.0, 10.0])
    server.data["HTTPCode_Target_5XX_Count", "Sum", GROUPS[Arch.ARM64]] = minutes(clock, [None, 1.0, None, None])
    server.data["TargetConnectionErrorCount", "Sum", GROUPS[Arch.ARM64]] = minutes(clock, [None, 2.0, 5.0, 40.0])
    server.data["TargetTLSNegotiationErrorCount", "Sum", GROUPS[Arch.ARM64]] = minutes(clock, [None, 1.0, None, None])
    series = newest(await rounds(server, clock, 1), "errors")
    assert [s.value for s in series.samples] == [0.0, 0.04, 0.05, 1.0]


async def test_after_an_outage_what_was_missed_is_read() -> None:
    clock = ManualClock()
    server = full(clock)
    start = clock.now().replace(second=0, microsecond=0)
    server.refuse = lambda call: (503, "ServiceUnavailable") if 2 <= call <= 40 else None
    for key in server.data:
        server.data[key] |= {start + timedelta(minutes=i): 0.2 for i in range(60)}
    told = await rounds(server, clock, 15)
    faults = [o for o in told if o.kind is Kind.FAULT]
    assert faults
    assert told[-1].kind is Kind.LISTED
    times = [s.time for s in newest(told, "latency").samples]
    assert times == [times[0] + timedelta(minutes=i) for i in range(len(times))]


async def test_an_endpoint_that_is_gone_is_a_fault_that_every_series_says() -> None:
    clock = ManualClock()
    server = full(clock)
    server.refuse = lambda _: (502, "<html>")
    told = await rounds(server, clock, 1)
    store = Store(clock)
    store.register([SourceName.METRICS], 300.0)
    for observation in told:
        store.fold(observation)
    assert store.freeze().source(SourceName.METRICS).freshness is Freshness.FAULT
    assert all(newest(told, s, a).error for s in PLAYBOOK.signals for a in Arch)


async def test_throttled_is_an_error_of_its_own() -> None:
    server = SmallCloudWatch(refuse=lambda _: (429, "TooManyRequestsException"))
    clock = ManualClock()
    async with client(server) as connected:
        with pytest.raises(Throttled):
            await connected.points([Metric("RequestCount", "Sum", GROUPS[Arch.ARM64])], clock.now(), clock.now())


async def test_preflight_asks_whether_it_may_be_read_and_traffic_is_not_needed_for_that() -> None:
    async with client(SmallCloudWatch()) as connected:
        assert (await preflight(PLAYBOOK, None, None, connected)).words == (
            "cloudwatch: app/pay/50dc6c495c0c9188 in ap-south-1 may be read",
        )
    async with client(SmallCloudWatch(refuse=lambda _: (403, "AccessDeniedException"))) as connected:
        with pytest.raises(Unauthorized, match="not allowed: cloudwatch:GetMetricData"):
            await preflight(PLAYBOOK, None, None, connected)
    async with client(SmallCloudWatch(statuses={"RequestCount": "Forbidden"})) as connected:
        with pytest.raises(Unauthorized, match="cloudwatch:GetMetricData"):
            await preflight(PLAYBOOK, None, None, connected)
