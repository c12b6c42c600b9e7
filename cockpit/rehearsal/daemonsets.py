"""The DaemonSet controller: one pod on each eligible node; updates one node at a time."""

from __future__ import annotations

from cockpit.model.json import canonical
from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster, Elsewhere
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, finished, is_ready, key, terminating
from cockpit.rehearsal.placement import affinity_holds, untolerated
from cockpit.rehearsal.reconcile import reconcile
from cockpit.rehearsal.replicasets import new_pod, stop_pod

SOURCE = "daemonset-controller"
HASH = "controller-revision-hash"
_ALWAYS = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets:
    """Follows nodes for the DaemonSets that are marked."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._made: dict[str, int] = {}

    def run(self) -> None:
        """Look at every DaemonSet that is marked."""
        reconcile(self._cluster, "daemonsets", self._cluster.dirty.daemonsets, self._sync)

    def _sync(self, owner: Obj) -> None:
        template = _template(owner)
        nodes = self._cluster.storage.list("nodes")
        eligible = [n["metadata"]["name"] for n in nodes if _eligible(template["spec"], n)]
        have = self._by_node(owner)
        for node in eligible:
            if node not in have:
                self._add(owner, template, node)
        for node, pod in have.items():
            if node not in eligible or finished(pod):
                stop_pod(self._cluster, pod)
        held = [have[n] for n in eligible if n in have]
        self._update(template, held, whole=len(held) == len(eligible))
        self._count(owner, template, eligible)

    def _by_node(self, owner: Obj) -> dict[str, Obj]:
        """Its pods by the node that they are on or meant for; one that is terminating still holds its place."""
        pods = self._cluster.pods_of[owner["metadata"]["uid"]].values()
        return {_meant_for(p): p for p in pods}

    def _add(self, owner: Obj, template: Obj, node: str) -> None:
        name = owner["metadata"]["name"]
        number = self._made[f"{name}/{node}"] = self._made.get(f"{name}/{node}", 0) + 1
        pod_name = f"{name}-{draws.suffix(5, self._cluster.seed, 'agent', name, node, number)}"
        body = clone(template)
        affinity = body["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        new_pod(self._cluster, owner, body, pod_name)
        self._cluster.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {pod_name}", SOURCE)

    def _update(self, template: Obj, pods: list[Obj], *, whole: bool) -> None:
        digest = template["metadata"]["labels"][HASH]
        outdated = [p for p in pods if p["metadata"]["labels"].get(HASH) != digest]
        if outdated and whole and all(is_ready(p) for p in pods):
            stop_pod(self._cluster, min(outdated, key=key))

    def _count(self, owner: Obj, template: Obj, eligible: list[str]) -> None:
        digest = template["metadata"]["labels"][HASH]
        pods = {n: p for n, p in self._by_node(owner).items() if not terminating(p)}
        placed = [p for n, p in pods.items() if n in eligible]
        ready = sum(1 for p in placed if is_ready(p))
        updated = sum(1 for p in placed if p["metadata"]["labels"].get(HASH) == digest)
        other = self._cluster.elsewhere.get(owner["metadata"]["uid"], Elsewhere(0, digest))
        status: Obj = {
            "currentNumberScheduled": len(placed) + other.pods,
            "desiredNumberScheduled": len(eligible) + other.pods,
            "numberMisscheduled": len(pods) - len(placed),
            "numberReady": ready + other.pods,
            "numberAvailable": ready + other.pods,
            "numberUnavailable": len(eligible) - ready,
            "updatedNumberScheduled": updated + (other.pods if other.digest == digest else 0),
            "observedGeneration": owner["metadata"]["generation"],
        }
        optional = ("numberAvailable", "numberUnavailable", "updatedNumberScheduled")
        status = {k: v for k, v in status.items() if v or k not in optional}
        self._cluster.set_status("daemonsets", owner, status)


def _template(owner: Obj) -> Obj:
    template = clone(owner["spec"]["template"])
    digest = draws.suffix(10, 0, "template", canonical(owner["spec"]["template"]))
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = digest
    spec = template["spec"]
    always = [{"key": k, "operator": "Exists", "effect": e} for k, e in _ALWAYS]
    spec["tolerations"] = [*(spec.get("tolerations") or []), *always]
    return template


def _eligible(spec: Obj, node: Obj) -> bool:
    return affinity_holds(spec, node) and untolerated(spec, {**node, "spec": {**node["spec"], "unschedulable": False}}) is None


def _meant_for(pod: Obj) -> str:
    node = pod["spec"].get("nodeName")
    if node:
        return str(node)
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])
