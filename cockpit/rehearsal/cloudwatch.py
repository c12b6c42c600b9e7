"""CloudWatch's GetMetricData over the model, in the protocol that boto3 speaks with it (AWS JSON 1.0).

As the real one has it of an Application Load Balancer: one data point a minute, none of a minute without requests, none of a
count that is 0, and none of the minute under way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cockpit.model.arch import Arch
from cockpit.rehearsal.signals import BODY
from cockpit.rehearsal.windows import Measured, Windows

TARGET = "GraniteServiceVersion20100801.GetMetricData"
"""The header X-Amz-Target of a call that is answered here."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class CloudWatchModel:
    """Answers for the target groups of `archs` (the last part of an ARN). `now` is virtual seconds since `origin`."""

    archs: Mapping[str, Arch]
    windows: Mapping[Arch, Windows]
    origin: datetime
    now: Callable[[], float]

    def answer(self, body: bytes) -> str:
        """The JSON answer to a call's body."""
        asked = json.loads(body)
        results = [self._result(query, asked["StartTime"], asked["EndTime"]) for query in asked["MetricDataQueries"]]
        return json.dumps({"MetricDataResults": results, "Messages": []})

    def _result(self, query: Mapping[str, Any], start: float, end: float) -> dict[str, Any]:
        metric = query["MetricStat"]["Metric"]
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        points = list(
            self._points(metric["MetricName"], query["MetricStat"]["Stat"], dimensions.get("TargetGroup", ""), start, end)
        )
        return {
            "Id": query["Id"],
            "Label": metric["MetricName"],
            "Timestamps": [minute for minute, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }

    def _points(self, name: str, stat: str, group: str, start: float, end: float) -> Iterator[tuple[int, float]]:
        arch = self.archs.get(group)
        zero = self.origin.timestamp()
        latest = (zero + self.now()) // _MINUTE * _MINUTE
        for minute in range(int(start // _MINUTE * _MINUTE), int(min(end, latest)), _MINUTE):
            measured = self.windows[arch].over(_MINUTE, int(minute + _MINUTE - zero) - 1) if arch else None
            value = _value(measured, name, stat) if measured else 0.0
            if value:
                yield minute, value


def _value(measured: Measured, name: str, stat: str) -> float:
    if name == "TargetResponseTime" and stat.startswith("p"):
        return measured.p99 * BODY.get(int(stat[1:]), 1.0)
    counts = {"RequestCount": measured.requests, "HTTPCode_Target_5XX_Count": measured.errors}
    return round(counts.get(name, 0.0) * _MINUTE)
