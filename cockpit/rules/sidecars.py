"""The containers beside a workload's own: mesh proxies, log shippers. They are agents too, in each pod, not on each node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Pod, Ref
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.nodes import pods_of

CRASH_LOOP = "CrashLoopBackOff"


@dataclass(frozen=True, slots=True)
class SidecarHealth:
    """One sidecar in a workload's pods on the target's nodes. `native`: an init container that goes on running.

    `crash_looping` are pods; `elsewhere` counts the pods on other nodes in which it crash-loops too.
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
    """The sidecars of every workload's pods that are on nodes of the target architecture."""
    return tuple(found for ref in playbook.target.workloads for found in _of(snapshot, ref, playbook.target.to_arch))


def beside(pod: Pod, workload: str) -> tuple[Container, ...]:
    """A pod's sidecars: native ones, and all plain containers but the workload's own.

    That one is the first that is named like the workload, else the first.
    """
    plain = [c for c in pod.containers if not c.init]
    own = next((c for c in plain if c.name and (c.name in workload or workload in c.name)), plain[0] if plain else None)
    return tuple(c for c in pod.containers if c.sidecar or (not c.init and c is not own))


def _of(snapshot: Snapshot, ref: Ref, arch: Arch) -> Iterator[SidecarHealth]:
    here: dict[str, list[tuple[Pod, Container]]] = {}
    there: list[Container] = []
    for pod in pods_of(snapshot, ref):
        node = snapshot.nodes.get(pod.node)
        for container in beside(pod, ref.name):
            if node is not None and node.arch == arch:
                here.setdefault(container.name, []).append((pod, container))
            else:
                there.append(container)
    for name, found in sorted(here.items()):
        yield _health(name, ref, found, there)


def _health(name: str, ref: Ref, found: list[tuple[Pod, Container]], there: Iterable[Container]) -> SidecarHealth:
    return SidecarHealth(
        name=name,
        workload=ref,
        pods=len(found),
        ready=sum(c.ready for _, c in found),
        restarts=sum(c.restarts for _, c in found),
        crash_looping=tuple(sorted(p.name for p, c in found if c.waiting == CRASH_LOOP)),
        elsewhere=sum(c.name == name and c.waiting == CRASH_LOOP for c in there),
        native=found[0][1].sidecar,
    )
