"""Nodes by architecture, and the workloads' pods on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Node, Pod, Ref, Resources
from cockpit.model.playbook import Target
from cockpit.model.snapshot import Snapshot
from cockpit.rules.kept import Remembered, nodes_in, of_deployments
from cockpit.rules.kept.fleet import ENDED as ENDED


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
    """The live pods of a Deployment, by its selector, in the order of their names: neither terminating nor ended.

    The very same object until one of them changes. (An evicted pod stays as Failed, and is none of them.)
    """
    return of_deployments(snapshot.pods, snapshot.deployments).get(f"{ref.namespace}/{ref.name}", ())


def selected(deployment: Deployment, pod: Pod) -> bool:
    """The Deployment's selector matches the pod."""
    return pod.namespace == deployment.namespace and deployment.selector.items() <= pod.labels.items()


def mix(snapshot: Snapshot, target: Target) -> NodeMix:
    """Count nodes and the workloads' pods by architecture."""
    pods = tuple([pods_of(snapshot, ref) for ref in target.workloads])
    return _mix(snapshot.nodes, snapshot.usage, *pods)


def _mixed(nodes: Mapping[str, Node], usage: Mapping[str, Resources], *workloads: Sequence[Pod]) -> NodeMix:
    pods = list(chain.from_iterable(workloads))
    found = nodes_in(nodes)
    return NodeMix(
        archs={arch: _facts(nodes, usage, arch, pods) for arch in Arch},
        control_plane=found.control_plane,
        unplaced=sum(1 for p in pods if not p.node),
        mislabelled=tuple(sorted(found.mislabelled)),
    )


_mix = Remembered(_mixed)


def _facts(nodes: Mapping[str, Node], usage: Mapping[str, Resources], arch: Arch, pods: list[Pod]) -> ArchFacts:
    found = nodes_in(nodes)
    ready = found.ready(arch)
    here = [p for p in pods if p.node in nodes and nodes[p.node].arch == arch]
    return ArchFacts(
        arch=arch,
        ready=len(ready),
        not_ready=len(found.workers(arch)) - len(ready),
        cordoned=found.cordoned(arch),
        used=_used(ready, usage),
        pods_ready=sum(p.ready for p in here),
        pods_other=sum(not p.ready for p in here),
    )


_cpu = attrgetter("cpu_milli")
_cpu_there = attrgetter("allocatable.cpu_milli")


def _used(nodes: Mapping[str, Node], usage: Mapping[str, Resources]) -> float | None:
    known = nodes.keys() & usage.keys()
    total = sum(map(_cpu_there, map(nodes.__getitem__, known)))
    return sum(map(_cpu, map(usage.__getitem__, known))) / total if total else None


def headroom(node: Node, used: Resources, wanted: Resources) -> int:
    """How many pods with the requests `wanted` still fit on a node of which `used` is taken."""
    room = node.allocatable
    most = room.pods - used.pods
    if wanted.cpu_milli:
        most = min(most, (room.cpu_milli - used.cpu_milli) // wanted.cpu_milli)
    if wanted.memory_bytes:
        most = min(most, (room.memory_bytes - used.memory_bytes) // wanted.memory_bytes)
    return max(0, most)
