"""The matrix on the real plane: the words of real scheduler, controllers and quota admission, through the cockpit's sources."""

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
from cockpit.model.finding import FindingKind as K
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.playbook.loader import load
from cockpit.rules.matrix import Matrix, State, look
from cockpit.sources.cluster import cluster_sources
from cockpit.store import Store, drive
from tests.real.api import Api, Obj
from tests.real.content import SHIPPED
from tests.real.plane import Plane

NAMESPACE, NAME = "findings", "found"
FAILS = "real.example.com/fails-on-arm64"
SECONDS = 60.0
OBSERVED = (
    SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.EVENTS, SourceName.AUTOSCALERS, SourceName.QUOTAS,
)  # fmt: skip


def pinned(arch: str) -> Obj:
    return {"nodeSelector": {"kubernetes.io/arch": arch}}


@dataclass(frozen=True)
class Trouble:
    """A Deployment with something wrong, and the exact set of kinds that must be found."""

    name: str
    expected: set[K]
    pod: Obj = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    container: Obj = field(default_factory=dict)
    spec: Obj = field(default_factory=dict)
    around: Callable[[Api], AbstractContextManager[Any]] = lambda _: nullcontext()


@contextmanager
def tainted(api: Api) -> Iterator[None]:
    """All arm64 nodes repel new pods."""
    before = {n["metadata"]["name"]: n["spec"].get("taints") for n in nodes(api, Arch.ARM64)}
    taint = {"key": "arch", "value": "arm64", "effect": "NoSchedule"}
    for name, taints in before.items():
        api.merge("nodes", "", name, {"spec": {"taints": [*(taints or []), taint]}})
    try:
        yield
    finally:
        for name, taints in before.items():
            api.merge("nodes", "", name, {"spec": {"taints": taints}})


@contextmanager
def mislabelled(api: Api) -> Iterator[None]:
    """A node whose label is not what its kubelet says."""
    name = nodes(api, Arch.AMD64)[0]["metadata"]["name"]
    api.merge("nodes", "", name, {"metadata": {"labels": {"kubernetes.io/arch": "arm64"}}})
    try:
        yield
    finally:
        api.merge("nodes", "", name, {"metadata": {"labels": {"kubernetes.io/arch": "amd64"}}})


@contextmanager
def rationed(api: Api) -> Iterator[None]:
    """A quota of one pod."""
    api.create("resourcequotas", {"metadata": {"name": "ration", "namespace": NAMESPACE}, "spec": {"hard": {"pods": "1"}}})
    try:
        yield
    finally:
        api.delete("resourcequotas", NAMESPACE, "ration")


def nodes(api: Api, arch: Arch) -> list[Obj]:
    return api.items("nodes", labelSelector=f"kubernetes.io/arch={arch},!node-role.kubernetes.io/control-plane")


SPREAD = {
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/arch",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": NAME}},
        }
    ]
}
TROUBLES = (
    Trouble("healthy", set(), pinned("arm64")),
    Trouble("start-error", {K.EXEC_FORMAT}, pinned("arm64"), {FAILS: "start-error"}),
    Trouble(
        "words-from-the-log", {K.EXEC_FORMAT}, pinned("arm64"), {FAILS: "exec-format"},
        {"terminationMessagePolicy": "FallbackToLogsOnError"},
    ),
    Trouble("no-manifest", {K.NO_MANIFEST}, pinned("arm64"), {FAILS: "no-manifest"}),
    Trouble("silent-on-one-arch", {K.ONE_ARCH_STUCK, K.MIXED_ARCHES}, SPREAD, {FAILS: "exec-format"}),
    Trouble("no-such-arch", {K.PENDING_AFFINITY}, pinned("riscv64")),
    Trouble("tainted", {K.PENDING_TAINT}, pinned("arm64"), around=tainted),
    Trouble("too-large", {K.PENDING_CAPACITY}, pinned("arm64"), container={"resources": {"requests": {"cpu": "900"}}}),
    Trouble("deadline", {K.PENDING_AFFINITY, K.PROGRESS_DEADLINE}, pinned("riscv64"), spec={"progressDeadlineSeconds": 2}),
    Trouble("quota", {K.QUOTA}, pinned("arm64"), around=rationed),
    Trouble("mislabelled", {K.ARCH_LABEL_MISMATCH}, pinned("riscv64"), spec={"replicas": 0}, around=mislabelled),
)  # fmt: skip


def deployment(of: Trouble) -> Obj:
    container = {"name": "app", "image": "registry.example.com/findings/app:1.0.0", **of.container}
    labels = {"app": NAME}
    template = {"metadata": {"labels": labels, "annotations": of.notes}, "spec": {"containers": [container], **of.pod}}
    spec = {"replicas": 4, "selector": {"matchLabels": labels}, "template": template, **of.spec}
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": spec}


def flown() -> Playbook:
    """The shipped playbook on this Deployment alone."""
    playbook = load(SHIPPED[1])
    target = replace(playbook.target, namespace=NAMESPACE, baseline=Ref("deployment", NAMESPACE, NAME), canary=None)
    return replace(playbook, target=target, agents=())


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


async def seen(kube: KubeClient, enough: Callable[[Snapshot, Matrix], bool]) -> Matrix:
    """What the matrix says as soon as that is enough; after a while, whatever it says."""
    playbook, clock = flown(), WallClock()
    store = Store(clock)
    tasks = [asyncio.create_task(drive(source, store)) for source in cluster_sources(kube, playbook, clock, Random(1))]
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                snapshot = store.freeze()
                found = look(snapshot, playbook)
                if all(snapshot.source(name).live for name in OBSERVED) and enough(snapshot, found):
                    return found
                await asyncio.sleep(0.1)
    except TimeoutError:
        return found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def kinds(found: Matrix) -> set[K]:
    return {f.kind for f in found.findings}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
async def test_the_symptom_is_found_and_no_other(api: Api, kube: KubeClient, trouble: Trouble) -> None:
    def enough(snapshot: Snapshot, found: Matrix) -> bool:
        mine = snapshot.deployments.get(f"{NAMESPACE}/{NAME}")
        here = [p for p in snapshot.pods.values() if not p.terminating]
        if mine is None or (not trouble.expected and mine.ready < mine.replicas):
            return False
        return kinds(found) == trouble.expected and (bool(here) or mine.replicas == 0)

    with trouble.around(api):
        api.create("deployments", deployment(trouble))
        try:
            found = await seen(kube, enough)
        finally:
            api.delete("deployments", NAMESPACE, NAME)
    assert kinds(found) == trouble.expected, [(f.kind, f.message) for f in found.findings]
    assert {row.kind for row in found.blind} <= {K.EXEC_FORMAT, K.NO_MANIFEST, K.EMULATED}, "no registry is asked here"
    assert all(row.state is not State.CLEAR for row in found.rows if row.kind is K.EMULATED)
    for one in found.findings:
        assert one.message
        assert one.confirm.startswith(("kubectl ", "docker "))
