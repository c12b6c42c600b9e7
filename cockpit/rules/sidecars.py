"""The containers beside a workload's own: mesh proxies, log shippers. They are agents too, in each pod, not on each node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from cockpit.model.cluster import Container, Node, Pod, Ref
from cockpit.model.playbook import Playbook, Target
from cockpit.model.snapshot import Snapshot
from cockpit.rules.kept import Remembered
from cockpit.rules.kept.fleet import CRASH_LOOP as CRASH_LOOP
from cockpit.rules.nodes import pods_of

USUAL = frozenset({"app", "application", "main"})
"""What a workload's own container is often called."""


@dataclass(frozen=True, slots=True)
class SidecarHealth:
    """One sidecar in a workload's pods on the target's nodes. `native`: an init container that goes on running.

    `crash_looping` are pods; `elsewhere` counts the workloads' pods on other nodes in which it crash-loops too.
    """

    name: str
    workload: Ref
    pods: int
    ready: int
    restarts: int = 0
    crash_looping: tuple[str, ...] = ()
    elsewhere: int = 0
    native: bool = False

    @property
    def only_here(self) -> bool:
        """It crash-loops on the target's nodes and nowhere else."""
        return bool(self.crash_looping) and not self.elsewhere


def sidecars(snapshot: Snapshot, playbook: Playbook) -> tuple[SidecarHealth, ...]:
    """The sidecars of every workload's pods that are on nodes of the target architecture, each beside those elsewhere.

    Baseline and canary are the same program, so that either's sidecar of that name tells whether it loops at home too.
    """
    workloads = playbook.target.workloads
    return _sidecars(snapshot.nodes, playbook.target, *[pods_of(snapshot, ref) for ref in workloads])


@Remembered
def _sidecars(nodes: Mapping[str, Node], target: Target, *pods: Sequence[Pod]) -> tuple[SidecarHealth, ...]:
    here: dict[Ref, dict[str, list[tuple[Pod, Container]]]] = {}
    looping: Counter[str] = Counter()
    for ref, some in zip(target.workloads, pods, strict=True):
        mine = here.setdefault(ref, {})
        for pod, arch in _placed(nodes, some):
            if arch == target.to_arch:
                for container in beside(pod, ref.name):
                    mine.setdefault(container.name, []).append((pod, container))
            elif any(c.waiting == CRASH_LOOP for c in pod.containers):
                looping.update(c.name for c in beside(pod, ref.name) if c.waiting == CRASH_LOOP)
    return tuple(_health(ref, name, found, looping[name]) for ref, mine in here.items() for name, found in sorted(mine.items()))


def beside(pod: Pod, workload: str) -> tuple[Container, ...]:
    """A pod's sidecars: native ones, and all plain containers but the workload's own.

    That one is what the pod's annotation names, else the first that is named like the workload, else like any, else the first.
    """
    own = own_container(tuple([c.name for c in pod.containers if not c.init]), pod.main, workload)
    return tuple([c for c in pod.containers if (c.sidecar if c.init else c.name != own)])


@lru_cache(maxsize=1024)
def own_container(names: tuple[str, ...], annotated: str, workload: str) -> str:
    """Which of a pod's plain containers is the workload's own."""
    if annotated in names:
        return annotated
    alike = (name for name in names if name and (name in workload or workload in name))
    usual = (name for name in names if name in USUAL)
    return next(chain(alike, usual, names), "")


def _placed(nodes: Mapping[str, Node], pods: Iterable[Pod]) -> Iterator[tuple[Pod, str]]:
    """The pods with anything beside their own container that are on a node that is known, each with its architecture."""
    for pod in pods:
        node = nodes.get(pod.node)
        if node is not None and len(pod.containers) > 1:
            yield pod, node.arch


def _health(ref: Ref, name: str, found: list[tuple[Pod, Container]], elsewhere: int) -> SidecarHealth:
    return SidecarHealth(
        name=name,
        workload=ref,
        pods=len(found),
        ready=sum(c.ready for _, c in found),
        restarts=sum(c.restarts for _, c in found),
        crash_looping=tuple(sorted(p.name for p, c in found if c.waiting == CRASH_LOOP)),
        elsewhere=elsewhere,
        native=found[0][1].sidecar,
    )
