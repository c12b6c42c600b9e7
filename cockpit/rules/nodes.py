"""Nodes by architecture, and the workloads' pods on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Node, Pod, Ref, Resources
from cockpit.model.playbook import Target
from cockpit.model.snapshot import Snapshot

ENDED = ("Failed", "Succeeded")
"""Phases of pods that will never run again."""


@dataclass(frozen=True, slots=True)
class ArchFacts:
    """One architecture's workers and the workloads' pods there. `used` is requested / allocatable CPU (None: not known)."""

    arch: Arch
    ready: int = 0
    not_ready: int = 0
    cordoned: int = 0
    used: float | None = None
    pods_ready: int = 0
    pods_other: int = 0


@dataclass(frozen=True, slots=True)
class NodeMix:
    """All workers by architecture; control-plane nodes are no capacity and counted apart, as are pods that have no node."""

    archs: Mapping[Arch, ArchFacts]
    control_plane: int = 0
    unplaced: int = 0
    mislabelled: tuple[str, ...] = ()
    """Nodes whose label and kubelet disagree on the architecture."""


def workers(nodes: Iterable[Node], arch: Arch) -> list[Node]:
    """The nodes of an architecture that are no control plane."""
    return [n for n in nodes if n.arch == arch and not n.control_plane]


def usable(node: Node) -> bool:
    """Ready and not cordoned."""
    return node.ready and not node.unschedulable


def pods_of(snapshot: Snapshot, ref: Ref) -> Sequence[Pod]:
    """The live pods of a Deployment, by its selector: neither terminating nor ended (an evicted pod stays as Failed)."""
    return _by_deployment(_Seen(snapshot.pods, snapshot.deployments)).get(f"{ref.namespace}/{ref.name}", ())


class _Seen:
    """The maps of a snapshot, told from others by being the very same ones: the next snapshot holds them until they change."""

    __slots__ = ("deployments", "pods")

    def __init__(self, pods: Mapping[str, Pod], deployments: Mapping[str, Deployment]) -> None:
        self.pods = pods
        self.deployments = deployments

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and self.pods is other.pods and self.deployments is other.deployments

    def __hash__(self) -> int:
        return hash((id(self.pods), id(self.deployments)))


@lru_cache(maxsize=2)
def _by_deployment(seen: _Seen) -> Mapping[str, Sequence[Pod]]:
    """Every Deployment's live pods. Each rule asks for them, so that they are looked for once."""
    found: dict[str, list[Pod]] = {key: [] for key in seen.deployments}
    wanted = [(d.namespace, d.selector.items(), found[key]) for key, d in seen.deployments.items()]
    for pod in seen.pods.values():
        if pod.terminating or pod.phase in ENDED:
            continue
        labels = pod.labels.items()
        for namespace, selector, mine in wanted:
            if pod.namespace == namespace and selector <= labels:
                mine.append(pod)
    return {key: tuple(mine) for key, mine in found.items()}


def selected(deployment: Deployment, pod: Pod) -> bool:
    """The Deployment's selector matches the pod."""
    return pod.namespace == deployment.namespace and deployment.selector.items() <= pod.labels.items()


def mix(snapshot: Snapshot, target: Target) -> NodeMix:
    """Count nodes and the workloads' pods by architecture."""
    pods = [p for ref in target.workloads for p in pods_of(snapshot, ref)]
    facts = {arch: _facts(snapshot, arch, pods) for arch in Arch}
    nodes = snapshot.nodes.values()
    return NodeMix(
        archs=facts,
        control_plane=sum(n.control_plane for n in nodes),
        unplaced=sum(1 for p in pods if not p.node),
        mislabelled=tuple(sorted(n.name for n in nodes if n.reported_arch and n.arch != n.reported_arch)),
    )


def _facts(snapshot: Snapshot, arch: Arch, pods: list[Pod]) -> ArchFacts:
    nodes = workers(snapshot.nodes.values(), arch)
    ready = [n for n in nodes if n.ready]
    here = [p for p in pods if p.node in snapshot.nodes and snapshot.nodes[p.node].arch == arch]
    return ArchFacts(
        arch=arch,
        ready=len(ready),
        not_ready=len(nodes) - len(ready),
        cordoned=sum(n.unschedulable for n in nodes),
        used=_used(ready, snapshot.usage),
        pods_ready=sum(p.ready for p in here),
        pods_other=sum(not p.ready for p in here),
    )


def _used(nodes: list[Node], usage: Mapping[str, Resources]) -> float | None:
    known = [n for n in nodes if n.name in usage]
    total = sum(n.allocatable.cpu_milli for n in known)
    return sum(usage[n.name].cpu_milli for n in known) / total if total else None


def headroom(node: Node, used: Resources, wanted: Resources) -> int:
    """How many pods with the requests `wanted` still fit on a node of which `used` is taken."""
    free = [
        (node.allocatable.cpu_milli - used.cpu_milli, wanted.cpu_milli),
        (node.allocatable.memory_bytes - used.memory_bytes, wanted.memory_bytes),
        (node.allocatable.pods - used.pods, 1),
    ]
    return max(0, min(have // need for have, need in free if need))
