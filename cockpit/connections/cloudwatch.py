"""CloudWatch as async calls: boto3 in a bounded pool of threads of its own, imported when first used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cockpit.connections.aws_clients import READ_ATTEMPTS, READ_SECONDS, client_settings, guarded
from cockpit.errors import CockpitError, Rejected, Unauthorized
from cockpit.model.signal import CloudWatch
from cockpit.redact import told

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient as Client

ACTION = "cloudwatch:GetMetricData"
NAMESPACE = "AWS/ApplicationELB"
PERIOD = 60
"""Seconds: an Application Load Balancer has one data point a minute."""
THREADS = 4
MOST_PAGES = 20
SERIES_A_CALL = 500


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one target group: CloudWatch's name for it and the statistic (`Sum`, `p99`)."""

    name: str
    stat: str
    target_group: str


@dataclass(frozen=True, slots=True)
class Points:
    """A metric's values by the time at which their minute began; `fault` says why it has none, when it was refused."""

    values: Mapping[datetime, float]
    fault: CockpitError | None = None


class CloudWatchClient:
    """GetMetricData of one load balancer. Time-outs are wall time; errors are of `cockpit.errors`. Close with `close`."""

    def __init__(self, config: CloudWatch, client: Client, pool: ThreadPoolExecutor) -> None:
        self._config = config
        self._client = client
        self._pool = pool
        self.endpoint = client.meta.endpoint_url

    @classmethod
    async def connect(cls, config: CloudWatch) -> CloudWatchClient:
        """A client that has not asked anything yet. Unauthorized without credentials, UsageError without a region."""
        pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="cloudwatch")
        try:
            client = await asyncio.get_running_loop().run_in_executor(pool, _open, config)
        except BaseException:
            pool.shutdown(wait=False)
            raise
        return cls(config, client, pool)

    async def points(self, metrics: Sequence[Metric], start: datetime, end: datetime) -> dict[Metric, Points]:
        """Every metric's data points of the minutes from `start` on and before `end`, all of them in as few calls as can be.

        Throttled when the retries did not help; Rejected, Unauthorized, Unreachable.
        """
        found: dict[Metric, Points] = {}
        for some in _batches(metrics):
            found |= await asyncio.get_running_loop().run_in_executor(
                self._pool, guarded, ACTION, self.endpoint, lambda some=some: self._ask(some, start, end)
            )
        return found

    def close(self) -> None:
        """Let go of connections and threads; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _ask(self, metrics: Sequence[Metric], start: datetime, end: datetime) -> dict[Metric, Points]:
        names = {f"m{index}": metric for index, metric in enumerate(metrics)}
        values: dict[str, dict[datetime, float]] = {name: {} for name in names}
        # A metric that no page speaks of has not been read, which is not the same as having no points.
        faults: dict[str, CockpitError | None] = {name: _fault({"StatusCode": "no result"}) for name in names}
        page: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            answer = self._client.get_metric_data(
                MetricDataQueries=[self._query(name, metric) for name, metric in names.items()],
                StartTime=start,
                EndTime=end,
                ScanBy="TimestampAscending",
                **page,
            )
            for result in answer["MetricDataResults"]:
                name = str(result.get("Id", ""))
                if name in values:
                    values[name] |= dict(_read(result))
                    faults[name] = _fault(result)
            if not (token := answer.get("NextToken")):
                break
            page = {"NextToken": token}
        else:
            raise Rejected(f"{ACTION}: the answer has more than {MOST_PAGES} pages", status=200, reason="too_long")
        return {metric: Points(values[name], faults[name]) for name, metric in names.items()}

    def _query(self, name: str, metric: Metric) -> Any:
        dimensions = {"LoadBalancer": self._config.load_balancer, "TargetGroup": metric.target_group}
        return {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                },
                "Period": PERIOD,
                "Stat": metric.stat,
            },
            "ReturnData": True,
        }


def _open(config: CloudWatch) -> Client:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError

    from cockpit.connections.aws_failures import aws_words
    from cockpit.connections.aws_secrets import know_session

    with aws_words(ACTION, config.endpoint_url or config.region):
        session = boto3.Session(region_name=config.region)
        if session.get_credentials() is None:
            raise NoCredentialsError
        know_session(session)
        settings = Config(**client_settings(config.endpoint_url, READ_ATTEMPTS, READ_SECONDS))
        return session.client("cloudwatch", endpoint_url=config.endpoint_url, config=settings)


def _read(result: Any) -> Iterator[tuple[datetime, float]]:
    for time, value in zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False):
        minute = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
        yield minute.replace(second=0, microsecond=0), float(value)


def _fault(result: Any) -> CockpitError | None:
    """What CloudWatch says of one metric that it did not give whole. A later page's word replaces the one before."""
    code = told(str(result.get("StatusCode", "no status")), 40)
    said = "; ".join(told(str(m.get("Value", "")), 200) for m in result.get("Messages", ()))
    if code == "Complete":
        return None
    if code == "Forbidden":
        return Unauthorized(f"not allowed: {ACTION} ({said}); ask for this permission")
    if code == "InternalError":
        return Rejected(f"CloudWatch has an internal error on this metric: {said}", status=200, reason=code)
    return Rejected(f"CloudWatch has not given all of this metric ({code}) {said}".rstrip(), status=200, reason=code)


def _batches(metrics: Sequence[Metric]) -> Iterator[Sequence[Metric]]:
    for first in range(0, len(metrics), SERIES_A_CALL):
        yield metrics[first : first + SERIES_A_CALL]
