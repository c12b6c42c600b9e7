"""The cluster's sources against the embedded Kubernetes API, over its TLS, through what scenarios do to it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cockpit.connections import decode
from cockpit.connections.kube import KubeClient
from cockpit.errors import Conflict, Gone, NotFound, Unauthorized
from cockpit.model.cluster import Resources
from cockpit.model.json import Json
from cockpit.model.playbook import Agent, Target
from cockpit.model.snapshot import Freshness, SourceName
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.faults import Dropped, RequestInfo
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from cockpit.sources.cluster import cluster_sources
from cockpit.store import Store
from tests.contract.small_api import fast_clock, kubeconfig
from tests.contract.test_source_cluster import observed
from tests.factories import API, PLAYBOOK
from tests.unit.rehearsal.small_world import NAMESPACE, node, small_world

AGENT = replace(PLAYBOOK.agents[0].daemonset, namespace="kube-system", name="edr-sensor")
FLOWN = replace(PLAYBOOK, target=Target(NAMESPACE, API), agents=(Agent(AGENT),))
TARGET = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/payments-api"


class Trouble:
    """Faults that tests switch on: a status for some resource, or cut connections."""

    def __init__(self) -> None:
        self.refuse: dict[str, KubeError] = {}
        self.cut = False

    async def before(self, request: RequestInfo) -> None:
        if self.cut:
            raise Dropped
        if request.resource in self.refuse:
            raise self.refuse[request.resource]


@asynccontextmanager
async def embedded(
    folder: Path, trouble: Trouble | None = None, user: str = "operator"
) -> AsyncIterator[tuple[Storage, KubeClient]]:
    storage = small_world(fast_clock())
    serving = await serve(make_app(storage, faults=trouble), folder)
    trusted = {"certificate-authority-data": base64.b64encode(serving.authority).decode()}
    client = await KubeClient.connect(kubeconfig=kubeconfig(folder, serving.url, {"token": user}, trusted))
    try:
        yield storage, client
    finally:
        await client.aclose()
        await serving.stop()


async def test_everything_is_seen_and_followed_through_expired_histories(tmp_path: Path) -> None:
    async with embedded(tmp_path) as (storage, client):
        store = Store(storage.clock)
        async with observed(cluster_sources(client, FLOWN, storage.clock, Random(1)), store) as until:
            elsewhere = {SourceName.RULES, SourceName.TARGETS, SourceName.METRICS, SourceName.IMAGES}
            names = set(SourceName) - elsewhere - {SourceName.INGRESSES, SourceName.ACCESS, SourceName.PORTABILITY}
            snapshot = await until(lambda s: all(s.source(name).live for name in names))
            assert {n.arch for n in snapshot.nodes.values()} == {"amd64", "arm64"}
            assert {p.owner.split("/")[0] for p in snapshot.pods.values()} == {"ReplicaSet"}
            assert set(snapshot.deployments) == {f"{NAMESPACE}/payments-api"}
            assert set(snapshot.daemonsets) == {"kube-system/edr-sensor"}
            assert snapshot.usage["ip-10-0-0-1"] == Resources(1000, 2 << 30, 2)
            for number in (3, 4, 5):
                storage.expire_watches()
                storage.create("nodes", node(f"n{number}", "arm64", number))
                await until(lambda s, n=number: f"n{n}" in s.nodes)  # type: ignore[misc]
            storage.delete("nodes", None, "n3")
            changed = deepcopy(storage.get("deployments", NAMESPACE, "payments-api"))
            changed["metadata"]["annotations"]["note"] = "kept\x1bas it is"
            storage.update("deployments", changed)
            snapshot = await until(
                lambda s: "n3" not in s.nodes and "note" in s.deployments[f"{NAMESPACE}/payments-api"].annotations
            )
            assert snapshot.deployments[f"{NAMESPACE}/payments-api"].annotations["note"] == "kept\x1bas it is"


async def test_an_api_that_refuses_or_cuts_is_marked_and_recovered_from(tmp_path: Path) -> None:
    trouble = Trouble()
    trouble.refuse = {"nodes": KubeError(500, "InternalError", "etcd is slow")}
    async with embedded(tmp_path, trouble) as (storage, client):
        store = Store(storage.clock)
        async with observed(cluster_sources(client, FLOWN, storage.clock, Random(1)), store) as until:
            snapshot = await until(lambda s: s.source(SourceName.NODES).freshness is Freshness.FAULT)
            assert "etcd is slow" in snapshot.source(SourceName.NODES).why
            await until(lambda s: s.source(SourceName.PODS).live)
            trouble.refuse = {}
            await until(lambda s: s.source(SourceName.NODES).live)
            trouble.cut = True
            storage.expire_watches()
            snapshot = await until(lambda s: s.source(SourceName.NODES).freshness is Freshness.FAULT)
            assert len(snapshot.nodes) == 2
            trouble.cut = False
            await until(lambda s: s.source(SourceName.NODES).live and s.source(SourceName.PODS).live)


async def test_expired_credentials_say_what_to_do(tmp_path: Path) -> None:
    async with embedded(tmp_path, user="expired") as (storage, client):
        with pytest.raises(Unauthorized, match="log in again"):
            await client.get("/api/v1/nodes")
        async with observed(cluster_sources(client, FLOWN, storage.clock, Random(1)), Store(storage.clock)) as until:
            snapshot = await until(lambda s: s.source(SourceName.NODES).freshness is Freshness.FAULT)
    assert "log in again" in snapshot.source(SourceName.NODES).why


async def test_an_observer_may_not_write_and_is_told_which_verb(tmp_path: Path) -> None:
    async with embedded(tmp_path, user="observer") as (_, client):
        with pytest.raises(Unauthorized, match=r"cannot patch resource .*deployments.* namespace .*payments"):
            await client.patch(TARGET, [])


async def test_a_failed_precondition_is_a_conflict_and_changes_nothing(tmp_path: Path) -> None:
    async with embedded(tmp_path) as (_, client):
        before = decode.deployment(await client.get(TARGET))
        steps: list[dict[str, Json]] = [
            {"op": "test", "path": "/metadata/uid", "value": "another"},
            {"op": "remove", "path": "/spec/template/spec/affinity"},
        ]
        with pytest.raises(Conflict):
            await client.patch(TARGET, [*steps])
        assert decode.deployment(await client.get(TARGET)) == before
        after = decode.deployment(
            await client.patch(TARGET, [{**steps[0], "value": before.uid}, steps[1]], params={"dryRun": "All"})
        )
        assert (after.affinity, before.affinity is None) == (None, False)
        assert decode.deployment(await client.get(TARGET)) == before


async def test_a_list_whose_history_is_gone_half_way_is_gone(tmp_path: Path) -> None:
    async with embedded(tmp_path) as (storage, client):
        pages = client.pages("/api/v1/nodes", limit=1)
        assert len(decode.NODES.page(await anext(pages)).items) == 1
        storage.create("nodes", node("new", "arm64", 9))
        storage.compact()
        with pytest.raises(Gone):
            await anext(pages)
        with pytest.raises(NotFound):
            await client.get("/api/v1/nodes/none")


async def test_a_watch_ends_by_itself_and_is_resumed(tmp_path: Path) -> None:
    async with embedded(tmp_path) as (storage, client):
        version = decode.NODES.page(await client.get("/api/v1/nodes")).resource_version
        lines = [line async for line in client.watch("/api/v1/nodes", {"resourceVersion": version, "timeoutSeconds": "1"})]
        assert all(b"BOOKMARK" in line for line in lines)
        storage.create("nodes", node("late", "arm64", 9))
        async with asyncio.timeout(10):
            async for line in client.watch("/api/v1/nodes", {"resourceVersion": version}):
                if b"late" in line:
                    break
