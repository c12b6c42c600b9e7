"""Room for the pods of a rollback, on the nodes that the scheduler would give them there: those of the home architecture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cockpit.errors import Impossible
from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Node, Ref, Resources
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.affinity import admits, pinned_to
from cockpit.rules.nodes import headroom, pods_of, usable, workers
from cockpit.rules.original import original
from cockpit.rules.tolerations import repelling


@dataclass(slots=True)
class Room:
    """`needed` pods would come back and `fits` find room. `faults` say what stands in the way, `unseen` what is not known."""

    needed: int = 0
    fits: int = 0
    faults: list[str] = field(default_factory=list)
    unseen: list[Ref] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pool:
    """One architecture's usable nodes; `used` grows as pods are placed in thought."""

    arch: Arch
    nodes: tuple[Node, ...]
    used: dict[str, Resources]

    @classmethod
    def of(cls, snapshot: Snapshot, arch: Arch) -> Pool:
        """What `arch` has; a node whose usage is not known gives no room."""
        found = [n for n in workers(snapshot.nodes.values(), arch) if usable(n) and n.name in snapshot.usage]
        return cls(arch, tuple(found), {n.name: snapshot.usage[n.name] for n in found})

    def hosts(self, deployment: Deployment, affinity: Json) -> list[Node]:
        """The nodes that a pod with this affinity may be put on, room aside."""
        admitted = (n for n in self.nodes if admits(affinity, deployment.node_selector, n))
        return [n for n in admitted if not repelling(deployment.tolerations, n)]

    def place(self, hosts: Iterable[Node], one: Resources, count: int) -> None:
        """Take the room of up to `count` pods."""
        for node in hosts:
            before = self.used[node.name]
            here = min(count, headroom(node, before, one))
            cpu, memory = before.cpu_milli + here * one.cpu_milli, before.memory_bytes + here * one.memory_bytes
            self.used[node.name] = Resources(cpu, memory, before.pods + here)
            count -= here


def room(snapshot: Snapshot, playbook: Playbook) -> Room:
    """Place every workload that goes home, one after the other, so that what one takes is not given to the next."""
    home = Pool.of(snapshot, playbook.target.from_arch)
    found = Room()
    for ref in _going_home(playbook):
        deployment = snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
        if deployment is None:
            found.unseen.append(ref)
        else:
            _bring_home(found, home, deployment, _needed(snapshot, playbook, ref))
    return found


def _bring_home(found: Room, home: Pool, deployment: Deployment, needed: int) -> None:
    try:
        affinity = original(deployment)
    except Impossible as damaged:
        found.faults.append(str(damaged))
        return
    if pinned_to(affinity, deployment.node_selector) is home.arch.other:
        return  # it was off the home architecture before the run, and a rollback leaves it there
    hosts = home.hosts(deployment, affinity)
    fits = sum(headroom(n, home.used[n.name], deployment.template_requests) for n in hosts)
    if home.nodes and not hosts:
        found.faults.append(f"no {home.arch} node takes pods of {deployment.name} (taints, node selector or affinity)")
    elif fits < needed:
        found.faults.append(f"room for {fits} pods on {home.arch}, {needed} would come back")
    home.place(hosts, deployment.template_requests, needed)
    # What came home before this one fitted too; the room that is left is told in pods of the last.
    found.fits, found.needed = min(found.fits, found.needed) + fits, found.needed + needed


def _going_home(playbook: Playbook) -> list[Ref]:
    """The baseline, since traffic goes back to it, and what affinity moves."""
    moved = {p.affinity.workload for p in playbook.phases if p.affinity}
    return [ref for ref in playbook.target.workloads if ref == playbook.target.baseline or ref in moved]


def _needed(snapshot: Snapshot, playbook: Playbook, ref: Ref) -> int:
    """Pods of a workload that affinity moves which now run off the home architecture."""
    if not any(p.affinity and p.affinity.workload == ref for p in playbook.phases):
        return 0
    home = {n.name for n in workers(snapshot.nodes.values(), playbook.target.from_arch)}
    return sum(1 for p in pods_of(snapshot, ref) if p.node not in home)
