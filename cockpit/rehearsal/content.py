"""What is in the embedded cluster at the start, made from a playbook so that any playbook can be rehearsed."""

from __future__ import annotations

from cockpit.model.playbook import Playbook
from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.images import X86_INDEX
from cockpit.rehearsal.nodes import make_nodes
from cockpit.rehearsal.workloads import (
    BESIDE,
    KUBE_PROXY,
    NEIGHBOURS,
    Workload,
    agent,
    baseline,
    canary,
    daemonset,
    deployment,
    service,
)

DEFAULT_REGION = "ap-south-1"
AGE = 9.2 * 86_400
"""Virtual seconds that the cluster has been running when the rehearsal starts."""


def region_of(playbook: Playbook) -> str:
    """The playbook's AWS region; the rehearsal's own without a load balancer."""
    return playbook.alb.region if playbook.alb else DEFAULT_REGION


def cluster_uid(seed: int) -> str:
    """The UID of the kube-system namespace, by which a cluster is told from another."""
    return draws.uid(seed, "cluster")


def fill(cluster: Cluster, playbook: Playbook) -> None:
    """Create namespaces, nodes, Deployments, Services and DaemonSets. Pods follow when the controllers run."""
    gated = playbook.portability.require != "off"
    beside = [w for w in BESIDE if gated and w.namespace == playbook.target.namespace]
    deployments = [*moved(playbook), *NEIGHBOURS, *beside]
    for helper in beside:
        cluster.images.publish(helper.image, X86_INDEX)
    daemonsets = [*(agent(a) for a in playbook.agents), KUBE_PROXY]
    daemonsets = list({(d.namespace, d.name): d for d in daemonsets}.values())
    _namespaces(cluster, [w.namespace for w in (*deployments, *daemonsets)])
    for node in make_nodes(region_of(playbook), playbook.target.namespace, cluster.seed, cluster.stamp):
        cluster.create("nodes", node)
    for daemons in daemonsets:
        cluster.create("daemonsets", daemonset(daemons))
    for number, workload in enumerate(deployments):
        cluster.create("deployments", deployment(workload))
        cluster.create("services", service(workload, f"172.20.{40 + number}.{10 + 3 * number}"))


def moved(playbook: Playbook) -> list[Workload]:
    """The playbook's own workloads."""
    target = playbook.target
    made = [baseline(target.baseline, playbook)]
    return [*made, canary(target.canary, playbook)] if target.canary else made


def _namespaces(cluster: Cluster, used: list[str]) -> None:
    for name in sorted({"default", "kube-system", "kube-public", "kube-node-lease", *used}):
        meta = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
        if name == "kube-system":
            meta["uid"] = cluster_uid(cluster.seed)
        cluster.create("namespaces", {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
