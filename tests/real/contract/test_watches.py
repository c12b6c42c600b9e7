"""Watches: what they tell, bookmarks, and 410 Gone once the server has forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from cockpit.connections.failures import Status, rejection
from cockpit.connections.kube import KubeClient
from cockpit.connections.wire import WatchEvent, list_meta, versioned, watch_event
from cockpit.errors import Gone, Rejected
from tests.real.api import Api
from tests.real.contract.asked import CONFIGS, PODS
from tests.real.contract.content import CONFIGS as COUNT
from tests.real.contract.content import WEB, config
from tests.real.contract.servers import NAMESPACE, Server

SECONDS = 20.0
INITIAL = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}


@pytest.fixture
def extra(api: Api) -> Iterator[str]:
    """A ConfigMap that the test may do anything to."""
    api.create("configmaps", config("extra", {"watched": "no"}))
    yield "extra"
    api.delete("configmaps", NAMESPACE, "extra")


async def told(kube: KubeClient, path: str, count: int, **params: str) -> list[WatchEvent]:
    """The first lines of a watch."""
    found: list[WatchEvent] = []
    async with asyncio.timeout(SECONDS), aclosing(kube.watch(path, params)) as lines:
        async for line in lines:
            found.append(watch_event(line))
            if len(found) == count:
                break
    return found


def name_of(event: WatchEvent) -> str:
    return str(json.loads(bytes(event.object))["metadata"]["name"])


async def test_changes_come_in_order_and_as_the_selector_sees_them(kube: KubeClient, api: Api, extra: str) -> None:
    since = list_meta(await kube.get(CONFIGS, {"limit": "1"})).resource_version
    for labels in ({"watched": "yes"}, {"watched": "yes", "again": "yes"}, {"watched": "no"}, {"again": "yes"}):
        api.merge("configmaps", NAMESPACE, extra, {"metadata": {"labels": labels}})
    events = await told(kube, CONFIGS, 3, resourceVersion=since, labelSelector="watched=yes")
    assert [event.type for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(versioned(event.object).metadata.resource_version) for event in events]
    assert versions == sorted(versions)
    assert versions[0] > int(since)
    assert json.loads(bytes(events[2].object))["metadata"]["labels"] == {"watched": "yes", "again": "yes"}, "its last known state"


async def test_what_is_deleted_is_told_with_its_last_state_and_a_new_version(kube: KubeClient, api: Api) -> None:
    before = int(api.create("configmaps", config("short"))["metadata"]["resourceVersion"])
    api.delete("configmaps", NAMESPACE, "short")
    (event,) = await told(kube, CONFIGS, 1, resourceVersion=str(before), fieldSelector="metadata.name=short")
    assert (event.type, name_of(event)) == ("DELETED", "short")
    assert int(versioned(event.object).metadata.resource_version) > before


async def test_without_a_version_everything_is_added_first(kube: KubeClient) -> None:
    events = await told(kube, CONFIGS, COUNT, labelSelector="tier")
    assert [event.type for event in events] == ["ADDED"] * COUNT
    assert {name_of(event) for event in events} == {f"c-{n}" for n in range(COUNT)}


async def test_the_bookmark_that_ends_the_initial_events(kube: KubeClient) -> None:
    events = await told(kube, CONFIGS, COUNT + 1, labelSelector="tier", **INITIAL)
    assert [event.type for event in events] == [*["ADDED"] * COUNT, "BOOKMARK"]
    mark = json.loads(bytes(events[-1].object))
    version = versioned(events[-1].object).metadata.resource_version
    assert (mark["kind"], mark["apiVersion"], version.isdecimal()) == ("ConfigMap", "v1", True)
    assert mark["metadata"] == {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}}


async def test_a_watch_of_tables_tells_the_columns_once(api: Api) -> None:
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    query = {"watch": "1", "timeoutSeconds": "1", "labelSelector": "tier=odd"}
    lines = api.raw("GET", CONFIGS, params=query, headers=accept).text.splitlines()
    tables = [json.loads(line)["object"] for line in lines]
    assert [c["name"] for c in tables[0]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [table["columnDefinitions"] for table in tables[1:]] == [None, None]
    assert [table["rows"][0]["cells"][:2] for table in tables] == [["c-1", 1], ["c-3", 1], ["c-5", 1]]


@pytest.mark.parametrize(
    ("params", "status", "words"),
    [
        ({"resourceVersion": "x"}, 500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'),
        ({"labelSelector": "a b"}, 400, "unable to parse requirement: found 'b'"),
        ({"sendInitialEvents": "true"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '),
    ],
)
async def test_watches_that_are_refused(kube: KubeClient, params: dict[str, str], status: int, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        await told(kube, CONFIGS, 1, **params)
    assert refused.value.status == status
    assert str(refused.value).startswith(words)


async def test_what_the_server_has_forgotten_is_gone(server: Server, kube: KubeClient, api: Api) -> None:
    since = list_meta(await kube.get(PODS, {"labelSelector": f"app={WEB}"})).resource_version
    pages = kube.pages(CONFIGS, limit=2)
    await anext(pages)
    for number in range(2):
        api.merge("configmaps", NAMESPACE, "c-0", {"data": {"again": str(number)}})
        api.merge("deployments", NAMESPACE, WEB, {"metadata": {"annotations": {"example.com/again": str(number)}}})
    server.forget()  # in this thread: what a thread of a pool starts dies with it
    with pytest.raises(Gone) as gone:
        await anext(pages)
    assert (gone.value.status, gone.value.reason) == (410, "Expired")
    assert str(gone.value).startswith("The provided continue parameter is too old to display a consistent list result.")
    with pytest.raises(Gone) as exact:
        await kube.get(CONFIGS, {"resourceVersion": since, "resourceVersionMatch": "Exact"})
    assert str(exact.value) == "The resourceVersion for the provided list is too old."
    (event,) = await told(kube, CONFIGS, 1, resourceVersion=since)
    status = json.loads(bytes(event.object))
    assert (event.type, status["kind"], status["code"], status["reason"]) == ("ERROR", "Status", 410, "Expired")
    assert status["message"].startswith(f"too old resource version: {since} (")
    assert isinstance(rejection(Status(status["code"]).code, bytes(event.object)), Gone)
    async with aclosing(kube.pages(CONFIGS, limit=500)) as again:
        assert len([page async for page in again]) == 1, "and a new list begins anew"
