"""The Prometheus HTTP API: instant and range queries that must give one series."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from cockpit.connections.failures import plain_words
from cockpit.connections.pool import Pool
from cockpit.connections.pulse import PATIENCE_SECONDS, Pulse
from cockpit.connections.tidy import tidy
from cockpit.errors import CockpitError, Rejected, Throttled, Unauthorized, Unreachable
from cockpit.model.series import Sample
from cockpit.redact import know, told

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
SHOWN_SERIES = 3
MOST_POINTS = 11_000
"""Prometheus gives no more in one series of a range query."""


class NoData(CockpitError):
    """The server answered, with an empty vector or with no number (NaN, Inf)."""


class _Result(msgspec.Struct, gc=False):
    metric: dict[str, str] = {}
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] | None = None


class _Data(msgspec.Struct, rename="camel", gc=False):
    result_type: str = ""
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Answer(msgspec.Struct, rename="camel", gc=False):
    status: str = ""
    data: _Data | None = None
    error_type: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """A span of time to query, `step` in seconds."""

    start: datetime
    end: datetime
    step: float

    def chunks(self) -> tuple[Range, ...]:
        """Spans of at most MOST_POINTS points each, the newest first, which no server refuses for their length."""
        longest = timedelta(seconds=self.step * (MOST_POINTS - 1))
        found, end = [], self.end
        while end >= self.start:
            start = max(self.start, end - longest)
            found.append(Range(start, end, self.step))
            end = start - timedelta(seconds=self.step)
        return tuple(found)


class PrometheusClient:
    """Queries one server. The bearer token is read from its file for each request and kept nowhere else. Wall-time time-outs."""

    def __init__(self, url: str, bearer_token_file: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._token_file = bearer_token_file
        self._http = Pool(lambda: _client(url, READ_SECONDS, CONNECT_SECONDS))
        self._prober = Pool(lambda: _client(url, PATIENCE_SECONDS, PATIENCE_SECONDS))
        self.pulse = Pulse(self._probe, self._http.renew)
        """Whether the server answers queries at all; felt by whoever asks from time to time."""

    async def instant(self, query: str, within: float = READ_SECONDS) -> Sample:
        """The value of a query now, with the server's time; `within` so many seconds of wall time.

        NoData, Rejected, Unauthorized, Throttled, Unreachable.
        """
        data = await self._ask("query", {"query": query}, within=within)
        if data.result_type == "scalar":
            return _sample(_decoded(data.result, tuple[float, str], self.url))
        found = _single(_decoded(data.result, list[_Result], self.url))
        if found.value is None:
            raise Rejected(f"the query gives a {told(data.result_type, 40)}, not one number", status=200, reason="bad_data")
        return _sample(found.value)

    async def range(self, query: str, over: Range) -> tuple[Sample, ...]:
        """The values of a query over a span, oldest first, without those that are no numbers. Errors as for `instant`."""
        span = {"start": over.start.timestamp(), "end": over.end.timestamp(), "step": over.step}
        data = await self._ask("query_range", {"query": query, **{key: f"{value:.3f}" for key, value in span.items()}})
        found = _single(_decoded(data.result, list[_Result], self.url))
        # Twice the same time happens where a proxy joins answers of several servers: the order is what is relied on.
        samples = {s.time: s for s in (_sample_or_none(value) for value in found.values or ()) if s is not None}
        return tuple(samples[time] for time in sorted(samples))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()
        await self._prober.aclose()

    async def _probe(self) -> None:
        # Not /-/ready: what speaks for a Prometheus may not have it, and a proxy's answer says nothing of what is behind it.
        await self._ask("query", {"query": "1"}, self._prober)

    async def _ask(self, what: str, form: Mapping[str, str], pool: Pool | None = None, within: float = READ_SECONDS * 2) -> _Data:
        headers = await self._identity()
        with plain_words(f"Prometheus {self.url}"):
            async with asyncio.timeout(within), (pool or self._http).client() as client:
                response = await client.post(f"{self.url}/api/v1/{what}", data=dict(form), headers=headers, extensions=tidy())
        answer = _answer(response)
        if response.status_code == 200 and answer.status == "success" and answer.data is not None:
            return answer.data
        raise _refusal(response, answer, self.url)

    async def _identity(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        try:
            token = (await asyncio.to_thread(_read, self._token_file)).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unauthorized(f"bearer_token_file {told(self._token_file)} cannot be read ({type(error).__name__})") from None
        if not token or not token.isascii() or not token.isprintable():
            raise Unauthorized(f"bearer_token_file {told(self._token_file)} holds no token")
        know(token)
        return {"Authorization": f"Bearer {token}"}


def _client(url: str, read: float, connect: float) -> httpx.AsyncClient:
    host = urlsplit(url).hostname or ""
    local = host == "localhost" or host.startswith("127.")
    # No redirects: the token must go nowhere else. No netrc either, which httpx reads with the proxies' settings.
    return httpx.AsyncClient(
        timeout=httpx.Timeout(read, connect=connect),
        trust_env=not local,
        auth=_no_auth,
        headers={"Accept": "application/json", "User-Agent": "cutover-cockpit"},
    )


def _read(path: str) -> str:
    return Path(path).expanduser().read_text()


def _no_auth(request: httpx.Request) -> httpx.Request:
    return request


def _answer(response: httpx.Response) -> _Answer:
    try:
        return msgspec.json.decode(response.content, type=_Answer)
    except msgspec.DecodeError:
        return _Answer()


def _refusal(response: httpx.Response, answer: _Answer, url: str) -> CockpitError:
    status = response.status_code
    said = told(f"{answer.error_type}: {answer.error}", 300) if answer.error else f"HTTP {status} without an answer of its API"
    if status in (401, 403):
        return Unauthorized(f"Prometheus {url} refuses the credentials (HTTP {status}): check bearer_token_file")
    if status == 429:
        return Throttled(f"Prometheus asks to wait: {said}", status=status, reason=answer.error_type)
    if not answer.error and (status >= 500 or status == 200 or 300 <= status < 400):
        return Unreachable(f"Prometheus {url}: {said}")
    return Rejected(f"Prometheus: {said}", status=status, reason=told(answer.error_type, 40))


def _decoded(raw: msgspec.Raw, type_: Any, url: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.DecodeError as error:
        raise Unreachable(f"Prometheus {url}: its answer is no result ({told(str(error), 200)})") from error


def _single(found: Sequence[_Result]) -> _Result:
    if not found:
        raise NoData("the query gives no series (no data)")
    if len(found) > 1:
        labels = " ".join(_labels(one.metric) for one in found[:SHOWN_SERIES])
        more = f" and {len(found) - SHOWN_SERIES} more" if len(found) > SHOWN_SERIES else ""
        message = f"the query gives {len(found)} series, not one: {labels}{more}; aggregate it (sum, max)"
        raise Rejected(message, status=200, reason="several_series")
    return found[0]


def _labels(metric: Mapping[str, str]) -> str:
    return told("{" + ", ".join(f'{key}="{value}"' for key, value in sorted(metric.items())) + "}", 200)


def _sample(pair: tuple[float, str]) -> Sample:
    sample = _sample_or_none(pair)
    if sample is None:
        raise NoData(f"the query gives {told(pair[1], 20)}, which is no number (no data)")
    return sample


def _sample_or_none(pair: tuple[float, str]) -> Sample | None:
    try:
        value = float(pair[1])
        time = datetime.fromtimestamp(pair[0], UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return Sample(time, value) if math.isfinite(value) else None
