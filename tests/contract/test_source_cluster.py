"""The cluster's sources together over real sockets: workloads, what they select, Events, usage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from cockpit.connections.kube import KubeClient
from cockpit.model.cluster import Ref, Resources
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.sources.base import Kind, Observation, Source
from cockpit.sources.cluster import cluster_sources, pods_source
from cockpit.sources.events import EventsSource
from cockpit.sources.selectors import SelectorBoard
from cockpit.sources.usage import UsageSource
from cockpit.sources.workloads import daemonsets_source, deployments_source
from cockpit.store import Store, drive
from tests.contract.small_api import collect, connected, fast_clock, line, listing, node, pod, status
from tests.factories import PLAYBOOK

API = Ref("deployment", "payments", "payments-api")
ELSEWHERE = {
    SourceName.PORTABILITY,
    SourceName.RULES, SourceName.TARGETS, SourceName.METRICS, SourceName.IMAGES, SourceName.INGRESSES, SourceName.ACCESS,
}  # fmt: skip
ARM = Ref("deployment", "payments", "payments-api-arm64")


def deployment(name: str, version: str = "20", selector: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "payments", "uid": f"uid-{name}", "resourceVersion": version, "generation": 3},
        "spec": {"replicas": 2, "selector": selector or {"matchLabels": {"app": name}}, "template": {"spec": {"containers": []}}},
        "status": {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 2, "observedGeneration": 3},
    }


def event(name: str, minute: int, message: str = "words", **more: Any) -> dict[str, Any]:
    stamp = f"2026-11-22T02:{minute:02d}:00Z"
    about = {"kind": "Pod", "name": "p"}
    metadata = {"name": name, "namespace": "payments", "resourceVersion": "9"}
    return {"metadata": metadata, "involvedObject": about, "type": "Warning", "message": message, "lastTimestamp": stamp, **more}


class Cluster:
    """Lists by (path, selector); each watch is fed from a queue."""

    def __init__(self) -> None:
        self.lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.feeds: dict[tuple[str, str], asyncio.Queue[bytes | None]] = {}
        self.broken: set[tuple[str, str]] = set()

    def feed(self, path: str, selector: str = "") -> asyncio.Queue[bytes | None]:
        return self.feeds.setdefault((path, selector), asyncio.Queue())

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        selector = request.query.get("labelSelector", "") or request.query.get("fieldSelector", "")
        what = (request.path, selector)
        if not request.query.get("watch"):
            self.asked.append(what)
            return status(500, "InternalError", "broken") if what in self.broken else listing(self.lists.get(what, []))
        response = web.StreamResponse()
        await response.prepare(request)
        while (chunk := await self.feed(*what).get()) is not None:
            await response.write(chunk)
        return response


@asynccontextmanager
async def observed(sources: tuple[Source, ...], store: Store) -> AsyncIterator[Callable[[Callable[[Snapshot], bool]], Any]]:
    """The sources driven; gives a function that waits until a snapshot is as wanted."""
    tasks = [asyncio.create_task(drive(source, store)) for source in sources]

    async def until(wanted: Callable[[Snapshot], bool]) -> Snapshot:
        async with asyncio.timeout(10):
            while not wanted(snapshot := store.freeze()):  # noqa: ASYNC110 (the store has no event to wait for)
                await asyncio.sleep(0.005)
        return snapshot

    try:
        yield until
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


PODS = "/api/v1/namespaces/payments/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/payments/deployments"


def workload_sources(client: KubeClient) -> tuple[Source, ...]:
    clock, board, chance = fast_clock(), SelectorBoard(), Random(1)
    return (
        deployments_source(client, [API, ARM], board, clock, chance),
        pods_source(client, [API, ARM], [], board, clock, chance),
    )


async def test_pods_are_those_that_the_workloads_select_and_follow_a_new_selector(tmp_path: Path) -> None:
    cluster = Cluster()
    one = (DEPLOYMENTS, "metadata.name=payments-api")
    expressions = {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a", "b"]}]}
    cluster.lists = {
        one: [deployment("payments-api")],
        (DEPLOYMENTS, "metadata.name=payments-api-arm64"): [deployment("payments-api-arm64")],
        (PODS, "app=payments-api"): [pod("old-1")],
        (PODS, "app=payments-api-arm64"): [pod("arm-1")],
        (PODS, "app=x,tier notin (a,b)"): [pod("new-1")],
    }
    async with connected(tmp_path, cluster) as client, observed(workload_sources(client), Store(fast_clock())) as until:
        snapshot = await until(lambda s: s.source(SourceName.PODS).live)
        assert set(snapshot.pods) == {"payments/old-1", "payments/arm-1"}
        assert set(snapshot.deployments) == {"payments/payments-api", "payments/payments-api-arm64"}
        await cluster.feed(*one).put(line("DELETED", deployment("payments-api", "30")))
        await until(lambda s: set(s.pods) == {"payments/arm-1"} and set(s.deployments) == {"payments/payments-api-arm64"})
        await cluster.feed(*one).put(line("ADDED", deployment("payments-api", "31", expressions)))
        await until(lambda s: set(s.pods) == {"payments/new-1", "payments/arm-1"})
    assert ("/api/v1/pods", "") not in cluster.asked
    assert (PODS, "") not in cluster.asked


async def test_a_workload_that_does_not_exist_has_no_pods_rather_than_none_yet(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.lists = {(DEPLOYMENTS, "metadata.name=payments-api"): [deployment("payments-api")]}
    async with connected(tmp_path, cluster) as client, observed(workload_sources(client), Store(fast_clock())) as until:
        snapshot = await until(lambda s: s.source(SourceName.PODS).live)
    assert not snapshot.pods
    assert set(snapshot.deployments) == {"payments/payments-api"}


async def test_one_part_that_cannot_be_asked_leaves_the_source_at_fault_whatever_the_others_say(tmp_path: Path) -> None:
    cluster = Cluster()
    arm = (DEPLOYMENTS, "metadata.name=payments-api-arm64")
    one = (DEPLOYMENTS, "metadata.name=payments-api")
    cluster.lists = {one: [deployment("payments-api")], arm: [deployment("payments-api-arm64")]}
    cluster.broken = {arm}
    async with connected(tmp_path, cluster) as client, observed(workload_sources(client)[:1], Store(fast_clock())) as until:
        await until(lambda s: len(s.deployments) == 1 and s.source(SourceName.DEPLOYMENTS).freshness is Freshness.FAULT)
        await cluster.feed(*one).put(line("MODIFIED", {**deployment("payments-api", "99"), "status": {"readyReplicas": 1}}))
        snapshot = await until(lambda s: s.deployments["payments/payments-api"].ready == 1)
        assert snapshot.source(SourceName.DEPLOYMENTS).freshness is Freshness.FAULT
        assert "broken" in snapshot.source(SourceName.DEPLOYMENTS).why
        cluster.broken = set()
        await until(lambda s: s.source(SourceName.DEPLOYMENTS).live and len(s.deployments) == 2)


async def test_every_source_of_a_playbook_is_live_in_the_end(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.lists = {("/api/v1/nodes", ""): [node("n1")]}
    async with connected(tmp_path, cluster) as client:
        store, clock = Store(fast_clock()), fast_clock()
        sources = cluster_sources(client, PLAYBOOK, clock, Random(1))
        async with observed(sources, store) as until:
            names = {name for source in sources for name in source.names}
            await until(lambda s: all(s.source(name).live for name in names))
    assert names == set(SourceName) - ELSEWHERE


async def test_only_the_newest_events_are_kept_and_their_words_are_clean(tmp_path: Path) -> None:
    cluster = Cluster()
    path = "/api/v1/namespaces/payments/events"
    warnings = (path, "type!=Normal")
    cluster.lists = {warnings: [event(f"e{minute}", minute) for minute in range(8)]}
    async with connected(tmp_path, cluster) as client:
        source = EventsSource(client, "payments", fast_clock(), Random(1), kept=5)
        async with observed((source,), Store(fast_clock())) as until:
            snapshot = await until(lambda s: s.source(SourceName.EVENTS).live)
            assert [e.name for e in snapshot.events] == ["e3", "e4", "e5", "e6", "e7"]
            await cluster.feed(*warnings).put(line("ADDED", event("evil", 30, "x\x1b]52;c;ZXZpbA==\x07\u202ey")))
            snapshot = await until(lambda s: s.events[-1].name == "evil")
            assert [e.name for e in snapshot.events] == ["e4", "e5", "e6", "e7", "evil"]
            assert snapshot.events[-1].message == "x␛]52;c;ZXZpbA==␇\\u202ey"
            await cluster.feed(*warnings).put(line("ADDED", event("ancient", 1)))
            await cluster.feed(*warnings).put(line("DELETED", event("e7", 7)))
            snapshot = await until(lambda s: len(s.events) == 4)
            assert [e.name for e in snapshot.events] == ["e4", "e5", "e6", "evil"]


async def test_usage_sums_what_the_scheduler_counts_and_keeps_no_pods(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []
    sidecar = {
        **pod("s", node_name="n2"),
        "spec": {
            "nodeName": "n2",
            "containers": [{"name": "main", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
            "initContainers": [
                {"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}},
                {"name": "migrate", "resources": {"requests": {"cpu": "2", "memory": "broken"}}},
            ],
            "overhead": {"cpu": "50m"},
        },
    }

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.26.9"})
        asked.append(dict(request.query))
        if "continue" in request.query:
            return listing([sidecar, {**pod("pending"), "spec": {"containers": []}}])
        return listing([pod("a"), pod("b", namespace="other")], more="next")

    async with connected(tmp_path, handle) as client:
        source = UsageSource(client, fast_clock(), Random(1))
        told = await collect(source, lambda t: sum(o.kind is Kind.LISTED for o in t) == 3)
    assert told[3] == Observation(SourceName.DAEMON_PODS, Kind.LISTED, told[3].at)
    assert told[0].value == Resources(1000, 2 << 30, 2)
    assert told[1].value == Resources(2150, (1 << 30) + (64 << 20), 1)
    assert told[2].keys == {"n1", "n2"}
    assert asked[0]["fieldSelector"] == "status.phase!=Succeeded,status.phase!=Failed"
    assert asked[1]["continue"] == "next"


async def test_usage_tells_a_fault_and_recovers(tmp_path: Path) -> None:
    answers = [status(500, "x", "boom"), web.Response(text="garbage"), status(410, "Expired", "old"), listing([pod("a")])]

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"gitVersion": "v1.26.9"}) if request.path == "/version" else answers.pop(0)

    async with connected(tmp_path, handle) as client:
        told = await collect(UsageSource(client, fast_clock(), Random(1)), lambda t: t[-1].kind is Kind.LISTED)
    assert [o.kind for o in told if o.source is SourceName.USAGE] == [Kind.FAULT, Kind.FAULT, Kind.UPSERT, Kind.LISTED]
    assert [o.kind for o in told if o.source is SourceName.DAEMON_PODS] == [Kind.FAULT, Kind.FAULT]


def daemon_pod(name: str, on: str, owner: str, **state: Any) -> dict[str, Any]:
    made = pod(name, node_name=on, namespace="security")
    owned = {**made["metadata"], "ownerReferences": [{"kind": "DaemonSet", "name": owner, "controller": True}]}
    return {**made, "metadata": owned, "status": {"phase": "Running", **state}}


async def test_the_scan_tells_on_which_nodes_each_daemonset_has_a_ready_pod(tmp_path: Path) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    looping = {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
    leaving = daemon_pod("old", "n3", "edr", **ready)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-22T02:00:00Z"
    pods = [
        daemon_pod("a", "n1", "edr", **ready),
        daemon_pod("a-new", "n1", "edr"),
        daemon_pod("b", "n2", "edr", **looping),
        daemon_pod("c", "n2", "logs"),
        leaving,
        pod("api", node_name="n1"),
    ]

    async def handle(_: web.Request) -> web.StreamResponse:
        return listing(pods)

    async with connected(tmp_path, handle) as client:
        told = await collect(
            UsageSource(client, fast_clock(), Random(1)),
            lambda t: t[-1].source is SourceName.DAEMON_PODS and t[-1].kind is Kind.LISTED,
        )
    found = {o.key: o.value for o in told if o.source is SourceName.DAEMON_PODS and o.kind is Kind.UPSERT}
    assert found == {
        "security/edr": {"n1": "", "n2": "CrashLoopBackOff"},
        "security/logs": {"n2": "not ready (Running)"},
    }


async def test_all_daemonsets_are_seen_wherever_they_are(tmp_path: Path) -> None:
    cluster = Cluster()
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": {"spec": {"containers": []}}}
    names = (("security", "edr-sensor"), ("elsewhere", "forgotten"))
    found = [{"metadata": {"name": n, "namespace": s, "resourceVersion": "5"}, "spec": spec} for s, n in names]
    cluster.lists = {("/apis/apps/v1/daemonsets", ""): found}
    async with connected(tmp_path, cluster) as client:
        source = daemonsets_source(client, [PLAYBOOK.agents[0].daemonset], SelectorBoard(), fast_clock(), Random(1))
        async with observed((source,), Store(fast_clock())) as until:
            snapshot = await until(lambda s: s.source(SourceName.DAEMONSETS).live)
    assert set(snapshot.daemonsets) == {"security/edr-sensor", "elsewhere/forgotten"}
