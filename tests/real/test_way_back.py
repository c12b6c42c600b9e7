"""Rollback readiness against the real scheduler, Deployment controller and quota admission: what it says is what comes of it.

Each case stands on arm64 as a run has left it, is judged, and is then sent home whatever the verdict says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest

from cockpit.clock import WallClock
from cockpit.connections.kube import KubeClient
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.image import Image, asked
from cockpit.model.json import canonical
from cockpit.model.playbook import AffinityMode, AffinitySet, Playbook
from cockpit.model.verdict import Outcome
from cockpit.playbook.loader import load
from cockpit.rules.affinity import narrow
from cockpit.rules.original import ORIGINAL
from cockpit.rules.readiness import GATE, Readiness, readiness
from cockpit.rules.readiness.judge import SOURCES
from cockpit.sources.cluster import cluster_sources
from cockpit.store import Store, drive
from tests.real.api import Api, Obj, rolled_out, until
from tests.real.content import SHIPPED
from tests.real.plane import Plane

NAMESPACE, NAME = "way-back", "homing"
IMAGE = "registry.example.com/way-back/app:1.0.0"
HOST = "kubernetes.io/hostname"
MINE = {"matchLabels": {"app": NAME}}
FIRM = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
SECONDS = 60.0


@dataclass(frozen=True)
class Case:
    """A workload, what is wrong around it, and what its way back is."""

    name: str
    outcome: Outcome
    replicas: int = 8
    beside: Obj = field(default_factory=dict)
    pod: Obj = field(default_factory=dict)
    strategy: Obj = field(default_factory=dict)
    around: Callable[[Api], AbstractContextManager[Any]] = lambda _: nullcontext()


def x86(api: Api) -> list[str]:
    found = api.items("nodes", labelSelector="kubernetes.io/arch=amd64,!node-role.kubernetes.io/control-plane")
    return [n["metadata"]["name"] for n in found]


def cordoned(count: int) -> Callable[[Api], AbstractContextManager[None]]:
    """So many x86 nodes take no new pod."""

    @contextmanager
    def around(api: Api) -> Iterator[None]:
        names = x86(api)[:count]
        for name in names:
            api.merge("nodes", "", name, {"spec": {"unschedulable": True}})
        try:
            yield
        finally:
            for name in names:
                api.merge("nodes", "", name, {"spec": {"unschedulable": None}})

    return around


@contextmanager
def tainted(api: Api) -> Iterator[None]:
    """Every x86 node repels new pods."""
    names = x86(api)
    for name in names:
        api.merge("nodes", "", name, {"spec": {"taints": [{"key": "retired", "value": "yes", "effect": "NoSchedule"}]}})
    try:
        yield
    finally:
        for name in names:
            api.merge("nodes", "", name, {"spec": {"taints": None}})


def rationed(pods: int) -> Callable[[Api], AbstractContextManager[None]]:
    """A quota of so many pods."""

    @contextmanager
    def around(api: Api) -> Iterator[None]:
        api.create(
            "resourcequotas", {"metadata": {"name": "ration", "namespace": NAMESPACE}, "spec": {"hard": {"pods": str(pods)}}}
        )
        try:
            until("the quota counts", lambda: api.get("resourcequotas", NAMESPACE, "ration").get("status", {}).get("used"))
            yield
        finally:
            api.delete("resourcequotas", NAMESPACE, "ration")

    return around


def spread(**more: str) -> Obj:
    constraint = {"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": MINE, **more}
    return {"topologySpreadConstraints": [constraint]}


ALONE: Obj = {
    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": HOST, "labelSelector": MINE}]}
}
CASES = (
    Case("room", Outcome.PASS),
    Case("taints", Outcome.FAIL, around=tainted),
    Case("a cordoned host holds back a spread", Outcome.FAIL, 16, pod=spread(), around=cordoned(1)),
    Case("a spread that looks at taints", Outcome.PASS, 16, pod=spread(nodeTaintsPolicy="Honor"), around=cordoned(1)),
    Case("hosts for each", Outcome.PASS, beside=ALONE, around=cordoned(2)),
    Case("too few hosts for each", Outcome.FAIL, beside=ALONE, around=cordoned(3)),
    Case("a quota without room for the first pod", Outcome.FAIL, strategy=FIRM, around=rationed(8)),
    Case("a quota with room for the first pod", Outcome.PASS, strategy=FIRM, around=rationed(9)),
)


def deployment(of: Case) -> Obj:
    """As a run has left it: bound to arm64, with the affinity from before in its annotation."""
    home, away = (narrow(of.beside, arch) for arch in (Arch.AMD64, Arch.ARM64))
    container = {"name": "app", "image": IMAGE, "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
    pod = {"containers": [container], "affinity": away, **of.pod}
    spec = {"replicas": of.replicas, "selector": MINE, "template": {"metadata": {"labels": {"app": NAME}}, "spec": pod}}
    meta = {"name": NAME, "namespace": NAMESPACE, "annotations": {ORIGINAL: canonical(home)}}
    return {"metadata": meta, "spec": {**spec, **({"strategy": of.strategy} if of.strategy else {})}}


def flown() -> Playbook:
    """The shipped playbook on this Deployment alone."""
    playbook, ref = load(SHIPPED[1]), Ref("deployment", NAMESPACE, NAME)
    target = replace(playbook.target, namespace=NAMESPACE, baseline=ref, canary=None)
    phases = tuple(replace(p, affinity=AffinitySet(ref, AffinityMode.REQUIRED)) for p in playbook.phases)
    return replace(playbook, target=target, phases=phases, agents=())


@pytest.fixture(scope="module")
def api(plane: Plane) -> Iterator[Api]:
    plane.admin.create("namespaces", {"metadata": {"name": NAMESPACE}})
    yield plane.admin
    plane.admin.delete("namespaces", "", NAMESPACE)


@pytest.fixture
async def kube(plane: Plane) -> AsyncIterator[KubeClient]:
    client = await KubeClient.connect("rehearsal", plane.kubeconfig)
    yield client
    await client.aclose()


async def judged(kube: KubeClient) -> Readiness:
    """What readiness says as soon as all is seen; the image, which no registry is asked about here, is known to run on x86."""
    playbook, clock = flown(), WallClock()
    store = Store(clock)
    tasks = [asyncio.create_task(drive(source, store)) for source in cluster_sources(kube, playbook, clock, Random(1))]
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                snapshot = store.freeze()
                if all(snapshot.source(name).live for name in SOURCES):
                    names = {asked(c) for p in snapshot.pods.values() for c in p.containers}
                    images = {name: Image(name, ran=frozenset({"amd64"})) for name in names}
                    return readiness(replace(snapshot, images=images), playbook)
                await asyncio.sleep(0.1)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def stuck(api: Api) -> bool:
    """The scheduler finds no node for a pod, or no pod is let start."""
    pods = [p for p in api.items("pods", NAMESPACE) if not p["metadata"].get("deletionTimestamp")]
    waiting = [c for p in pods for c in p.get("status", {}).get("conditions", []) if c["type"] == "PodScheduled"]
    failed = api.get("deployments", NAMESPACE, NAME).get("status", {}).get("conditions", [])
    return any(c["status"] == "False" for c in waiting) or any(c["type"] == "ReplicaFailure" for c in failed)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name.replace(" ", "-"))
async def test_the_verdict_is_what_comes_of_going_home(api: Api, kube: KubeClient, case: Case) -> None:
    api.create("deployments", deployment(case))
    try:
        await asyncio.to_thread(until, "it stands on arm64", lambda: rolled_out(api.get("deployments", NAMESPACE, NAME)))
        with case.around(api):
            found = await judged(kube)
            assert (found.verdict.gate, found.verdict.outcome) == (GATE, case.outcome), found.verdict.reason
            assert found.needed == case.replicas
            home = narrow(case.beside, Arch.AMD64)
            api.merge("deployments", NAMESPACE, NAME, {"spec": {"template": {"spec": {"affinity": home}}}})
            if case.outcome is Outcome.PASS:
                await asyncio.to_thread(until, "it is home", lambda: rolled_out(api.get("deployments", NAMESPACE, NAME)))
            else:
                await asyncio.to_thread(until, "it is stuck", lambda: stuck(api))
    finally:
        api.delete("deployments", NAMESPACE, NAME)
        await asyncio.to_thread(until, "its pods are gone", lambda: not api.items("pods", NAMESPACE))
