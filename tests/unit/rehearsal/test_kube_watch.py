from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.clock import ScaledClock
from tests.unit.rehearsal.kube_client import CORE, World, running
from tests.unit.rehearsal.small_world import NAMESPACE, pod

PODS = f"{CORE}/pods"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as served:
        yield served


class Stream:
    """The events of a watch, one at a time."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            event: dict[str, Any] = json.loads(await anext(self._lines))
            return event

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            return await anext(self._lines, None) is None


@asynccontextmanager
async def watching(world: World, path: str = PODS, accept: str = "application/json", **query: str) -> AsyncIterator[Stream]:
    params = {"watch": "true", **query}
    async with world.http.stream("GET", path, params=params, headers={"Accept": accept}, timeout=20) as response:
        assert response.status_code == 200
        yield Stream(response.aiter_lines())


def _named(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


async def test_history_then_what_comes(world: World) -> None:
    start = str(world.storage.resource_version)
    world.storage.create("pods", pod("first", "n"))
    async with watching(world, resourceVersion=start) as stream:
        assert _named(await stream.next()) == ("ADDED", "first")
        world.storage.update(
            "pods", {**copy.deepcopy(world.storage.get("pods", NAMESPACE, "first")), "status": {"phase": "Failed"}}
        )
        world.storage.delete("pods", NAMESPACE, "first")
        changed, gone = await stream.next(), await stream.next()
    assert (_named(changed), changed["object"]["status"]["phase"]) == (("MODIFIED", "first"), "Failed")
    assert _named(gone) == ("DELETED", "first")
    assert int(gone["object"]["metadata"]["resourceVersion"]) == world.storage.resource_version


async def test_without_a_version_the_present_comes_first(world: World) -> None:
    async with watching(world) as stream:
        assert [(await stream.next())["type"] for _ in range(2)] == ["ADDED", "ADDED"]


async def test_a_watch_list_ends_its_first_part_with_a_bookmark(world: World) -> None:
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with watching(world, **query) as stream:
        events = [await stream.next() for _ in range(3)]
    assert [e["type"] for e in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert events[2]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_objects_enter_and_leave_a_selector(world: World) -> None:
    start = str(world.storage.resource_version)
    made = world.storage.create("pods", pod("wanderer", "n"))
    meta = {k: v for k, v in made["metadata"].items() if k != "resourceVersion"}
    async with watching(world, resourceVersion=start, labelSelector="colour=red") as stream:
        for colour in ("red", "red", "blue"):
            held = world.storage.get("pods", NAMESPACE, "wanderer")
            notes = {"n": str(world.storage.resource_version)}
            world.storage.update("pods", {**held, "metadata": {**meta, "labels": {"colour": colour}, "annotations": notes}})
        events = [await stream.next() for _ in range(3)]
    assert [e["type"] for e in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[2]["object"]["metadata"]["labels"] == {"colour": "red"}
    assert int(events[2]["object"]["metadata"]["resourceVersion"]) == world.storage.resource_version


async def test_bookmarks_come_in_virtual_time(tmp_path: Path) -> None:
    clock = ScaledClock(datetime(2026, 11, 22, 2, 0, tzinfo=UTC), time.monotonic(), 100.0)
    async with running(tmp_path, clock=clock) as world:
        start = str(world.storage.resource_version)
        async with watching(world, resourceVersion=start, allowWatchBookmarks="true") as stream:
            world.storage.create("configmaps", {"metadata": {"name": "other", "namespace": NAMESPACE}})
            event = await stream.next()
    assert (event["type"], event["object"]["kind"]) == ("BOOKMARK", "Pod")
    assert int(event["object"]["metadata"]["resourceVersion"]) >= int(start)


async def test_a_version_that_is_too_old_is_an_error_in_the_stream(world: World) -> None:
    world.storage.create("pods", pod("first", "n"))
    world.storage.compact()
    async with watching(world, resourceVersion="1000") as stream:
        event = await stream.next()
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert await stream.ended()


async def test_a_running_watch_survives_compaction_but_not_expiry(world: World) -> None:
    async with watching(world, resourceVersion=str(world.storage.resource_version)) as stream:
        world.storage.compact()
        world.storage.create("pods", pod("first", "n"))
        assert _named(await stream.next()) == ("ADDED", "first")
        world.storage.expire_watches()
        assert (await stream.next())["object"]["code"] == 410
        assert await stream.ended()


async def test_a_watch_ends_when_its_time_is_up(world: World) -> None:
    async with watching(world, resourceVersion=str(world.storage.resource_version), timeoutSeconds="1") as stream:
        assert await stream.ended()


async def test_tables_are_watched_too(world: World) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    async with watching(world, accept=accept, resourceVersion=str(world.storage.resource_version)) as stream:
        world.storage.create("pods", pod("first", "n"))
        event = await stream.next()
    assert (event["object"]["kind"], event["object"]["rows"][0]["cells"][:3]) == ("Table", ["first", "1/1", "Running"])


async def test_a_watch_ends_when_the_server_stops(world: World) -> None:
    async with watching(world, resourceVersion=str(world.storage.resource_version)) as stream:
        await world.serving.stop()
        assert await stream.ended()
