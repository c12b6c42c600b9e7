"""Whether CloudWatch may be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cockpit.connections.cloudwatch import CloudWatchClient, Metric
from cockpit.model.check import Check, Result
from cockpit.model.signal import CloudWatch


async def readable(config: CloudWatch, cloudwatch: CloudWatchClient) -> list[Check]:
    """Whether cloudwatch:GetMetricData is allowed. A target group without traffic has no data points, and that is in order."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    metrics = [Metric("RequestCount", "Sum", group) for group in config.target_groups.values()]
    for points in (await cloudwatch.points(metrics, end - timedelta(minutes=5), end)).values():
        if points.fault:
            raise points.fault
    return [Check("cloudwatch", Result.PASS, f"{config.load_balancer} in {config.region} may be read")]
