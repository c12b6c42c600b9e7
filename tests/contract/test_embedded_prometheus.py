"""The embedded Prometheus' answers, as a real one was seen to give them (tests/real compares them where one is installed)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from aiohttp import web

from cockpit.model.arch import Arch
from cockpit.playbook import find, load
from cockpit.rehearsal.prometheus import MetricsApi
from cockpit.rehearsal.signals import meanings
from cockpit.rehearsal.windows import Measured, Windows

ORIGIN = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ZERO = ORIGIN.timestamp()
NOW = 600.0
PLAYBOOK = load(find("rehearsal"))
BUSY, IDLE = 200, 400
"""amd64 serves all the time; arm64 between these seconds only."""


def query(signal: str, arch: Arch = Arch.ARM64) -> str:
    return PLAYBOOK.signals[signal].query.replace("{{arch}}", str(arch))


RATE, ERRORS, P99 = query("requests"), query("error_rate"), query("latency_p99")


@asynccontextmanager
async def embedded() -> AsyncIterator[httpx.AsyncClient]:
    windows = {arch: Windows(0) for arch in Arch}
    for second in range(int(NOW) + 1):
        windows[Arch.AMD64].add(Measured(100.0, 1e-6, 0.1))
        windows[Arch.ARM64].add(Measured(50.0, 0.5, 0.2) if BUSY <= second < IDLE else Measured())
    api = MetricsApi(meanings(PLAYBOOK.signals.values()), windows, ORIGIN, lambda: NOW, lambda: None)
    runner = web.AppRunner(api.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            yield client
    finally:
        await runner.cleanup()


async def value(client: httpx.AsyncClient, asked: str, second: float) -> str | None:
    """The text of an instant query's only number, None for an empty vector."""
    answer = (await client.post("/api/v1/query", data={"query": asked, "time": str(ZERO + second)})).json()
    assert answer["data"]["resultType"] == "vector"
    return answer["data"]["result"][0]["value"][1] if answer["data"]["result"] else None


async def test_an_architecture_that_never_served_has_no_series_and_one_that_stopped_has_0_over_0() -> None:
    async with embedded() as client:
        assert [await value(client, q, BUSY - 1) for q in (ERRORS, P99)] == [None, None]
        assert [await value(client, q, IDLE - 1) for q in (RATE, ERRORS, P99)] == ["50", "0.01", "0.2"]
        assert [await value(client, q, NOW) for q in (RATE, ERRORS, P99)] == ["0", "NaN", "NaN"]


async def test_small_numbers_have_no_exponent() -> None:
    async with embedded() as client:
        assert await value(client, query("error_rate", Arch.AMD64), NOW) == "0.00000001"


async def test_times_are_numbers_as_go_writes_them_and_none_is_now() -> None:
    async with embedded() as client:
        for given, expected in (({"time": f"{ZERO:.0f}"}, ZERO), ({"time": ""}, ZERO + NOW), ({}, ZERO + NOW)):
            answer = await client.post("/api/v1/query", data={"query": "1", **given})
            assert answer.json()["data"] == {"resultType": "scalar", "result": [expected, "1"]}
            assert f"[{expected:.0f}, " in answer.text
            assert answer.headers["content-type"] == "application/json"


RANGE = {"query": RATE, "start": "1", "end": "2", "step": "1"}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            {"query": RATE, "time": "x"},
            'parameter "time": Invalid time value for \'time\': cannot parse "x" to a valid timestamp',
        ),
        (RANGE | {"start": "x"}, 'parameter "start": cannot parse "x" to a valid timestamp'),
        (RANGE | {"step": ""}, 'parameter "step": cannot parse "" to a valid duration'),
        (RANGE | {"step": "1s5m"}, 'parameter "step": cannot parse "1s5m" to a valid duration'),
        (RANGE | {"end": "30000"}, "(?step=XX)"),
        (RANGE | {"query": ""}, "no expression found in input"),
    ],
)
async def test_what_is_wrong_is_said_in_prometheus_words(form: Mapping[str, str], words: str) -> None:
    async with embedded() as client:
        answer = await client.post("/api/v1/query_range" if "start" in form else "/api/v1/query", data=dict(form))
    assert answer.status_code == 400
    assert (answer.json()["status"], answer.json()["errorType"]) == ("error", "bad_data")
    assert words in answer.json()["error"]


async def test_a_step_may_be_a_duration_of_several_units() -> None:
    async with embedded() as client:
        form = {"query": query("requests", Arch.AMD64), "start": str(ZERO), "end": str(ZERO + 300), "step": "1m30s"}
        answer = (await client.post("/api/v1/query_range", data=form)).json()
    assert [time - ZERO for time, _ in answer["data"]["result"][0]["values"]] == [0, 90, 180, 270]


async def test_pages_that_are_not_there_are_plain_text() -> None:
    async with embedded() as client:
        missing, refused = await client.get("/api/v1/nothing"), await client.put("/api/v1/query")
        healthy = await client.get("/-/healthy")
    assert (missing.status_code, missing.text) == (404, "404 page not found\n")
    assert (refused.status_code, refused.text) == (405, "Method Not Allowed\n")
    assert healthy.text == "Prometheus Server is Healthy.\n"
