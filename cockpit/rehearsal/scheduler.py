"""The scheduler: filters in kube-scheduler's order, scores affinity over spreading over free room, and says why not in its words.

Messages follow kube-scheduler's FitError (pkg/scheduler/framework/types.go); preemption is not played.
"""

from __future__ import annotations

from collections import Counter

from cockpit.model import quantity
from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import Key, clone, controller, key, requests, set_condition
from cockpit.rehearsal.placement import affinity_holds, preference, tolerates, untolerated

SOURCE = "default-scheduler"
RETRY = 60.0
"""Virtual seconds after which a pod that found no node is tried again although nothing changed."""
_AFFINITY = "node(s) didn't match Pod's node affinity/selector"
_CORDONED = "node(s) were unschedulable"
_CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_TAINTED = "node(s) had untolerated taint(s)"
_HOPELESS = (_TAINTED, _AFFINITY, _CORDONED)


def allocatable(node: Obj) -> tuple[int, int, int]:
    """(thousandths of a core, bytes, pods) that a node offers."""
    have = node["status"]["allocatable"]
    return quantity.millicores(have["cpu"]), quantity.size(have["memory"]), int(have["pods"])


class Scheduler:
    """Binds pending pods to nodes, oldest first."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._tried: dict[Key, int] = {}
        self._sizes: dict[str, tuple[str, tuple[int, int, int]]] = {}

    def run(self) -> None:
        """Try each pending pod that is new, or whose chances may have changed."""
        cluster = self._cluster
        if not cluster.pending:
            return
        room, cluster.dirty.room = cluster.dirty.room, False
        self._tried = {who: step for who, step in self._tried.items() if who in cluster.pending}
        for who in sorted(cluster.pending, key=self._order):
            tried = self._tried.get(who)
            if tried is None or room or cluster.step - tried >= RETRY:
                self._try(cluster.pending[who])

    def _order(self, who: Key) -> tuple[str, Key]:
        return self._cluster.pending[who]["metadata"]["creationTimestamp"], who

    def _try(self, pod: Obj) -> None:
        nodes = self._cluster.storage.list("nodes")
        asked = requests(pod["spec"])
        why: Counter[str] = Counter()
        fit = []
        for node in nodes:
            reasons = self._reasons(pod["spec"], node, asked)
            why.update(reasons)
            if not reasons:
                fit.append(node)
        if fit:
            self._bind(pod, self._best(pod, fit, asked))
        else:
            self._refuse(pod, len(nodes), why)

    def _reasons(self, spec: Obj, node: Obj, asked: tuple[int, int]) -> list[str]:
        if node.get("spec", {}).get("unschedulable") and not any(tolerates(t, _CORDON) for t in spec.get("tolerations") or []):
            return [_CORDONED]
        if untolerated(spec, node) is not None:
            return [_TAINTED]
        if not affinity_holds(spec, node):
            return [_AFFINITY]
        return self._lacking(node, asked)

    def _lacking(self, node: Obj, asked: tuple[int, int]) -> list[str]:
        cpu, memory, pods = self._size(node)
        used = self._cluster.used[node["metadata"]["name"]]
        lacking = ["Too many pods"] if used.pods + 1 > pods else []
        if asked[0] > cpu - used.cpu:
            lacking.append("Insufficient cpu")
        if asked[1] > memory - used.memory:
            lacking.append("Insufficient memory")
        return lacking

    def _size(self, node: Obj) -> tuple[int, int, int]:
        name, version = node["metadata"]["name"], node["metadata"]["resourceVersion"]
        known = self._sizes.get(name)
        if known is None or known[0] != version:
            known = self._sizes[name] = (version, allocatable(node))
        return known[1]

    def _best(self, pod: Obj, nodes: list[Obj], asked: tuple[int, int]) -> Obj:
        liked = {n["metadata"]["name"]: preference(pod["spec"], n) for n in nodes}
        top = max(liked.values()) or 1
        seed, who = self._cluster.seed, key(pod)

        def score(node: Obj) -> tuple[float, float]:
            name = node["metadata"]["name"]
            # The default profile's plugin weights: NodeAffinity 2, PodTopologySpread 2, NodeResourcesFit 1.
            total = 2 * 100 * liked[name] / top + 2 * self._spread(pod, name) + self._free(node, asked)
            return round(total, 3), draws.uniform(seed, "tie", *who, name)

        return max(nodes, key=score)

    def _spread(self, pod: Obj, node: str) -> float:
        owner = controller(pod)
        if owner is None:
            return 0.0
        siblings = sum(1 for p in self._cluster.pods_on[node].values() if (controller(p) or {}).get("uid") == owner["uid"])
        return 100.0 / (1 + siblings)

    def _free(self, node: Obj, asked: tuple[int, int]) -> float:
        cpu, memory, _ = self._size(node)
        used = self._cluster.used[node["metadata"]["name"]]
        return 50.0 * ((cpu - used.cpu - asked[0]) / cpu + (memory - used.memory - asked[1]) / memory)

    def _bind(self, pod: Obj, node: Obj) -> None:
        self._tried.pop(key(pod), None)
        new, name = clone(pod), node["metadata"]["name"]
        new["spec"]["nodeName"] = name
        status = new.setdefault("status", {})
        set_condition(status, _scheduled("True", self._cluster.stamp))
        self._cluster.storage.update("pods", new)
        message = f"Successfully assigned {pod['metadata']['namespace']}/{pod['metadata']['name']} to {name}"
        self._cluster.event(pod, "Normal", "Scheduled", message, SOURCE)

    def _refuse(self, pod: Obj, total: int, why: Counter[str]) -> None:
        cluster = self._cluster
        self._tried[key(pod)] = cluster.step
        message = explain(total, why)
        new = clone(pod)
        refused = _scheduled("False", cluster.stamp, reason="Unschedulable", message=message)
        set_condition(new.setdefault("status", {"phase": "Pending"}), refused)
        cluster.storage.update("pods", new)
        cluster.event(pod, "Warning", "FailedScheduling", message, SOURCE)


def _scheduled(status: str, stamp: str, **more: str) -> Obj:
    return {"type": "PodScheduled", "status": status, "lastProbeTime": None, "lastTransitionTime": stamp, **more}


def explain(total: int, why: Counter[str]) -> str:
    """kube-scheduler's sentence for a pod that fits no node: each reason with its count of nodes, sorted as text."""
    reasons = ", ".join(sorted(f"{n} {reason}" for reason, n in why.items()))
    hopeless = sum(n for reason, n in why.items() if reason.startswith(_HOPELESS))
    unhelpful, victims = "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"
    parts = [(hopeless, unhelpful), (total - hopeless, victims)]
    preemption = ", ".join(f"{n} {text}" for n, text in parts if n)
    # The words of its two PostFilter plugins: DynamicResources, then DefaultPreemption.
    tried = f"no new claims to deallocate, preemption: 0/{total} nodes are available: {preemption}."
    return f"0/{total} nodes are available: {reasons}. {tried}"
