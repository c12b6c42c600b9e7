"""Nodes have no room, or go away."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.nodes import CONTROL_PLANE
from cockpit.rehearsal.objects import arch_of, controller, finished, terminating
from cockpit.rehearsal.replicasets import stop_pod
from cockpit.rehearsal.scenarios.base import Later, Scenario
from cockpit.rehearsal.scheduler import allocatable

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


class NoArmCapacity(Scenario):
    """Another team's batch pods fill the arm64 nodes: what runs there runs on, but no further pod of 500m fits."""

    LEFT = 300
    """Thousandths of a core that stay free on each node."""

    def start(self) -> None:
        """Put one pod that takes what is left on each arm64 node."""
        cluster = self.story.cluster
        if cluster.storage.find("namespaces", None, "analytics") is None:
            meta = {"name": "analytics", "labels": {"kubernetes.io/metadata.name": "analytics"}}
            namespace: Obj = {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
            cluster.create("namespaces", namespace)
        nodes = [n for n in cluster.storage.list("nodes") if arch_of(n) == Arch.ARM64]
        for number, node in enumerate(nodes):
            self._fill(number, node)

    def _fill(self, number: int, node: Obj) -> None:
        cluster, name = self.story.cluster, node["metadata"]["name"]
        free = allocatable(node)[0] - cluster.used[name].cpu - self.LEFT
        if free <= 0 or cluster.storage.find("pods", "analytics", f"feature-batch-{number}"):
            return
        resources = {"requests": {"cpu": f"{free}m", "memory": "1Gi"}}
        container = {"name": "batch", "image": "registry.example.com/analytics/feature-batch:31", "resources": resources}
        spec = {"nodeName": name, "containers": [container], "restartPolicy": "Never"}
        meta = {"name": f"feature-batch-{number}", "namespace": "analytics", "labels": {"app": "feature-batch"}}
        cluster.create("pods", {"metadata": meta, "spec": spec, "status": {"phase": "Pending"}})


class X86Gone(Later):
    """Somebody scales the x86 node groups in ahead of time: all are cordoned at once, then drained one after the other."""

    FIRST, EVERY = 30, 20
    """Virtual seconds from the cordon to the first drain, and between two."""

    def happen(self) -> None:
        """Cordon."""
        for node in self._nodes():
            self.story.cluster.change("nodes", node, self._cordon)
            words = f"Node {node['metadata']['name']} status is now: NodeNotSchedulable"
            self.story.cluster.event(node, "Normal", "NodeNotSchedulable", words, "kubelet")

    def step(self, step: int) -> None:
        """Cordon when it is time, then drain."""
        super().step(step)
        since = step - self.began - self.FIRST if self.began is not None else -1
        number, rest = divmod(since, self.EVERY)
        nodes = self._nodes()
        if since >= 0 and rest == 0 and number < len(nodes):
            self._drain(nodes[number])

    def _nodes(self) -> list[Obj]:
        home = self.story.playbook.target.from_arch
        held = self.story.cluster.storage.list("nodes")
        return [n for n in held if arch_of(n) == home and CONTROL_PLANE not in n["metadata"]["labels"]]

    def _cordon(self, node: Obj) -> None:
        node["spec"]["unschedulable"] = True
        taint = {"key": UNSCHEDULABLE, "effect": "NoSchedule", "timeAdded": self.story.cluster.stamp}
        node["spec"].setdefault("taints", []).append(taint)

    def _drain(self, node: Obj) -> None:
        """As `kubectl drain --ignore-daemonsets`."""
        for pod in list(self.story.cluster.pods_on[node["metadata"]["name"]].values()):
            owner = controller(pod) or {}
            if owner.get("kind") != "DaemonSet" and not finished(pod) and not terminating(pod):
                stop_pod(self.story.cluster, pod)
