"""Nodes."""

from __future__ import annotations

from cockpit.connections.wire.meta import Meta, Part, StatusCondition


class NodeTaint(Part):
    """A taint."""

    key: str = ""
    effect: str = ""
    value: str | None = ""


class NodeSpec(Part):
    """Scheduling switches of a node."""

    unschedulable: bool | None = False
    taints: list[NodeTaint] | None = None


class NodeInfo(Part):
    """What the kubelet says of itself."""

    architecture: str = ""


class NodeStatus(Part):
    """A node's status."""

    allocatable: dict[str, str | int | float] | None = None
    conditions: list[StatusCondition] | None = None
    node_info: NodeInfo | None = None


class Node(Part):
    """A node."""

    metadata: Meta
    spec: NodeSpec | None = None
    status: NodeStatus | None = None
