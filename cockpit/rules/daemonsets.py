"""What keeps a DaemonSet's pods off a node: the DaemonSet controller's own filters, with the reason in words.

Source: `nodeShouldRunDaemonPod` in kube-controller-manager's package daemon, and the tolerations that it adds to every pod.
"""

from __future__ import annotations

from cockpit.model.arch import ARCH_LABELS
from cockpit.model.cluster import DaemonSet, Node
from cockpit.rules.affinity import admits, pinned_to
from cockpit.rules.tolerations import repelling

TOLERATED = frozenset(
    f"node.kubernetes.io/{trouble}"
    for trouble in (
        *("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure"),
        *("unschedulable", "network-unavailable"),
    )
)
"""Taints that no DaemonSet's pod minds (network-unavailable: those on the host's network only, which agents usually are)."""


def keeps_off(daemonset: DaemonSet, node: Node) -> str:
    """Why the controller makes no pod for this node; empty when it should make one."""
    for key, value in daemonset.node_selector.items():
        if node.labels.get(key) != value:
            return _selector(key, value, node)
    if not admits(daemonset.affinity, {}, node):
        only = pinned_to(daemonset.affinity, {})
        return f"pinned to {only} by node affinity" if only and only != node.arch else "its node affinity does not admit the node"
    taints = [t for t in repelling(daemonset.tolerations, node) if t.key not in TOLERATED]
    if taints:
        value = f"={taints[0].value}" if taints[0].value else ""
        return f"taint {taints[0].key}{value}:{taints[0].effect} is not tolerated"
    return ""


def _selector(key: str, value: str, node: Node) -> str:
    if key in ARCH_LABELS and value != node.arch:
        return f"pinned to {value} by nodeSelector {key}"
    return f"the node lacks the label {key}={value} of its nodeSelector"
