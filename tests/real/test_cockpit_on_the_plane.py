"""The cockpit's own sources and its affinity lever against the real API server, scheduler and controllers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from cockpit.clock import WallClock
from cockpit.connections.kube import KubeClient
from cockpit.levers.affinity import AffinityLever
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.plan import Plan, Proof
from cockpit.model.playbook import AffinityMode, AffinitySet, Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.playbook.loader import load
from cockpit.sources.cluster import cluster_sources
from cockpit.store import Store, drive
from tests.real.api import Obj
from tests.real.content import ARM64_WORKERS, SHIPPED
from tests.real.plane import Plane

WORKER = Ref("deployment", "payments", "ledger-worker")
WATCHED = (SourceName.NODES, SourceName.DEPLOYMENTS, SourceName.DAEMONSETS, SourceName.PODS, SourceName.EVENTS)


@pytest.fixture
async def kube(plane: Plane) -> AsyncIterator[KubeClient]:
    client = await KubeClient.connect("rehearsal", plane.kubeconfig)
    yield client
    await client.aclose()


class View:
    """A store that the cockpit's sources feed from the real plane."""

    def __init__(self, kube: KubeClient, playbook: Playbook) -> None:
        clock = WallClock()
        self.store = Store(clock)
        self._sources = cluster_sources(kube, playbook, clock, Random(1))
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> View:
        self._tasks = [asyncio.create_task(drive(source, self.store)) for source in self._sources]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, wanted: Callable[[Snapshot], bool], seconds: float = 60.0) -> Snapshot:
        async with asyncio.timeout(seconds):
            while not wanted(snapshot := self.store.freeze()):  # noqa: ASYNC110 (the store has no event to wait for)
                await asyncio.sleep(0.05)
        return snapshot


def live(snapshot: Snapshot) -> bool:
    return all(snapshot.source(name).freshness is Freshness.LIVE for name in WATCHED)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
async def test_the_sources_become_live(kube: KubeClient, path: Path) -> None:
    playbook = load(path)
    async with View(kube, playbook) as view:
        snapshot = await view.until(live)
    assert {f"{ref.namespace}/{ref.name}" for ref in playbook.target.workloads} == set(snapshot.deployments)
    assert {f"{a.daemonset.namespace}/{a.daemonset.name}" for a in playbook.agents} <= set(snapshot.daemonsets)
    assert sum(n.arch == "arm64" and n.ready for n in snapshot.nodes.values()) == ARM64_WORKERS
    serving = [p for p in snapshot.pods.values() if p.labels.get("app") == playbook.target.baseline.name]
    assert sum(p.ready for p in serving) == snapshot.deployments[str(_key(playbook))].replicas


def _key(playbook: Playbook) -> str:
    return f"{playbook.target.baseline.namespace}/{playbook.target.baseline.name}"


class Bench:
    """The lever on payments/ledger-worker."""

    def __init__(self, kube: KubeClient) -> None:
        self.kube = kube
        self.clock = WallClock()
        self.lever = AffinityLever(kube, (WORKER,), "real-1", self.clock)

    async def picture(self) -> Obj:
        body = json.loads(await self.kube.get(f"/apis/apps/v1/namespaces/{WORKER.namespace}/deployments/{WORKER.name}"))
        annotations = {k: v for k, v in body["metadata"]["annotations"].items() if k != "deployment.kubernetes.io/revision"}
        return {"spec": body["spec"], "annotations": annotations, "labels": body["metadata"]["labels"]}

    async def fly(self, plan: Plan) -> None:
        assert plan.writes
        for write in plan.writes:
            await self.lever.apply(write)

    async def rolled(self, desired: AffinitySet | None, seconds: float = 90.0) -> None:
        async with asyncio.timeout(seconds):
            while (found := self.lever.reading(await self.lever.read_for_restore(), desired)).proof is not Proof.PROVEN:
                assert found.proof is Proof.UNPROVEN, found.why
                await asyncio.sleep(0.2)


async def arches(view: View) -> set[str]:
    """Where the pods of the workload are that are not on their way out."""
    snapshot = await view.until(live)
    pods = [p for p in snapshot.pods.values() if p.labels.get("app") == WORKER.name and not p.terminating]
    return {snapshot.nodes[p.node].arch if p.node else "" for p in pods}


async def test_the_affinity_lever_moves_the_pods_and_brings_them_back(kube: KubeClient) -> None:
    bench = Bench(kube)
    before = await bench.picture()
    async with View(kube, load(SHIPPED[1])) as view:
        assert "amd64" in await arches(view)
        for mode, weight in ((AffinityMode.PREFERRED, 80), (AffinityMode.REQUIRED, 100)):
            desired = AffinitySet(WORKER, mode, Arch.ARM64, weight)
            await bench.fly(bench.lever.plan(await bench.lever.read(), desired))
            await bench.rolled(desired)
        await view.until(lambda s: live(s) and _all_on(s, "arm64"))
        assert (await bench.picture())["spec"] != before["spec"]
        await bench.fly(bench.lever.restore(await bench.lever.read_for_restore()))
        await bench.rolled(None)
        await view.until(lambda s: live(s) and _some_on(s, "amd64"))
    assert await bench.picture() == before


def _all_on(snapshot: Snapshot, arch: str) -> bool:
    pods = _settled(snapshot)
    return bool(pods) and all(snapshot.nodes[node].arch == arch for node in pods)


def _some_on(snapshot: Snapshot, arch: str) -> bool:
    return any(snapshot.nodes[node].arch == arch for node in _settled(snapshot))


def _settled(snapshot: Snapshot) -> list[str]:
    pods = [p for p in snapshot.pods.values() if p.labels.get("app") == WORKER.name]
    return [p.node for p in pods] if all(p.ready and not p.terminating for p in pods) else []


async def test_a_dry_run_is_checked_by_the_real_server_and_not_kept(kube: KubeClient) -> None:
    bench = Bench(kube)
    dry = AffinityLever(kube, (WORKER,), "real-1", bench.clock, dry_run=True)
    before = await bench.picture()
    for write in dry.plan(await dry.read(), AffinitySet(WORKER, AffinityMode.REQUIRED, Arch.ARM64)).writes:
        await dry.apply(write)
    assert await bench.picture() == before
