"""The embedded Prometheus against the real one, request by request, on the same traffic at the same time."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from cockpit.playbook import find, load
from cockpit.rehearsal.prometheus import MetricsApi
from cockpit.rehearsal.signals import meanings
from tests.real.exporter import BOUNDS, Exporter, recorded
from tests.real.prometheus import MISSING, REQUIRED, Prometheus, installed

if not installed() and not REQUIRED:
    pytest.skip(MISSING, allow_module_level=True)

PAST = 900.0
PLAYBOOK = load(find("rehearsal"))
QUERIES = {name: signal.query.replace("{{arch}}", "arm64") for name, signal in PLAYBOOK.signals.items()}
RATE = QUERIES["requests"]
EMPTY = QUERIES["error_rate"]
"""Gives nothing where there was nothing. RATE gives 0 there, except in the embedded one before its beginning: that is to look
like a world that was always there, and not like one without traffic."""


@dataclass(frozen=True)
class Asked:
    """A request; parameters that begin with `@` are seconds before now, which is the same moment for both."""

    what: str
    path: str
    form: Mapping[str, str]
    method: str = "POST"


def instant(what: str, query: str, **more: str) -> Asked:
    return Asked(what, "/api/v1/query", {"query": query, **more})


def ranged(what: str, **changes: str) -> Asked:
    form = {"query": RATE, "start": "@300", "end": "@240", "step": "15", **changes}
    return Asked(what, "/api/v1/query_range", {key: value for key, value in form.items() if value != "-"})


ASKED = [
    *(instant(name, query, time="@100") for name, query in QUERIES.items()),
    Asked("by GET", "/api/v1/query", {"query": RATE, "time": "@100"}, "GET"),
    instant("before everything", EMPTY, time="@5000"),
    instant("long after now", EMPTY, time="@-5000"),
    instant("a time of another form", EMPTY, time="2026-01-02T03:04:05Z"),
    instant("no time that exists", RATE, time="yesterday"),
    instant("NaN for a time", EMPTY, time="NaN"),
    instant("a number", "1", time="@100"),
    instant("a query that does not parse", "sum((", time="@100"),
    instant("an empty query", " ", time="@100"),
    Asked("no parameter at all", "/api/v1/query", {}),
    ranged("a range"),
    ranged("steps with a unit", step="15s"),
    ranged("steps of several units", start="@700", step="1m30s"),
    ranged("a range in which there is nothing", query=EMPTY, start="@9000", end="@8000"),
    ranged("no start", start="-"),
    ranged("no end", end="-"),
    ranged("no step", step="-"),
    ranged("no query", query="-"),
    ranged("a start that is no time", start="x"),
    ranged("end before start", end="@400"),
    ranged("a step of zero", step="0"),
    ranged("a negative step", step="-1"),
    ranged("a step that is no duration", step="x"),
    ranged("too many points", start="@30000", step="1"),
    Asked("an unknown path", "/api/v1/nothing", {}),
    Asked("an unknown page", "/nothing", {}, "GET"),
    Asked("a method that is not allowed", "/api/v1/query", {}, "PUT"),
    Asked("ready", "/-/ready", {}, "GET"),
    Asked("healthy", "/-/healthy", {}, "GET"),
    Asked("labels", "/api/v1/labels", {}, "GET"),
]
OWN_WORDS = ("an empty query", "no parameter at all", "no query", "a query that does not parse")
"""Prometheus words these differently from version to version; the embedded one cannot know what is wrong with a query."""


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[tuple[str, str, float]]:
    """Addresses of the real and of the embedded one, and now."""
    now = math.floor(time.time())
    exporter = Exporter(now - PAST)
    exporter.port = 1
    origin = datetime.fromtimestamp(now - PAST, UTC)
    api = MetricsApi(meanings(PLAYBOOK.signals.values()), recorded()[1], origin, lambda: PAST, lambda: None)
    runner = web.AppRunner(api.app())
    with Prometheus(exporter, folder) as real:
        real.remember(now - PAST, now, every=1.0)
        real.start()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield real.url, f"http://127.0.0.1:{runner.addresses[0][1]}", now
        finally:
            await runner.cleanup()


async def test_every_answer_is_the_real_ones(tmp_path: Path) -> None:
    async with both(tmp_path) as (real, embedded, now), httpx.AsyncClient() as client:
        differences = []
        for asked in ASKED:
            answers = [await answer(client, url, asked, now) for url in (real, embedded)]
            if not alike(*answers, exact=asked.what not in OWN_WORDS):
                differences.append(f"{asked.what}:\n  real     {answers[0]}\n  embedded {answers[1]}")
        assert not differences, "\n".join(differences)


async def answer(client: httpx.AsyncClient, url: str, asked: Asked, now: float) -> list[Any]:
    """Status, content type and body."""
    form = {key: f"{now - float(value[1:]):.0f}" if value.startswith("@") else value for key, value in asked.form.items()}
    given: dict[str, Any] = {"params": form} if asked.method == "GET" else {"data": form}
    response = await client.request(asked.method, url + asked.path, **given)
    kind = response.headers.get("content-type")
    return [response.status_code, kind, response.json() if kind == "application/json" else response.text]


def alike(real: Any, embedded: Any, *, exact: bool) -> bool:
    """The same, but for how the measured numbers come about: rates are extrapolated, quantiles interpolated in a bucket."""
    if isinstance(real, dict) and isinstance(embedded, dict):
        fields = real.keys() == embedded.keys()
        return fields and all(alike(real[k], embedded[k], exact=exact) for k in real if exact or k != "error")
    if isinstance(real, list) and isinstance(embedded, list):
        return len(real) == len(embedded) and all(alike(a, b, exact=exact) for a, b in zip(real, embedded, strict=True))
    if isinstance(real, str) and isinstance(embedded, str) and is_number(real) and is_number(embedded):
        return float(embedded) == pytest.approx(float(real), rel=0.02) or same_bucket(float(real), float(embedded))
    return type(real) is type(embedded) and bool(real == embedded)


def is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def same_bucket(one: float, other: float) -> bool:
    bounds = (0.0, *BOUNDS)
    return any(low < one <= high and low < other <= high for low, high in zip(bounds, BOUNDS, strict=False) if low > 0.05)
