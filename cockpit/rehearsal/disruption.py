"""The disruption controller: how many pods of each PodDisruptionBudget may be evicted now."""

from __future__ import annotations

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.selectors import matches_label_selector
from cockpit.rehearsal.objects import condition, controller, finished, is_ready, terminating


class Budgets:
    """Keeps the status of all budgets. Those in percent count the pods that the budget selects."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._dirty = False
        cluster.watch(self._changed)

    def run(self) -> None:
        """Look at every budget again when a pod or a budget has changed."""
        if self._dirty:
            self._dirty = False
            for budget in self._cluster.storage.list("poddisruptionbudgets"):
                self._judge(budget)

    def _changed(self, _change: str, resource: str, _obj: Obj) -> None:
        self._dirty |= resource in ("pods", "poddisruptionbudgets")

    def _judge(self, budget: Obj) -> None:
        spec = budget.get("spec") or {}
        held = self._cluster.storage.list("pods", budget["metadata"]["namespace"])
        pods = [p for p in held if _counts(p) and matches_label_selector(spec.get("selector"), p["metadata"].get("labels") or {})]
        healthy, needed = sum(is_ready(p) and not terminating(p) for p in pods), _needed(spec, len(pods))
        allowed = max(0, healthy - needed) if pods else 0
        status = {
            "observedGeneration": budget["metadata"]["generation"],
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": needed,
            "expectedPods": len(pods),
            "conditions": [self._condition(budget, allowed)],
        }
        if status != budget.get("status"):
            self._cluster.set_status("poddisruptionbudgets", budget, status)

    def _condition(self, budget: Obj, allowed: int) -> Obj:
        word, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        old = condition(budget, "DisruptionAllowed")
        since = old["lastTransitionTime"] if old and old["status"] == word else self._cluster.stamp
        return {
            "type": "DisruptionAllowed",
            "status": word,
            "observedGeneration": budget["metadata"]["generation"],
            "lastTransitionTime": since,
            "reason": reason,
            "message": "",
        }


def _counts(pod: Obj) -> bool:
    return controller(pod) is not None and not finished(pod)


def _needed(spec: Obj, pods: int) -> int:
    if "maxUnavailable" in spec:
        return max(0, pods - _share(spec["maxUnavailable"], pods))
    return _share(spec.get("minAvailable", 1), pods)


def _share(value: int | str, whole: int) -> int:
    """A number, or a percentage of the whole, rounded up as by the controller."""
    return value if isinstance(value, int) else -(-int(value.rstrip("%")) * whole // 100)
