"""The crowd's nodes: half of them amd64, half arm64, each half over three zones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from cockpit.model.arch import Arch
from cockpit.rehearsal.crowd.groups import NodeGroup
from cockpit.rehearsal.crowd.nodeshape import node
from cockpit.rehearsal.crowd.template import Template, hole
from cockpit.rehearsal.kube.errors import Obj

_SUBNET = 64
"""The second byte of the first group's addresses: none of the small world's are in 10.64.0.0/10."""
_KINDS = tuple((arch, zone) for arch in (Arch.AMD64, Arch.ARM64) for zone in range(3))


def node_groups(count: int, region: str, seed: int) -> tuple[NodeGroup, ...]:
    """So many nodes, in order of their names."""
    groups: list[NodeGroup] = []
    first = 0
    for i, (arch, zone) in enumerate(_KINDS):
        # Every other node is arm64, as far as numbers go.
        side = (count + 1) // 2 if arch is Arch.AMD64 else count // 2
        size = (side + 2 - zone) // 3
        if size:
            shape = node(arch, zone, region)
            own = {k: v for k, v in shape["metadata"]["labels"].items() if v != hole("name")}
            numbers = sorted(range(1, size + 1), key=lambda n: f"{n >> 8}-{n & 255}.")
            groups.append(NodeGroup(first, size, _SUBNET + i, region, seed, Template(shape), own, numbers))
            first += size
    return tuple(groups)


def sample(group: NodeGroup) -> Obj:
    """As much of a node of this group as tells what may run there."""
    return {"metadata": {"name": group.host(group.first), "labels": dict(group.own)}, "spec": {}}


class NodeHosts:
    """Nodes by number, as pods are placed on them."""

    def __init__(self, groups: Sequence[NodeGroup]) -> None:
        self._groups = groups
        self._starts = [sum(g.count for g in groups[:i]) for i in range(len(groups))]
        self._count = sum(g.count for g in groups)

    def __len__(self) -> int:
        return self._count

    def at(self, number: int) -> tuple[str, str]:
        """Name and address of a node."""
        i = bisect_right(self._starts, number) - 1
        group = self._groups[i]
        slot = group.first + number - self._starts[i]
        return group.host(slot), group.address(slot)
