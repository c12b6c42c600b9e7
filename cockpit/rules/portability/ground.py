"""The nodes that an audit judges placement by: who could run what is to be moved, and who runs it now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.cluster import Node
from cockpit.model.nodepool import NodePool
from cockpit.rules.readiness.provisioning import gives


@dataclass(frozen=True, slots=True)
class Ground:
    """Nodes and NodePools. `nodes` is None when no cluster was asked, or it did not say."""

    arch: Arch
    nodes: tuple[Node, ...] | None = None
    pools: tuple[NodePool, ...] = ()

    @property
    def there(self) -> tuple[Node, ...]:
        """The workers of the architecture that is moved to."""
        return self.workers(self.arch)

    @property
    def here(self) -> tuple[Node, ...]:
        """The workers of the other one."""
        return self.workers(self.arch.other)

    @property
    def making(self) -> tuple[NodePool, ...]:
        """The NodePools that may make nodes of the architecture that is moved to."""
        return tuple(pool for pool in self.pools if gives(pool, self.arch))

    def workers(self, arch: Arch) -> tuple[Node, ...]:
        """The nodes of an architecture that are no control plane."""
        return tuple(n for n in self.nodes or () if n.arch == arch and not n.control_plane)


def names(nodes: Iterable[Node], most: int = 3) -> str:
    """A few names, and how many more there are."""
    listed = sorted(node.name for node in nodes)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
