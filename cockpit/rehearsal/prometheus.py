"""Prometheus' HTTP API over the model: the playbook's own queries are answered, all others refused in Prometheus' words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from aiohttp import web

from cockpit.model.arch import Arch
from cockpit.rehearsal.objects import moment
from cockpit.rehearsal.scenarios import MetricsFault
from cockpit.rehearsal.signals import Meaning, squeeze
from cockpit.rehearsal.windows import WINDOW, Measured, Windows

MAX_POINTS = 11_000
VERSION = "3.5.0"

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_DURATION = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in ("y", "w", "d", "h", "m", "s", "ms")))
_UNITS = (31_536_000.0, 604_800.0, 86_400.0, 3600.0, 60.0, 1.0, 0.001)

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
        app.router.add_get("/-/healthy", self._healthy)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._fault() is MetricsFault.DOWN:
            return web.Response(status=503, text="Service Unavailable\n")
        try:
            return await handler(request)
        except BadData as bad:
            return _json({"status": "error", "errorType": "bad_data", "error": str(bad)}, 400)
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found\n")
        except web.HTTPMethodNotAllowed as refused:
            allow = {"Allow": ", ".join(sorted(refused.allowed_methods))}
            return web.Response(status=405, text="Method Not Allowed\n", headers=allow)

    async def _query(self, request: web.Request) -> web.Response:
        asked = await _parameters(request)
        at = self._instant(asked, "time")
        number = _NUMBER.fullmatch(asked.get("query", "").strip())
        if number and math.isfinite(at):
            return _success({"resultType": "scalar", "result": [self._epoch(at), _text(float(number[0]))]})
        value = self._value(self._meaning(asked), at)
        vector = [] if value is None else [{"metric": {}, "value": [self._epoch(at), _text(value)]}]
        return _success({"resultType": "vector", "result": vector})

    async def _query_range(self, request: web.Request) -> web.Response:
        asked = await _parameters(request)
        start, end = (self._instant(asked, name) for name in ("start", "end"))
        if not start <= end < math.inf:
            raise BadData('invalid parameter "end": end timestamp must not be before start time')
        step = _seconds(asked.get("step", ""))
        if (end - start) / step > MAX_POINTS:
            words = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
            raise BadData(words)
        meaning = self._meaning(asked)
        points = [start + i * step for i in range(int((end - start) / step) + 1)]
        values = [(at, self._value(meaning, at)) for at in points]
        series = [[self._epoch(at), _text(v)] for at, v in values if v is not None]
        return _success({"resultType": "matrix", "result": [{"metric": {}, "values": series}] if series else []})

    async def _labels(self, _: web.Request) -> web.Response:
        return _success(["__name__", "app", "arch", "code", "instance", "job", "le"])

    async def _build(self, _: web.Request) -> web.Response:
        return _success({"version": VERSION, "revision": "rehearsal", "branch": "HEAD", "goVersion": "none"})

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Ready.\n")

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Healthy.\n")

    def _meaning(self, asked: Mapping[str, str]) -> Meaning:
        query = asked.get("query", "")
        if not query.strip():
            raise BadData('invalid parameter "query": unknown position: parse error: no expression found in input')
        found = self._known.get(squeeze(query))
        if found is None:
            text = "the embedded world evaluates no PromQL; it answers the playbook's own signal queries only"
            raise BadData(f'invalid parameter "query": {text}, and this is none of them: {query[:200]}')
        return found

    def _instant(self, asked: Mapping[str, str], name: str) -> float:
        """Virtual seconds of a parameter; now when `time` is not given. A frozen server knows one moment only."""
        text = asked.get(name, "")
        at = self._now() if name == "time" and not text else self._moment(text, name)
        if self._fault() is MetricsFault.STALE:
            self._frozen = self._now() if self._frozen is None else self._frozen
            return self._frozen
        self._frozen = None
        return at

    def _moment(self, text: str, name: str) -> float:
        try:
            epoch = float(text)
        except ValueError:
            epoch = _rfc3339(text, name)
        # Prometheus takes NaN and Inf for a moment too: one at which there is nothing.
        return epoch - self._origin.timestamp() if math.isfinite(epoch) else math.inf

    def _value(self, meaning: Meaning, at: float) -> float | None:
        if at > self._now() + WINDOW:  # a rate over its window, which holds no sample any more
            return None
        step = math.floor(min(at, self._now()))
        measured = self._measured(meaning.arch, step)
        if measured is None:
            windows = [self._windows[arch] for arch in ([meaning.arch] if meaning.arch else Arch)]
            counted = any(w.served(step) for w in windows)
            return meaning.idle(counted) if any(w.begun(step) for w in windows) else None
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
        epoch = round((self._origin + timedelta(seconds=at)).timestamp(), 3)
        return int(epoch) if epoch.is_integer() else epoch


async def _parameters(request: web.Request) -> dict[str, str]:
    form = await request.post() if request.method == "POST" else {}
    return {**{k: v for k, v in form.items() if isinstance(v, str)}, **request.query}


def _seconds(text: str) -> float:
    """Seconds of a `step`: a number, or a duration such as `1m30s`."""
    try:
        value = float(text)
    except ValueError:
        parts = _DURATION.fullmatch(text)
        if not text or parts is None:
            raise BadData(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from None
        value = sum(float(number) * unit for number, unit in zip(parts.groups(), _UNITS, strict=True) if number)
    if not math.isfinite(value) or value <= 0:
        text = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise BadData(f'invalid parameter "step": {text}')
    return value


def _rfc3339(text: str, name: str) -> float:
    try:
        return moment(text).timestamp()
    except ValueError:
        more = "Invalid time value for 'time': " if name == "time" else ""
        raise BadData(f'invalid parameter "{name}": {more}cannot parse "{text}" to a valid timestamp') from None


def _text(value: float) -> str:
    """A number as Go writes it: no exponent."""
    return "NaN" if math.isnan(value) else f"{Decimal(f'{value:.12g}'):f}"


def _success(data: object) -> web.Response:
    return _json({"status": "success", "data": data}, 200)


def _json(answer: Mapping[str, object], status: int) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), status=status, headers={"Content-Type": "application/json"})
