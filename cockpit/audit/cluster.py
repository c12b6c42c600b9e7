"""What there is in a cluster: everything with a pod template in the namespaces that are asked for, and every DaemonSet.

Read-only, in pages. A list that is refused is a fault; a kind that the server does not have is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from cockpit.audit.ask import Ask, Scope
from cockpit.audit.objects import Found, budget, found, items
from cockpit.connections.decode import NODES, Raw
from cockpit.connections.decode_nodepools import NODE_POOLS
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Gone, NotFound, Unreachable
from cockpit.model.cluster import Node
from cockpit.model.nodepool import NodePool
from cockpit.model.workload import Budget, Role, Use, Workload
from cockpit.text import clean

T = TypeVar("T")
MAKERS = {
    "Deployment": "/apis/apps/v1/{}deployments",
    "StatefulSet": "/apis/apps/v1/{}statefulsets",
    "DaemonSet": "/apis/apps/v1/{}daemonsets",
    "ReplicaSet": "/apis/apps/v1/{}replicasets",
    "ReplicationController": "/api/v1/{}replicationcontrollers",
    "Job": "/apis/batch/v1/{}jobs",
    "CronJob": "/apis/batch/v1/{}cronjobs",
    "Pod": "/api/v1/{}pods",
}
"""What makes pods, and pods, each with the path of its list; `{}` is empty or names a namespace."""
_BUDGETS = "/apis/policy/v1/{}poddisruptionbudgets"
_NODES = "/api/v1/nodes"
_NODE = "Node"
"""The owner of what a kubelet runs from its own files."""
_POOLS = "/apis/karpenter.sh/v1/nodepools"
_LISTS_AT_ONCE = 6
_TRIES = 3
_MOST_OBJECTS = 200_000
"""Of one list: a server that never ends one does not fill the memory."""


@dataclass(slots=True)
class Cluster:
    """What was read. `nodes` is None when they could not be; `running` holds the containers of living pods by their owner's key.

    A key is `namespace/Kind/name`, or `namespace/Kind.group/name` where Kubernetes itself does not have that kind.
    """

    made: dict[str, Found] = field(default_factory=dict)
    nodes: dict[str, Node] | None = None
    pools: dict[str, NodePool] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    running: dict[str, set[Use]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)
    """The key of each object's controller."""
    pods: dict[str, Found] = field(default_factory=dict)
    """One living pod for each key of `running`."""

    def root(self, key: str) -> str:
        """The key of what an object belongs to in the end, among what was read; empty when nothing of it was."""
        found = ""
        for _ in range(len(MAKERS)):
            found = key if key in self.made else found
            if key not in self.roots:
                return found
            key = self.roots[key]
        return found


async def gather(kube: KubeClient, ask: Ask) -> Cluster:
    """Read everything. Never raises a CockpitError: what could not be read is among the faults."""
    cluster, turns = Cluster(), asyncio.Semaphore(_LISTS_AT_ONCE)

    async def kept(what: str, reading: Callable[[], AsyncIterator[None]]) -> None:
        async with turns:
            try:
                async for _ in reading():
                    pass
            except NotFound:
                return
            except CockpitError as error:
                cluster.faults.append(f"{what} could not be listed: {clean(str(error), 300)}")

    wanted = [*_wanted(ask)]
    lists = [kept(what, _reader(kube, cluster, kind, path)) for kind, path, what in wanted]
    await asyncio.gather(kept("nodes", lambda: _nodes(kube, cluster)), kept("NodePools", lambda: _pools(kube, cluster)), *lists)
    _settle(cluster)
    return cluster


def _wanted(ask: Ask) -> Iterable[tuple[str, str, str]]:
    """Kind, path and words of each list."""
    kinds = {**MAKERS, "PodDisruptionBudget": _BUDGETS}
    if ask.scope is Scope.EVERYTHING:
        return [(kind, path.format(""), f"{kind}s of all namespaces") for kind, path in kinds.items()]
    daemons = kinds.pop("DaemonSet")
    own = [
        (kind, path.format(f"namespaces/{namespace}/"), f"{kind}s of namespace {namespace}")
        for namespace in ask.namespaces
        for kind, path in kinds.items()
    ]
    return [("DaemonSet", daemons.format(""), "DaemonSets of all namespaces"), *own]


def _reader(kube: KubeClient, cluster: Cluster, kind: str, path: str) -> Callable[[], AsyncIterator[None]]:
    """Reads one list into the cluster, yielding after each page."""

    async def read() -> AsyncIterator[None]:
        async for page in _pages(kube, path):
            _take(cluster, kind, page)
            yield

    return read


def _take(cluster: Cluster, kind: str, page: bytes) -> None:
    for raw in _decoded(items, page):
        if kind == "PodDisruptionBudget":
            read_budget = _decoded(budget, raw)
            cluster.budgets[f"{read_budget.namespace}/{read_budget.name}"] = read_budget
            continue
        read = _decoded(lambda raw: found(kind, raw), raw)
        if read.over:
            continue
        if kind == "Pod":
            _keep_pod(cluster, read)
        else:
            _keep(cluster, kind, read)


def _keep(cluster: Cluster, kind: str, read: Found) -> None:
    key = f"{read.workload.ref.namespace}/{kind}/{read.workload.ref.name}"
    if read.owner:
        cluster.roots[key] = f"{read.workload.ref.namespace}/{read.owner}"
    cluster.made[key] = read


def _keep_pod(cluster: Cluster, read: Found) -> None:
    """Thousands of pods of one owner differ in nothing that is asked: only what runs in them is kept, and one of them."""
    ref = read.workload.ref
    kind, _, name = (read.owner or f"Pod/{ref.name}").partition("/")
    if kind == _NODE:
        return  # a file on that very node: nothing moves it
    key = f"{ref.namespace}/{kind}/{name}"
    cluster.running.setdefault(key, set()).update(read.workload.uses)
    cluster.pods.setdefault(key, read)


def _settle(cluster: Cluster) -> None:
    """Leave out what something else that was read makes; give each what its pods run, and each pod something that it is of."""
    for key in [key for key in cluster.made if cluster.root(key) != key]:
        del cluster.made[key]
    for key in list(cluster.running):
        root = cluster.root(key)
        if not root:
            cluster.made[key] = _by_its_pod(key, cluster.pods[key], cluster.running[key])
        elif root != key:
            cluster.running.setdefault(root, set()).update(cluster.running.pop(key))


def _by_its_pod(key: str, pod: Found, running: Iterable[Use]) -> Found:
    """What makes pods, and was not read itself: of a kind that nobody lists here, or gone between two lists."""
    kind, name = key.split("/", 2)[1:]
    short = kind.partition(".")[0]
    ref = replace(pod.workload.ref, kind=(kind if short in MAKERS else short).lower(), name=name)
    uses = sorted(running, key=lambda use: (use.role, use.container, use.image))
    return replace(pod, workload=replace(pod.workload, ref=ref, uses=tuple(uses)))


def injected(cluster: Cluster, key: str) -> tuple[Use, ...]:
    """The containers of a workload's living pods that its template does not have: those put in by admission or by hand."""
    known = {use.container for use in cluster.made[key].workload.uses}
    more = [use for use in cluster.running.get(key, ()) if use.container not in known]
    return tuple(
        sorted(
            (use if use.role is Role.EPHEMERAL else replace(use, role=Role.INJECTED) for use in more),
            key=lambda use: (use.container, use.image),
        )
    )


async def running_like(kube: KubeClient, workload: Workload) -> set[Use]:
    """The containers of one living pod with the labels of the workload's template; none without such a pod. A CockpitError."""
    selector = ",".join(f"{key}={value}" for key, value in sorted(workload.labels.items()))
    if not selector:
        return set()
    path = MAKERS["Pod"].format(f"namespaces/{workload.ref.namespace}/")
    page = await kube.get(path, {"labelSelector": selector, "limit": "5"})
    pods = [_decoded(lambda raw: found("Pod", raw), raw) for raw in _decoded(items, page)]
    return next((set(pod.workload.uses) for pod in pods if not pod.over), set())


async def _nodes(kube: KubeClient, cluster: Cluster) -> AsyncIterator[None]:
    read: dict[str, Node] = {}
    async for page in _pages(kube, _NODES):
        read |= {node.name: node for node in _decoded(NODES.page, page).items}
        yield
    cluster.nodes = read


async def _pools(kube: KubeClient, cluster: Cluster) -> AsyncIterator[None]:
    # Who may not see NodePools, or has none, has nodes all the same.
    with suppress(CockpitError):
        async for page in _pages(kube, _POOLS):
            cluster.pools |= {pool.name: pool for pool in _decoded(NODE_POOLS.page, page).items}
            yield


async def _pages(kube: KubeClient, path: str) -> AsyncIterator[bytes]:
    """All pages of a list; Gone half-way begins it again, which a reader has to bear: what it sees twice is the same object."""
    for attempt in range(_TRIES):
        seen = 0
        try:
            async for page in kube.pages(path):
                yield page
                seen += len(_decoded(items, page))
                if seen > _MOST_OBJECTS:
                    raise Unreachable(f"there are more than {_MOST_OBJECTS:,} of them")
            return
        except Gone:
            if attempt == _TRIES - 1:
                raise


def _decoded(decode: Callable[[Raw], T], raw: Raw) -> T:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"the server's answer cannot be read ({clean(str(error), 200)})") from None
