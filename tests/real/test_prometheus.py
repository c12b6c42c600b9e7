"""The shipped PromQL as a real Prometheus evaluates it, read and judged by the cockpit's own parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from cockpit.model.arch import Arch
from cockpit.model.signal import Signal, Unit
from cockpit.model.snapshot import Freshness
from cockpit.model.verdict import Outcome
from tests.real.exporter import BOUNDS, SHARE, Exporter, recorded
from tests.real.metrics import ERRORS, P99, followed
from tests.real.prometheus import MISSING, REQUIRED, Prometheus, installed

if not installed() and not REQUIRED:
    pytest.skip(MISSING, allow_module_level=True)

WINDOW = 120.0
PAST = 900.0
Make = Callable[..., AbstractContextManager[Prometheus]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A server whose exporter has been scraped for the last PAST seconds but for the last `gap` of them."""

    @contextmanager
    def made(gap: float = 0.0, scraped: bool = True, restarted: float | None = None, **how: object) -> Iterator[Prometheus]:
        now = time.time()
        exporter = Exporter(now - PAST, **how)  # type: ignore[arg-type]
        if restarted is not None:
            exporter.restarted = now - restarted
        with Prometheus(exporter, tmp_path) as prometheus:
            if scraped:
                exporter.start()
            else:
                exporter.port = 1
            prometheus.remember(now - PAST, now - gap)
            prometheus.start()
            try:
                yield prometheus
            finally:
                exporter.stop()

    return made


def told_by_the_model(arch: Arch, exporter: Exporter) -> tuple[float, float, float]:
    """Requests per second, failing share and p99 over the window that ends now, as the embedded Prometheus tells them."""
    measured = recorded()[1][arch].at(int(time.time() - exporter.zero))
    assert measured is not None
    return measured.requests, measured.errors / measured.requests, measured.p99


def bucket_of(p99: float) -> tuple[float, float]:
    """The bounds of the bucket that a p99 is in: histogram_quantile knows no better."""
    above = next(bound for bound in BOUNDS if bound > p99)
    return ([0.0, *BOUNDS][BOUNDS.index(above)], above)


async def test_rates_errors_and_quantiles_are_those_of_the_model_and_of_the_embedded_prometheus(make: Make) -> None:
    with make() as prometheus:
        async with followed(prometheus.url) as shown:
            await shown.synced()
            for arch in Arch:
                requests, errors, p99 = told_by_the_model(arch, prometheus.exporter)
                assert shown.value("requests", arch) == pytest.approx(requests, rel=0.03)
                assert shown.value("error_rate", arch) == pytest.approx(errors, rel=0.05)
                low, high = bucket_of(p99)
                assert low <= shown.value("latency_p99", arch) <= high
            share = shown.value("requests") / (shown.value("requests") + shown.value("requests", Arch.AMD64))
            assert share == pytest.approx(SHARE / 100, abs=0.01)
            assert shown.verdict(P99).outcome is Outcome.PASS
            assert shown.verdict(ERRORS).outcome is Outcome.PASS


async def test_the_past_is_filled_in_by_query_range(make: Make) -> None:
    with make() as prometheus:
        started = time.time()
        async with followed(prometheus.url) as shown:
            await shown.synced()
            samples = shown.series("requests").samples
    first = samples[0].time.timestamp()
    assert first < started - PAST + WINDOW + 30, "as far back as there is anything"
    assert [s.time for s in samples] == sorted({s.time for s in samples})
    assert len([s for s in samples if s.time.timestamp() < started]) > PAST / 2


async def test_the_other_shipped_playbook_asks_for_what_is_not_there_and_gets_no_data(make: Make) -> None:
    with make() as prometheus:
        async with followed(prometheus.url, "affinity-only") as shown:
            await shown.synced()
            assert shown.freshness() is Freshness.LIVE
            for check in (P99, ERRORS):
                assert shown.verdict(check).outcome is Outcome.NO_DATA, "0/0 must not be read as no errors"


async def test_no_error_at_all_is_zero_and_not_no_data(make: Make) -> None:
    with make(fails=False) as prometheus:
        async with followed(prometheus.url) as shown:
            await shown.synced()
            assert shown.value("error_rate") == 0.0
            assert shown.verdict(ERRORS).outcome is Outcome.PASS


async def test_an_architecture_without_traffic_has_no_data(make: Make) -> None:
    with make(arches=(Arch.AMD64,)) as prometheus:
        async with followed(prometheus.url) as shown:
            await shown.synced()
            for signal, check in (("latency_p99", P99), ("error_rate", ERRORS)):
                assert shown.series(signal).error_is_no_data
                assert shown.verdict(check).outcome is Outcome.NO_DATA
            assert shown.value("requests", Arch.AMD64) > 0


async def test_traffic_that_has_stopped_is_nan_and_no_data(make: Make) -> None:
    """The counters are still there and stand still: rates are 0, a quantile and 0/0 are NaN."""
    with make() as prometheus:
        # Beyond its end the tape stands still.
        prometheus.exporter.zero -= 10 * PAST
        signals = {
            "p99": Signal("p99", Unit.SECONDS, still("histogram_quantile(0.99, sum by (le) ({}))", "duration_seconds_bucket")),
            "errors": Signal("errors", Unit.RATIO, still("sum({}) / sum({})", "requests_total", "requests_total")),
            "rate": Signal("rate", Unit.REQUESTS_PER_SECOND, still("sum({})", "requests_total")),
        }
        async with followed(prometheus.url, signals=signals) as shown:
            await shown.until(lambda: shown.series("rate").latest is not None and shown.value("rate") == 0.0, shown.snapshot)
            await shown.rounds(1)
            for signal in ("p99", "errors"):
                assert "NaN" in shown.series(signal).error
                assert shown.series(signal).error_is_no_data


def still(query: str, *names: str) -> str:
    """A shipped query over a few seconds instead of two minutes: what has stopped is seen at once."""
    ranges = [f'rate(http_{name}{{app="payments",arch="{{{{arch}}}}"}}[3s])' for name in names]
    for one in ranges:
        query = query.replace("{}", one.replace("http_duration", "http_request_duration"), 1)
    return query


async def test_after_the_exporter_has_stopped_the_window_runs_dry_and_nothing_passes_or_fails(make: Make) -> None:
    gap = WINDOW - 6.0
    with make(gap=gap, scraped=False) as prometheus:
        async with followed(prometheus.url) as shown:
            await shown.until(lambda: shown.series("error_rate").error_is_no_data, lambda: shown.series("error_rate").latest)
            await shown.rounds(1)
            assert shown.freshness() is Freshness.LIVE, "the server answers: it is the service that does not"
            for check in (P99, ERRORS):
                assert shown.verdict(check).outcome is Outcome.NO_DATA, "neither PASS nor FAIL"
            assert shown.value("requests") == 0.0, "`or vector(0)`: Prometheus itself says that there are none"


async def test_several_series_are_an_error_that_names_them(make: Make) -> None:
    bare = {"error_rate": Signal("error_rate", Unit.RATIO, 'rate(http_requests_total{arch="{{arch}}"}[2m])')}
    with make() as prometheus:
        async with followed(prometheus.url, signals=bare) as shown:
            await shown.synced()
            verdict = shown.verdict(ERRORS)
            assert verdict.outcome is Outcome.ERROR
            assert "2 series" in verdict.reason
            assert 'code="200"' in verdict.reason
            assert 'code="500"' in verdict.reason


async def test_a_query_that_does_not_parse_is_an_error_in_the_servers_words(make: Make) -> None:
    broken = {"error_rate": Signal("error_rate", Unit.RATIO, 'sum(rate(x{arch="{{arch}}"}[2m])')}
    with make() as prometheus:
        async with followed(prometheus.url, signals=broken) as shown:
            await shown.synced()
            verdict = shown.verdict(ERRORS)
            assert verdict.outcome is Outcome.ERROR
            assert "parse error" in verdict.reason


async def test_a_counter_that_starts_again_in_the_middle_of_the_window_changes_no_rate(make: Make) -> None:
    with make(restarted=60.0) as prometheus:
        async with followed(prometheus.url) as shown:
            await shown.synced()
            requests, errors, p99 = told_by_the_model(Arch.ARM64, prometheus.exporter)
            # What came between the last scrape and the restart is lost: five seconds of the made past at most.
            assert shown.value("requests") == pytest.approx(requests, rel=0.07)
            assert shown.value("error_rate") == pytest.approx(errors, rel=0.1)
            low, high = bucket_of(p99)
            assert low <= shown.value("latency_p99") <= high
            assert shown.verdict(P99).outcome is Outcome.PASS


async def test_a_restart_is_a_fault_and_then_the_same_source_goes_on(make: Make) -> None:
    with make() as prometheus:
        async with followed(prometheus.url) as shown:
            await shown.synced()
            before = len(shown.series("requests").samples)
            prometheus.stop()
            await shown.until(lambda: shown.freshness() is Freshness.FAULT, shown.freshness, limit=10.0)
            assert shown.verdict(P99).outcome is Outcome.NO_DATA
            assert "connection refused" in shown.verdict(P99).reason
            assert len(shown.series("requests").samples) >= before, "what was known stays"
            prometheus.start()
            await shown.until(lambda: shown.freshness() is Freshness.LIVE, shown.freshness, limit=5.0)
            await shown.until(lambda: shown.verdict(P99).outcome is Outcome.PASS, lambda: shown.verdict(P99))
