"""Prometheus' HTTP API over the model: the playbook's own queries are answered, all others refused in Prometheus' words."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from aiohttp import web

from cockpit.model.arch import Arch
from cockpit.rehearsal.objects import moment
from cockpit.rehearsal.scenarios import MetricsFault
from cockpit.rehearsal.signals import Meaning, squeeze
from cockpit.rehearsal.windows import Measured, Windows

MAX_POINTS = 11_000
VERSION = "3.5.0"


Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadData(Exception):
    """A request that Prometheus answers with 400 bad_data."""


class MetricsApi:
    """The server's handlers. `now` is virtual seconds since `origin`; `fault` says how the server fails at this moment."""

    def __init__(
        self,
        known: Mapping[str, Meaning],
        windows: Mapping[Arch, Windows],
        origin: datetime,
        now: Callable[[], float],
        fault: Callable[[], MetricsFault | None],
    ) -> None:
        self._known = known
        self._windows = windows
        self._origin = origin
        self._now = now
        self._fault = fault
        self._frozen: float | None = None

    def app(self) -> web.Application:
        """The application, to be served on loopback."""
        app = web.Application(middlewares=[self._guard])
        for path, handler in (("query", self._query), ("query_range", self._query_range), ("labels", self._labels)):
            app.router.add_route("GET", f"/api/v1/{path}", handler)
            app.router.add_route("POST", f"/api/v1/{path}", handler)
        app.router.add_get("/api/v1/status/buildinfo", self._build)
        app.router.add_get("/-/ready", self._ready)
        app.router.add_get("/-/healthy", self._ready)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._fault() is MetricsFault.DOWN:
            return web.Response(status=503, text="Service Unavailable\n")
        try:
            return await handler(request)
        except BadData as bad:
            return web.json_response({"status": "error", "errorType": "bad_data", "error": str(bad)}, status=400)

    async def _query(self, request: web.Request) -> web.Response:
        asked = await _parameters(request)
        meaning = self._meaning(asked)
        at = self._instant(asked.get("time"))
        value = self._value(meaning, at)
        vector = [] if value is None else [{"metric": {}, "value": [self._epoch(at), _text(value)]}]
        return _success({"resultType": "vector", "result": vector})

    async def _query_range(self, request: web.Request) -> web.Response:
        asked = await _parameters(request)
        meaning = self._meaning(asked)
        start, end = self._instant(_needed(asked, "start")), self._instant(_needed(asked, "end"))
        step = _seconds(_needed(asked, "step"))
        if end < start:
            raise BadData('invalid parameter "end": end timestamp must not be before start time')
        if (end - start) / step > MAX_POINTS:
            raise BadData("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution")
        points = [start + i * step for i in range(int((end - start) / step) + 1)]
        values = [(at, self._value(meaning, at)) for at in points]
        series = [[self._epoch(at), _text(v)] for at, v in values if v is not None]
        return _success({"resultType": "matrix", "result": [{"metric": {}, "values": series}] if series else []})

    async def _labels(self, _: web.Request) -> web.Response:
        return _success(["__name__", "app", "arch", "code", "le"])

    async def _build(self, _: web.Request) -> web.Response:
        return _success({"version": VERSION, "revision": "rehearsal", "branch": "HEAD", "goVersion": "none"})

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Ready.\n")

    def _meaning(self, asked: Mapping[str, str]) -> Meaning:
        query = _needed(asked, "query")
        found = self._known.get(squeeze(query))
        if found is None:
            text = "the embedded world evaluates no PromQL; it answers the playbook's own signal queries only"
            raise BadData(f'invalid parameter "query": {text}, and this is none of them: {query[:200]}')
        return found

    def _instant(self, text: str | None) -> float:
        """Virtual seconds of a `time` parameter; now when there is none. A frozen server knows one moment only."""
        if self._fault() is MetricsFault.STALE:
            self._frozen = self._now() if self._frozen is None else self._frozen
            return self._frozen
        self._frozen = None
        if text is None:
            return self._now()
        try:
            epoch = float(text)
        except ValueError:
            epoch = _rfc3339(text)
        if not math.isfinite(epoch):
            raise BadData(f'cannot parse "{text}" to a valid timestamp')
        return epoch - self._origin.timestamp()

    def _value(self, meaning: Meaning, at: float) -> float | None:
        step = math.floor(min(at, self._now()))
        if at > self._now() + 300:  # Prometheus looks back five minutes for the last sample
            return None
        measured = self._measured(meaning.arch, step)
        if measured is None:
            return None
        return math.nan if self._fault() is MetricsFault.NAN else meaning.value(measured)

    def _measured(self, arch: Arch | None, step: int) -> Measured | None:
        if arch is not None:
            return self._windows[arch].at(step)
        parts = [m for a in Arch if (m := self._windows[a].at(step)) is not None]
        if not parts:
            return None
        requests = sum(m.requests for m in parts)
        slow = sum(m.requests * m.p99 for m in parts) / requests
        return Measured(requests, sum(m.errors for m in parts), slow)

    def _epoch(self, at: float) -> float:
        return round((self._origin + timedelta(seconds=at)).timestamp(), 3)


async def _parameters(request: web.Request) -> dict[str, str]:
    form = await request.post() if request.method == "POST" else {}
    return {**{k: v for k, v in form.items() if isinstance(v, str)}, **request.query}


def _needed(asked: Mapping[str, str], name: str) -> str:
    value = asked.get(name, "")
    if value.strip():
        return value
    if name == "query":
        raise BadData('invalid parameter "query": unknown position: parse error: no expression found in input')
    raise BadData(f'invalid parameter "{name}": cannot parse "" to a valid timestamp')


def _seconds(text: str) -> float:
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
    number = text.rstrip("mshd")
    try:
        value = float(number) * units[text[len(number) :] or "s"]
    except (ValueError, KeyError):
        raise BadData(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from None
    if not math.isfinite(value) or value <= 0:
        text = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise BadData(f'invalid parameter "step": {text}')
    return value


def _rfc3339(text: str) -> float:
    try:
        found = moment(text)
    except ValueError:
        raise BadData(f'cannot parse "{text}" to a valid timestamp') from None
    return found.timestamp()


def _text(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.12g}"


def _success(data: object) -> web.Response:
    return web.json_response({"status": "success", "data": data})
