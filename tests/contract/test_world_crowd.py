"""A crowd around the embedded world, over its TLS port: pages, selectors, watches, and that no deletion is lost."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cockpit.cli import run
from cockpit.rehearsal.crowd.crowd import Crowd
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.logs import PodHooks
from cockpit.rehearsal.world import World
from tests.contract.test_serve_rehearsal import KUBECTL, serving, with_kubectl
from tests.unit.rehearsal.crowds import crowded

PODS, NODES = "/api/v1/pods", "/api/v1/nodes"
SECOND = 1_800_000_000
"""The epoch's second in which everything here happens."""
WATCH_LIST = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    world: World
    crowd: Crowd
    http: httpx.AsyncClient

    @property
    def version(self) -> str:
        return str(self.world.storage.resource_version)

    def own(self, resource: str) -> int:
        return len(self.world.storage.list(resource))

    def happen(self, count: int) -> None:
        self.crowd.churn.change(count, SECOND)

    async def get(self, path: str, **query: str) -> Item:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: Item = answer.json()
        return found

    async def names(self, path: str, **query: str) -> list[str]:
        return [_name(i) for i in (await self.get(path, **query))["items"]]

    async def pages(self, path: str, limit: int, **query: str) -> AsyncIterator[Item]:
        token: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=str(limit), **token, **query)
            yield page
            if not page["metadata"].get("continue"):
                return
            token = {"continue": page["metadata"]["continue"]}

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[AsyncIterator[Item]]:
        async with self.http.stream("GET", path, params={"watch": "1", **query}, timeout=20) as response:
            assert response.status_code == 200

            async def events() -> AsyncIterator[Item]:
                async with asyncio.timeout(20):
                    async for line in response.aiter_lines():
                        yield json.loads(line)

            yield events()


def _name(item: Item) -> str:
    meta = item["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    world, crowd = crowded()
    serving_ = await serve(make_app(world.storage, hooks=PodHooks(world.cluster)), tmp_path)
    context = ssl.create_default_context(cadata=serving_.authority.decode())
    headers = {"Authorization": "Bearer operator", "Accept-Encoding": "identity"}
    try:
        async with httpx.AsyncClient(base_url=serving_.url, verify=context, headers=headers, trust_env=False) as http:
            yield Served(world, crowd, http)
    finally:
        await serving_.stop()


async def _caught_up(served: Served, events: AsyncIterator[Item], known: dict[str, Item]) -> None:
    """Follow the events up to the present version, as a client that keeps what it is told."""
    last = 0
    target = served.world.storage.resource_version
    async for event in events:
        number = int(event["object"]["metadata"]["resourceVersion"])
        assert number >= last, "versions never go back"
        last = number
        if event["type"] == "DELETED":
            known.pop(_name(event["object"]))
        elif event["type"] != "BOOKMARK":
            assert (event["type"] == "ADDED") == (_name(event["object"]) not in known)
            known[_name(event["object"])] = event["object"]
        if number >= target:
            return


@pytest.mark.parametrize(("path", "limit"), [(PODS, 100), (NODES, 7)])
async def test_pages_have_everything_once_in_order_and_count_what_is_left(served: Served, path: str, limit: int) -> None:
    whole = await served.names(path)
    assert len(whole) == served.own(path.rpartition("/")[2]) + (500 if path == PODS else 50)
    paged: list[str] = []
    async for page in served.pages(path, limit):
        paged += [_name(i) for i in page["items"]]
        assert page["metadata"].get("remainingItemCount", 0) == len(whole) - len(paged)
    assert paged == whole == sorted(whole, key=lambda n: n.split("/"))


async def test_the_pages_of_a_list_are_of_one_moment_whatever_happens_between_them(served: Served) -> None:
    served.happen(200)
    was = {_name(i): i["metadata"]["resourceVersion"] for i in (await served.get(PODS))["items"]}
    at, paged = served.version, {}
    async for page in served.pages(PODS, 60):
        assert page["metadata"]["resourceVersion"] == at
        paged.update({_name(i): i["metadata"]["resourceVersion"] for i in page["items"]})
        assert page["metadata"].get("remainingItemCount", 0) == len(was) - len(paged)
        served.happen(150)
    assert paged == was
    assert was.keys() != set(await served.names(PODS)), "or nothing has happened"


async def test_selectors(served: Served) -> None:
    agents = await served.get("/api/v1/namespaces/security/pods", labelSelector="app=edr-sensor", limit="20")
    assert len(agents["items"]) == 20 and "remainingItemCount" not in agents["metadata"]
    every = await served.names("/api/v1/namespaces/security/pods", labelSelector="app=edr-sensor")
    assert len(every) == len(set(every)) == 50 + 14
    assert await served.names("/api/v1/namespaces/security/pods", labelSelector="app=no-such") == []
    assert len(await served.names(NODES, labelSelector="kubernetes.io/arch=arm64")) == 25 + 6
    node = (await served.names(NODES, labelSelector="eks.amazonaws.com/nodegroup"))[0].strip("/")
    assert await served.names(NODES, labelSelector=f"kubernetes.io/hostname={node}") == [f"/{node}"]
    on_it = await served.get(PODS, fieldSelector=f"spec.nodeName={node}")
    assert len(on_it["items"]) == 10 and {i["spec"]["nodeName"] for i in on_it["items"]} == {node}
    alive = await served.names(PODS, fieldSelector="status.phase!=Succeeded,status.phase!=Failed")
    assert alive == await served.names(PODS)
    some = alive[-1].partition("/")
    assert await served.names(f"/api/v1/namespaces/{some[0]}/pods", fieldSelector=f"metadata.name={some[2]}") == [alive[-1]]


async def test_one_object_is_got_as_it_is_listed(served: Served) -> None:
    served.happen(300)
    for path in (PODS, NODES):
        for item in (await served.get(path))["items"][-40:]:
            meta = item["metadata"]
            place = f"/api/v1/namespaces/{meta['namespace']}/pods" if path == PODS else NODES
            got = await served.get(f"{place}/{meta['name']}")
            assert {k: v for k, v in got.items() if k not in ("kind", "apiVersion")} == item
    assert (await served.http.get(f"{NODES}/ip-10-64-0-999.ap-south-1.compute.internal")).status_code == 404


async def test_a_crowd_takes_no_writes(served: Served) -> None:
    name = (await served.names(NODES))[-1].strip("/")
    media = {"Content-Type": "application/merge-patch+json"}
    refused = await served.http.patch(f"{NODES}/{name}", content=b'{"spec":{"unschedulable":true}}', headers=media)
    assert refused.status_code == 403 and "one of the rehearsal's crowd, which takes no writes" in refused.json()["message"]
    pod = next(n for n in await served.names(PODS) if "/service-" in n)
    namespace, _, pod_name = pod.partition("/")
    assert (await served.http.delete(f"/api/v1/namespaces/{namespace}/pods/{pod_name}")).status_code == 403
    gone = await served.http.delete("/api/v1/namespaces/payments/pods")
    assert gone.status_code == 200 and len(gone.json()["items"]) == 24, "the world's own pods are not protected"


async def test_a_watch_from_a_version_tells_what_was_and_what_comes_and_no_deletion_is_lost(served: Served) -> None:
    listed = await served.get(PODS)
    known = {_name(i): i for i in listed["items"]}
    served.happen(1200)
    async with served.watch(PODS, resourceVersion=listed["metadata"]["resourceVersion"]) as events:
        await _caught_up_on_pods(served, events, known)
        assert known.keys() == set(await served.names(PODS))
        served.happen(700)
        await _caught_up_on_pods(served, events, known)
    now = {_name(i): i["metadata"]["resourceVersion"] for i in (await served.get(PODS))["items"]}
    assert {name: item["metadata"]["resourceVersion"] for name, item in known.items()} == now


async def _caught_up_on_pods(served: Served, events: AsyncIterator[Item], known: dict[str, Item]) -> None:
    # The newest version may be a node's: one of the world's own pods is changed last, which comes behind all of them.
    pod = served.world.storage.list("pods", "payments")[0]
    notes = {"annotations": {"at": served.version}}
    served.world.storage.update("pods", {**pod, "metadata": {**pod["metadata"], **notes}})
    await _caught_up(served, events, known)


async def test_a_watch_with_a_selector_tells_only_of_those(served: Served) -> None:
    path, selector = "/api/v1/namespaces/security/pods", {"labelSelector": "app=edr-sensor"}
    start = served.version
    served.happen(600)
    expected = {n for n, v in [(_name(i), int(i["metadata"]["resourceVersion"])) for i in (await served.get(path))["items"]]
                if v > int(start)}  # fmt: skip
    seen: set[str] = set()
    async with served.watch(path, resourceVersion=start, **selector) as events:
        async for event in events:
            assert event["type"] == "MODIFIED" and event["object"]["metadata"]["labels"]["app"] == "edr-sensor"
            seen.add(_name(event["object"]))
            if seen == expected:
                break
    assert len(seen) > 10


@pytest.mark.parametrize("path", [PODS, NODES])
async def test_a_watch_list_is_the_list_then_its_end_then_what_comes(served: Served, path: str) -> None:
    served.happen(100)
    names, version = await served.names(path), served.version
    async with served.watch(path, **WATCH_LIST) as events:
        begun = []
        async for event in events:
            if event["type"] == "BOOKMARK":
                break
            assert event["type"] == "ADDED"
            begun.append(_name(event["object"]))
        assert begun == names
        meta = event["object"]["metadata"]
        assert meta == {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}}
        served.happen(40)
        later = await anext(events)
        assert later["type"] != "BOOKMARK" and int(later["object"]["metadata"]["resourceVersion"]) > int(version)


async def test_a_version_that_is_too_old_is_gone(served: Served) -> None:
    first = await served.get(PODS, limit="10")
    served.happen(41_000 * 100 // 65)
    async with served.watch(PODS, resourceVersion=first["metadata"]["resourceVersion"]) as events:
        event = await anext(events)
    assert event["type"] == "ERROR" and event["object"]["code"] == 410 and event["object"]["reason"] == "Expired"
    late = await served.http.get(PODS, params={"limit": "10", "continue": first["metadata"]["continue"]})
    assert late.status_code == 410 and late.json()["metadata"]["continue"], "how to go on regardless"
    rest = await served.get(PODS, **{"continue": late.json()["metadata"]["continue"]})
    assert 0 < len(rest["items"]) < 592
    served.world.storage.expire_watches()
    async with served.watch(PODS, resourceVersion=str(int(served.version) - 1)) as events:
        assert (await anext(events))["object"]["code"] == 410


@pytest.mark.parametrize("query", [{}, {"limit": "100"}])
async def test_lists_are_gzipped_when_that_is_asked_for(served: Served, query: dict[str, str]) -> None:
    plain = await served.http.get(PODS, params=query)
    assert "Content-Encoding" not in plain.headers
    async with served.http.stream("GET", PODS, params=query, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = b"".join([chunk async for chunk in response.aiter_raw()])
    assert len(packed) < len(plain.content) / 4
    assert json.loads(gzip.decompress(packed)) == plain.json()


async def test_a_whole_list_is_sent_while_it_is_made(served: Served) -> None:
    async with served.http.stream("GET", PODS) as response:
        assert response.headers["Transfer-Encoding"] == "chunked" and "Content-Length" not in response.headers


@pytest.mark.parametrize("query", [{}, {"limit": "1000"}])
async def test_tables_and_metadata_alone(served: Served, query: dict[str, str]) -> None:
    def form(name: str) -> dict[str, str]:
        return {"Accept": f"application/json;as={name};v=v1;g=meta.k8s.io"}

    table = (await served.http.get(PODS, params=query, headers=form("Table"))).json()
    assert table["kind"] == "Table" and table["columnDefinitions"][0]["name"] == "Name"
    assert [row["cells"][0] for row in table["rows"]] == [n.partition("/")[2] for n in await served.names(PODS)]
    assert {(*row["cells"][1:3],) for row in table["rows"]} == {("1/1", "Running"), ("2/2", "Running")}
    listed = (await served.http.get(PODS, params=query, headers=form("PartialObjectMetadataList"))).json()
    assert listed["kind"] == "PartialObjectMetadataList" and len(listed["items"]) == len(table["rows"])
    assert {(*item,) for item in listed["items"]} == {("kind", "apiVersion", "metadata")}


class TestCommand:
    def test_the_crowd_lives_at_the_rate_that_is_asked_for(self, tmp_path: Path) -> None:
        with serving("affinity-only", "--nodes", "12", "--pods", "120", "--events", "400") as ready:
            cluster = yaml.safe_load(Path(ready["kubeconfig"]).read_text())["clusters"][0]["cluster"]
            context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
            headers = {"Authorization": "Bearer operator"}
            with httpx.Client(base_url=cluster["server"], verify=context, headers=headers, trust_env=False) as http:
                nodes = http.get(NODES).json()
                assert len(nodes["items"]) == 16 + 12
                query = {"watch": "1", "resourceVersion": nodes["metadata"]["resourceVersion"]}
                with http.stream("GET", NODES, params=query, timeout=20) as response:
                    lines = response.iter_lines()
                    seen = [json.loads(next(lines)) for _ in range(50)]
        assert {event["type"] for event in seen} == {"MODIFIED"}

    @with_kubectl[0]
    @with_kubectl[1]
    def test_kubectl_shows_it(self, tmp_path: Path) -> None:
        with serving("affinity-only", "--nodes", "12", "--pods", "120") as ready:
            environment = {"HOME": str(tmp_path), "KUBECONFIG": ready["kubeconfig"], "PATH": os.environ["PATH"]}

            def kubectl(words: str) -> list[str]:
                command = [KUBECTL or "kubectl", *words.split(), "--no-headers"]
                return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()

            nodes = kubectl("get nodes")
            assert len(nodes) == 28 and all(" Ready " in row for row in nodes)
            pods = kubectl("get pods -A --chunk-size=50")
            assert len(pods) == len(kubectl("get pods -A"))
            assert sum("service-" in row for row in pods) == 120 - 12 * len(kubectl("get daemonsets -A"))

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--nodes", "0"], "--nodes 0: must be 1 to 20000"),
            (["--pods", "500"], "--pods 500: goes with --nodes"),
            (["--nodes", "10", "--pods", "9999"], "--pods 9999: must be 10 to 1100"),
            (["--nodes", "10", "--events", "-5"], "--events -5: must be 0 to 5000"),
            (["--nodes", "10", "--pod-bytes", "10"], "--pod-bytes 10: must be 6000 to 64000"),
        ],
    )
    def test_numbers_that_cannot_be_served_are_refused(
        self, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["serve-rehearsal", *words]) == 2
        assert said in capsys.readouterr().err
