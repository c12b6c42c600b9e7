"""The playbook's signals of the load balancer itself, asked of CloudWatch for each target group.

A minute without requests has no data point, and that is no data, never 0. One exception, by CloudWatch's documentation: counters
such as HTTPCode_Target_5XX_Count are published only when they are not 0. So in a minute for which the same target group does
have a RequestCount, no count of errors is 0 errors. A count that was asked for and not given whole is a fault, never 0.

A request fails when the target answers with a 5xx, or when no connection to the target came about. What targets break later, and
gateway time-outs, CloudWatch has for the whole load balancer only (HTTPCode_ELB_5XX_Count), so that no side can be told of them.

A sample's time is the beginning of its minute: so nothing counts for a phase of which a part lies before it. The minute under
way is not asked for, and minutes already read are read again for a while, since data points are still completed late.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

from cockpit.clock import Clock
from cockpit.connections.cloudwatch import PERIOD, CloudWatchClient, Metric, Points
from cockpit.errors import CockpitError
from cockpit.model.arch import Arch
from cockpit.model.series import Sample, Series
from cockpit.model.signal import CloudWatch, Measure, Signal
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import Backoff, patience

BACKFILL = timedelta(minutes=45)
"""Asked for at the start, so that trends are there at once."""
AGAIN = timedelta(minutes=10)
"""So far back is read again each time."""
KEPT = timedelta(hours=2)
FAILURES = ("HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount", "TargetTLSNegotiationErrorCount")
_STATS = {Measure.LATENCY_P50: "p50", Measure.LATENCY_P95: "p95", Measure.LATENCY_P99: "p99"}

Key: TypeAlias = tuple[str, Arch]
Minutes: TypeAlias = Mapping[datetime, float]


class CloudWatchSource:
    """Series by (signal, arch) of those signals that CloudWatch is asked for. The client is not closed here."""

    names = (SourceName.METRICS,)

    def __init__(
        self,
        client: CloudWatchClient,
        config: CloudWatch,
        signals: Mapping[str, Signal],
        clock: Clock,
        random: Random | None = None,
        keep: timedelta = KEPT,
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._keep = keep
        self._wanted: dict[Key, Measure] = {
            (name, arch): signal.measure for name, signal in signals.items() if signal.measure for arch in Arch
        }
        # Throttling is per account and Region: a minute between attempts still leaves others room.
        self._backoff = Backoff(clock, random or Random(), first=5.0, most=60.0)  # noqa: S311 (jitter)
        self._minutes: dict[Key, dict[datetime, float]] = {key: {} for key in self._wanted}
        self._series: dict[Key, Series] = {}
        self._read_to: datetime | None = None

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, max(self._config.stale_after, 2 * self._config.every), 20.0)

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Ask until cancelled."""
        while True:
            started = self._clock.monotonic()
            told, fault = await self._round()
            for observation in told:
                yield observation
            if fault:
                await self._backoff.wait(fault)
                continue
            self._backoff.reset()
            await self._clock.sleep(max(1.0, started + self._config.every - self._clock.monotonic()))

    async def _round(self) -> tuple[list[Observation], CockpitError | None]:
        # The answer is at least as old as the question.
        at = self._clock.monotonic()
        end = _minute(self._clock.now())
        since = (self._read_to or end - BACKFILL + AGAIN) - AGAIN
        try:
            found = await self._client.points(self._metrics(), max(since, end - self._keep), end)
        except CockpitError as error:
            told = [self._upsert(key, at) for key in self._wanted if self._fails(key, error)]
            return [*told, Observation(SourceName.METRICS, Kind.FAULT, self._clock.monotonic(), why=str(error))], error
        self._read_to = end
        told = [self._upsert(key, at) for key in self._wanted if self._take(key, found, end)]
        return [*told, Observation(SourceName.METRICS, Kind.LISTED, at, keys=frozenset(self._wanted))], None

    def _metrics(self) -> list[Metric]:
        wanted = (metric for key, measure in self._wanted.items() for metric in self._needs(measure, key[1]))
        return list(dict.fromkeys(wanted))

    def _needs(self, measure: Measure, arch: Arch) -> tuple[Metric, ...]:
        """What a measure is made of; requests come last."""
        group = self._config.target_groups[arch]
        if measure in _STATS:
            return (Metric("TargetResponseTime", _STATS[measure], group),)
        requests = Metric("RequestCount", "Sum", group)
        if measure is Measure.REQUESTS:
            return (requests,)
        return (*(Metric(name, "Sum", group) for name in FAILURES), requests)

    def _take(self, key: Key, found: Mapping[Metric, Points], end: datetime) -> bool:
        """Whether the answer changes the series."""
        parts = [found[metric] for metric in self._needs(self._wanted[key], key[1])]
        if fault := next((part.fault for part in parts if part.fault), None):
            return self._fails(key, fault)
        minutes = self._minutes[key]
        minutes |= {m: v for m, v in _values(self._wanted[key], [part.values for part in parts]).items() if m < end}
        self._minutes[key] = {m: v for m, v in minutes.items() if m >= end - self._keep}
        return self._set(key, *self._silence(self._minutes[key]))

    def _silence(self, minutes: Iterable[datetime]) -> tuple[str, bool]:
        """Words for a target group that has had no data point for as long as one is believed."""
        newest = max(minutes, default=None)
        if newest and (self._clock.now() - newest).total_seconds() <= self._config.stale_after:
            return "", False
        since = f"since {newest:%H:%M} UTC" if newest else "so far"
        return f"CloudWatch has no data point {since} (no data: no requests, or none reported)", True

    def _fails(self, key: Key, error: CockpitError) -> bool:
        return self._set(key, str(error), False)

    def _set(self, key: Key, error: str, no_data: bool) -> bool:
        samples = tuple(Sample(minute, value) for minute, value in sorted(self._minutes[key].items()))
        before, after = self._series.get(key), Series(samples, error, no_data)
        self._series[key] = after
        return after != before

    def _upsert(self, key: Key, at: float) -> Observation:
        return Observation(SourceName.METRICS, Kind.UPSERT, at, key, self._series[key])


def _values(measure: Measure, parts: list[Minutes]) -> dict[datetime, float]:
    """The measure by minute: seconds, requests a second, or the share of requests that failed."""
    if measure in _STATS:
        return dict(parts[0])
    requests = {minute: count for minute, count in parts[-1].items() if count > 0}
    if measure is Measure.REQUESTS:
        return {minute: count / PERIOD for minute, count in requests.items()}
    failed = {minute: sum(part.get(minute, 0.0) for part in parts[:-1]) for minute in requests}
    # A connection is tried more than once: there may be more failures than requests.
    return {minute: min(1.0, failed[minute] / count) for minute, count in requests.items()}


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)
