"""A small CloudWatch over a real socket, in the protocol that boto3 chooses for it (AWS JSON 1.0)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Name = tuple[str, str, str]
"""Metric, statistic, target group."""


@dataclass
class SmallCloudWatch:
    """`data` holds values by the beginning of their minute. `refuse` answers a call instead, when it gives something."""

    data: dict[Name, dict[datetime, float]] = field(default_factory=dict)
    refuse: Callable[[int], tuple[int, str] | None] = lambda _: None
    statuses: dict[str, str] = field(default_factory=dict)
    """A status other than Complete, by the metric's name."""
    left_out: frozenset[str] = frozenset()
    """Metrics, by name, that the answer says nothing of."""
    page: int = 10_000
    """Points of one metric in one answer."""
    calls: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-Amz-Target") != "GraniteServiceVersion20100801.GetMetricData":
            return _answer(404, {"__type": "UnknownOperationException", "message": request.path})
        asked = json.loads(await request.text())
        for key in ("StartTime", "EndTime"):
            asked[key] = datetime.fromtimestamp(asked[key], UTC)
        self.calls.append(asked)
        if refused := self.refuse(len(self.calls)):
            status, code = refused
            return _answer(status, {"__type": code, "message": "as told"})
        return _answer(200, self._data(asked))

    def _data(self, asked: dict[str, Any]) -> dict[str, Any]:
        first = int(asked.get("NextToken", "0"))
        results, more = [], False
        for query in asked["MetricDataQueries"]:
            if query["MetricStat"]["Metric"]["MetricName"] in self.left_out:
                continue
            points = [(m, v) for m, v in self._points(query) if asked["StartTime"] <= m < asked["EndTime"]]
            some = points[first : first + self.page]
            more = more or len(points) > first + self.page
            rest = "PartialData" if len(points) > first + self.page else "Complete"
            status = self.statuses.get(query["MetricStat"]["Metric"]["MetricName"], rest)
            results.append(
                {
                    "Id": query["Id"],
                    "Label": "x",
                    "Timestamps": [m.timestamp() for m, _ in some],
                    "Values": [v for _, v in some],
                    "StatusCode": status,
                    "Messages": [] if status == rest else [{"Code": status, "Value": "as\x1b told"}],
                }
            )
        return {"MetricDataResults": results, "Messages": [], **({"NextToken": str(first + self.page)} if more else {})}

    def _points(self, query: dict[str, Any]) -> list[tuple[datetime, float]]:
        stat = query["MetricStat"]
        dimensions = {d["Name"]: d["Value"] for d in stat["Metric"]["Dimensions"]}
        if dimensions.get("LoadBalancer") != "app/pay/50dc6c495c0c9188" or stat["Metric"]["Namespace"] != "AWS/ApplicationELB":
            return []
        return sorted(self.data.get((stat["Metric"]["MetricName"], stat["Stat"], dimensions["TargetGroup"]), {}).items())


def _answer(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/x-amz-json-1.0")
