"""What the embedded Prometheus answers where there was no traffic."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from cockpit.model.arch import Arch
from cockpit.model.signal import Signal, Unit
from cockpit.rehearsal.prometheus import MetricsApi
from cockpit.rehearsal.signals import meanings
from cockpit.rehearsal.world import ORIGIN, World
from tests.unit.rehearsal.worlds import SIGNALS, weights, world

_RATE = SIGNALS["requests"].query
PLAIN = replace(SIGNALS["requests"], name="plain")
OR_ZERO = replace(PLAIN, name="or_zero", query=f"{_RATE}\n  or vector( 0 )\n")
SHARE = Signal("error_rate", Unit.RATIO, f"({_RATE} or vector(0)) / {_RATE}", "lower")


@dataclass
class Asked:
    """The server over a world, asked as over the wire."""

    world: World
    client: TestClient  # type: ignore[type-arg]

    async def instant(self, signal: Signal, arch: Arch) -> list[str]:
        form = {"query": signal.query.replace("{{arch}}", arch)}
        answer = await (await self.client.post("/api/v1/query", data=form)).json()
        return [one["value"][1] for one in answer["data"]["result"]]

    async def points(self, signal: Signal, arch: Arch, start: float, end: float) -> list[str]:
        times = {"start": f"{ORIGIN.timestamp() + start}", "end": f"{ORIGIN.timestamp() + end}", "step": "60"}
        form = {"query": signal.query.replace("{{arch}}", arch), **times}
        answer = await (await self.client.post("/api/v1/query_range", data=form)).json()
        return [value for one in answer["data"]["result"] for _, value in one["values"]]


@pytest.fixture
async def asked() -> AsyncGenerator[Asked, None]:
    made = world()
    made.engine.advance(10)
    api = MetricsApi(
        meanings([PLAIN, OR_ZERO, SHARE]), made.traffic.windows, ORIGIN, lambda: float(made.cluster.step), lambda: None
    )
    async with TestClient(TestServer(api.app())) as client:
        yield Asked(made, client)


async def test_an_architecture_that_never_served_is_empty_unless_the_query_says_0(asked: Asked) -> None:
    assert await asked.instant(PLAIN, Arch.ARM64) == []
    assert await asked.instant(SHARE, Arch.ARM64) == []
    assert await asked.instant(OR_ZERO, Arch.ARM64) == ["0"]
    assert await asked.instant(OR_ZERO, Arch.AMD64) == await asked.instant(PLAIN, Arch.AMD64) != ["0"]


async def test_after_its_last_request_the_rate_is_0(asked: Asked) -> None:
    asked.world.set_weights("arn:rule", weights(100))
    asked.world.engine.advance(600)
    assert await asked.instant(OR_ZERO, Arch.AMD64) == ["0"]


async def test_nothing_is_told_of_the_time_before_the_world_began(asked: Asked) -> None:
    assert await asked.points(OR_ZERO, Arch.ARM64, -1800, -600) == []
    assert await asked.points(OR_ZERO, Arch.ARM64, -120, 0) == ["0"] * 3
