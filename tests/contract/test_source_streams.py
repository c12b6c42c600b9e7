"""Lists as streams where the server offers them, and as pages where it does not: what is asked, what is told, what is held."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from cockpit.connections import offers
from cockpit.connections.kube import KubeClient
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.cluster import nodes_source
from cockpit.sources.usage import UsageSource
from cockpit.store import Store
from tests.contract.small_api import bookmark, collect, connected, fast_clock, line, node, status
from tests.contract.streaming_api import Api, initial_end, refused
from tests.contract.test_source_cluster import observed


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine answers late, and is no distant one."""
    monkeypatch.setattr(offers, "LOCAL_SECONDS", 60.0)


def listed(told: list[Observation]) -> bool:
    return told[-1].kind is Kind.LISTED


def heard(told: list[Observation]) -> bool:
    return told[-1].kind is Kind.HEARD and any(one.kind is Kind.LISTED for one in told)


async def nodes(client: KubeClient, enough: Callable[[list[Observation]], bool]) -> list[Observation]:
    return await collect(nodes_source(client, fast_clock(), Random(1)), enough)


@asynccontextmanager
async def watched_nodes(folder: Path, api: Api) -> AsyncIterator[Callable[[Callable[[Snapshot], bool]], Any]]:
    """The nodes of a server in a store; gives a function that waits until a snapshot is as wanted."""
    async with connected(folder, api) as client:
        source = nodes_source(client, fast_clock(), Random(1))
        async with observed((source,), Store(fast_clock())) as until:
            yield until


async def test_a_list_is_streamed_and_goes_over_into_the_watch(tmp_path: Path) -> None:
    api = Api(tail=line("ADDED", node("late", version="51")))
    async with connected(tmp_path, api) as client:
        told = await nodes(client, heard)
    assert [o.key for o in told if o.kind is Kind.UPSERT] == ["n0", "n1", "n2", "late"]
    # What came in the same moment as the list's end may count as listed.
    assert next(o.keys for o in told if o.kind is Kind.LISTED) - {"late"} == {"n0", "n1", "n2"}
    assert Kind.FAULT not in {o.kind for o in told}
    (asked,) = api.streams
    assert (asked["resourceVersionMatch"], asked["allowWatchBookmarks"]) == ("NotOlderThan", "true")
    assert "resourceVersion" not in asked
    assert not api.lists


@pytest.mark.parametrize(
    ("version", "how", "streams"),
    [
        ("v1.33.5", refused, 1),
        ("v1.26.9-eks-1", None, 0),
        ("nonsense", None, 0),
        ("v1.34.1", refused, 1),
        ("v1.34.1", lambda: line("ADDED", node("n0")) + bookmark("12"), 1),
    ],
    ids=["off by default", "old", "unknown", "refused", "ignored"],
)
async def test_a_server_without_streams_is_read_in_pages_and_not_asked_again(
    tmp_path: Path, version: str, how: Callable[[], web.Response | bytes] | None, streams: int
) -> None:
    api = Api(version=version, how=how)
    async with connected(tmp_path, api) as client:
        told = await nodes(client, listed)
        again = await nodes(client, listed)
    assert {o.kind for o in told} == {Kind.UPSERT, Kind.LISTED}
    assert told[-1].keys == again[-1].keys == {"n0", "n1", "n2"}
    assert len(api.streams) == streams
    assert [path for path, _ in api.asked].count("/version") == 1


async def test_far_away_lists_come_in_packed_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "LOCAL_SECONDS", 0.0)
    api = Api(nodes=700)
    async with connected(tmp_path, api) as client:
        told = await nodes(client, listed)
    assert len(told[-1].keys) == 700
    assert not api.streams
    assert [query.get("continue") for query in api.lists] == [None, "500"]
    assert set(api.encodings) == {"gzip"}


def test_what_is_streamed_is_chosen_by_version_and_distance() -> None:
    known = [(0, 0), (1, 26), (1, 27), (1, 33), (1, 36), (1, 37)]
    assert [version for version in known if offers.streams(version, near=True)] == [(1, 27), (1, 33), (1, 36), (1, 37)]
    assert [version for version in known if offers.streams(version, near=False)] == [(1, 37)]
    assert offers.version_of(b'{"gitVersion":"v1.34.1-eks-7"}') == (1, 34)
    assert offers.version_of(b"<html>") == offers.version_of(b'{"gitVersion":3}') == (0, 0)


async def test_until_the_server_says_so_a_stream_is_no_whole_list_though_its_nodes_are_seen(tmp_path: Path) -> None:
    api = Api(how=lambda: b"".join(line("ADDED", node(f"n{number}")) for number in range(2)))
    async with watched_nodes(tmp_path, api) as until:
        snapshot = await until(lambda s: len(s.nodes) == 2)
    state = snapshot.source(SourceName.NODES)
    assert (state.freshness, state.read, state.expected) == (Freshness.UNSYNCED, 2, 3)


async def test_a_stream_that_breaks_off_before_its_end_is_begun_anew(tmp_path: Path) -> None:
    half = line("ADDED", node("ghost")) + line("ADDED", node("n0"))[:40] + b"\n"
    answers = [half, b"".join([line("ADDED", node("n0")), initial_end()])]
    api = Api(how=lambda: answers.pop(0))
    async with connected(tmp_path, api) as client:
        told = await nodes(client, listed)
    assert [o.kind for o in told] == [Kind.UPSERT, Kind.FAULT, Kind.UPSERT, Kind.LISTED]
    assert told[-1].keys == {"n0"}
    assert ["resourceVersion" in query for query in api.streams] == [False, False]


@pytest.mark.parametrize("version", ["v1.26.1", "v1.34.1"], ids=["pages", "stream"])
async def test_progress_counts_up_to_what_there_is(tmp_path: Path, version: str) -> None:
    api = Api(nodes=1_100, version=version)
    seen: list[tuple[int, int | None]] = []

    def look(snapshot: Snapshot) -> bool:
        state = snapshot.source(SourceName.NODES)
        seen.append((state.read, state.expected))
        return state.live

    async with watched_nodes(tmp_path, api) as until:
        await until(look)
    assert seen[-1] == (1_100, 1_100)
    assert sorted(seen, key=lambda one: one[0]) == seen
    assert {expected for read, expected in seen if read} == {1_100}


@pytest.mark.parametrize("version", ["v1.26.1", "v1.34.1"], ids=["pages", "stream"])
async def test_after_410_the_old_picture_stays_until_the_new_one_is_whole(tmp_path: Path, version: str) -> None:
    gone = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})
    api = Api(nodes=5, version=version, tail=gone)
    sizes: set[int] = set()

    def look(snapshot: Snapshot) -> bool:
        assert snapshot.source(SourceName.NODES).live
        sizes.add(len(snapshot.nodes))
        return len(snapshot.nodes) == 4

    async with watched_nodes(tmp_path, api) as until:
        await until(lambda s: s.source(SourceName.NODES).live)
        api.nodes = 4
        await until(look)
    assert sizes <= {5, 4}


# What must not grow


@pytest.mark.parametrize(("version", "requests"), [("v1.34.1", (2, 2)), ("v1.26.1", (2, 11))], ids=["stream", "pages"])
async def test_a_sync_takes_as_many_requests_for_ten_times_the_nodes_or_a_page_for_each_500(
    tmp_path: Path, version: str, requests: tuple[int, int]
) -> None:
    for count, most in zip((500, 5_000), requests, strict=True):
        api = Api(nodes=count, version=version)
        async with connected(tmp_path, api) as client:
            await nodes(client, lambda told: told[-1].kind is Kind.LISTED and len(told[-1].keys) == count)  # noqa: B023
        assert len([path for path, _ in api.asked if path != "/version"]) <= most


async def scanned(folder: Path, api: Api) -> list[Observation]:
    async with connected(folder, api) as client:
        source = UsageSource(client, fast_clock(), Random(1), namespace="payments")
        return await collect(source, lambda told: told[-1].source is SourceName.NEIGHBOURS and told[-1].kind is Kind.LISTED)


async def test_who_may_list_and_not_watch_still_has_the_list(tmp_path: Path) -> None:
    api = Api(pods=700, how=lambda: status(403, "Forbidden", "cannot watch"))
    async with connected(tmp_path, api) as client:
        told = await nodes(client, listed)
        source = UsageSource(client, fast_clock(), Random(1), namespace="elsewhere")
        usage = await collect(source, listed)
        assert await client.offers.watch_list(), "others may watch what they read"
    assert {o.kind for o in [*told, *usage]} == {Kind.UPSERT, Kind.LISTED}
    assert told[-1].keys == {"n0", "n1", "n2"}


@pytest.mark.parametrize("how", [None, refused], ids=["stream", "pages"])
async def test_a_scan_of_all_pods_sums_them_by_node(tmp_path: Path, how: Callable[[], web.Response] | None) -> None:
    api = Api(pods=1_400, how=how)
    told = await scanned(tmp_path, api)
    usage = {o.key: o.value for o in told if o.source is SourceName.USAGE and o.kind is Kind.UPSERT}
    assert {key: value.pods for key, value in usage.items()} == {f"n{number}": 200 for number in range(7)}  # type: ignore[attr-defined]
    assert len(api.streams) == 1
    assert len(api.lists) == (0 if how is None else 3)


async def test_a_scan_is_one_request_for_ten_times_the_pods_and_holds_no_more_than_sockets_do(tmp_path: Path) -> None:
    for pods in (500, 5_000):
        api = Api(pods=pods, pad="x" * 2_000)
        tracemalloc.start()
        try:
            async with connected(tmp_path, api) as client:
                source = UsageSource(client, fast_clock(), Random(1), namespace="elsewhere")
                await collect(source, lambda told: told[-1].kind is Kind.LISTED, 60.0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert [path for path, _ in api.asked if path != "/version"] == ["/api/v1/pods"]
        assert peak < 5 << 20, "12 MB came"
