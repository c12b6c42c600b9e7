"""The nodes of a picture by architecture, kept in step with what changes."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.cluster import Node
from cockpit.rules.kept.changes import changes

_NONE: Mapping[str, Node] = {}


class Nodes:
    """An index of one map of nodes by name. To be read before another map is shown, and never written by who reads it."""

    def __init__(self) -> None:
        self._of: Mapping[str, Node] | None = None
        self._forget()

    def forget(self) -> None:
        """Begin anew."""
        self._of = None
        self._forget()

    def _forget(self) -> None:
        self._workers: dict[str, dict[str, Node]] = {}
        self._ready: dict[str, dict[str, Node]] = {}
        self._cordoned: dict[str, int] = {}
        self.arches: dict[str, str] = {}
        """What each node really is: the kubelet knows what it runs on, a label can be anything."""
        self.control_plane = 0
        self.mislabelled: dict[str, Node] = {}
        """Nodes whose label and kubelet disagree on the architecture."""

    def show(self, nodes: Mapping[str, Node]) -> Nodes:
        """Itself, of `nodes`."""
        if nodes is not self._of:
            was, self._of = self._of, None  # whatever goes wrong in between: begin anew
            if was is None or not self._step(was, nodes):
                self._forget()
                for node in nodes.values():
                    self._add(node)
            self._of = nodes
        return self

    def workers(self, arch: str) -> Mapping[str, Node]:
        """The nodes labelled `arch` that are no control plane, in the order of the map."""
        return self._workers.get(arch, _NONE)

    def ready(self, arch: str) -> Mapping[str, Node]:
        """Those of them that are Ready, in no order."""
        return self._ready.get(arch, _NONE)

    def cordoned(self, arch: str) -> int:
        """How many of the workers are."""
        return self._cordoned.get(arch, 0)

    def _step(self, was: Mapping[str, Node], now: Mapping[str, Node]) -> bool:
        """Follow the changes; False where the order of a list would no longer be that of the map."""
        found = changes(was, now)
        if not found.same_keys:
            return False
        for name in found.put:
            before, after = was[name], now[name]
            if (before.name, before.arch, before.control_plane) != (after.name, after.arch, after.control_plane):
                return False
        for name in found.put:
            self._count(was[name], -1)
            self._add(now[name])
        return True

    def _add(self, node: Node) -> None:
        self.arches[node.name] = node.reported_arch or node.arch
        if node.reported_arch and node.arch != node.reported_arch:
            self.mislabelled[node.name] = node
        else:
            self.mislabelled.pop(node.name, None)
        if not node.control_plane:
            self._workers.setdefault(node.arch, {})[node.name] = node
            ready = self._ready.setdefault(node.arch, {})
            if node.ready:
                ready[node.name] = node
            else:
                ready.pop(node.name, None)
        self._count(node, 1)

    def _count(self, node: Node, by: int) -> None:
        if node.control_plane:
            self.control_plane += by
        elif node.unschedulable:
            self._cordoned[node.arch] = self._cordoned.get(node.arch, 0) + by
