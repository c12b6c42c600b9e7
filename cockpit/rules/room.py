"""Room by requests on the nodes that the scheduler would give a workload: those of one architecture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Node, Resources
from cockpit.model.json import Json, canonical
from cockpit.model.snapshot import Snapshot
from cockpit.rules.affinity import admits
from cockpit.rules.kept import Chosen, nodes_in
from cockpit.rules.nodes import headroom, usable
from cockpit.rules.tolerations import repelling


@dataclass(frozen=True, slots=True)
class Pool:
    """One architecture's usable nodes; `used` grows as pods are placed in thought."""

    arch: Arch
    nodes: tuple[Node, ...]
    used: dict[str, Resources]

    @classmethod
    def of(cls, snapshot: Snapshot, arch: Arch) -> Pool:
        """What `arch` has; a node whose usage is not known gives no room."""
        found = [n for n in nodes_in(snapshot.nodes).workers(arch).values() if usable(n) and n.name in snapshot.usage]
        return cls(arch, tuple(found), {n.name: snapshot.usage[n.name] for n in found})

    def hosts(self, deployment: Deployment, affinity: Json) -> list[Node]:
        """The nodes that a pod with this affinity may be put on, room aside."""
        key = self.arch, canonical(affinity), deployment.node_selector, deployment.tolerations
        return _admitted(key, self.nodes, lambda n: _takes(n, deployment, affinity))

    def place(self, hosts: Iterable[Node], one: Resources, count: int) -> None:
        """Take the room of up to `count` pods."""
        for node in hosts:
            if count <= 0:
                return
            before = self.used[node.name]
            here = min(count, headroom(node, before, one))
            cpu, memory = before.cpu_milli + here * one.cpu_milli, before.memory_bytes + here * one.memory_bytes
            self.used[node.name] = Resources(cpu, memory, before.pods + here)
            count -= here


def _takes(node: Node, deployment: Deployment, affinity: Json) -> bool:
    return admits(affinity, deployment.node_selector, node) and not repelling(deployment.tolerations, node)


_admitted: Chosen[Node] = Chosen(lambda node: node.name)
