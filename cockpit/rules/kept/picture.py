"""The indexes of the newest picture: one of its nodes and one of its pods, for all rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cockpit.model.cluster import Deployment, Node, Pod, Ref
from cockpit.rules.kept.fleet import Fleet
from cockpit.rules.kept.forgetting import forgettable
from cockpit.rules.kept.nodes import Nodes
from cockpit.rules.kept.pods import Pods

_nodes = Nodes()
_pods = Pods()
# What is not believed is given as an empty map for a moment; the index of what is there must not be taken apart for it.
_NO_NODES = Nodes()
_NO_PODS = Pods()

forgettable(_nodes.forget)
forgettable(_pods.forget)


def nodes_in(nodes: Mapping[str, Node]) -> Nodes:
    """The nodes of a picture by architecture; to be read at once."""
    return (_nodes if nodes else _NO_NODES).show(nodes)


def fleet(pods: Mapping[str, Pod], ref: Ref) -> Fleet:
    """A DaemonSet's pods; to be read at once."""
    return (_pods if pods else _NO_PODS).show(pods).fleet(ref)


def of_deployments(pods: Mapping[str, Pod], deployments: Mapping[str, Deployment]) -> Mapping[str, Sequence[Pod]]:
    """Every Deployment's live pods by its selector, in the order of their names; the same tuple until one of them changes."""
    return (_pods if pods else _NO_PODS).show(pods).of_deployments(deployments)
