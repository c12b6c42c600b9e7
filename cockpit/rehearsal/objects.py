"""Small helpers over wire-shaped Kubernetes objects."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TypeAlias

from cockpit.model import quantity
from cockpit.rehearsal.kube.errors import Obj

Key: TypeAlias = tuple[str, str]
"""(namespace, name)."""


def key(obj: Obj) -> Key:
    """Namespace (empty for cluster-scoped objects) and name."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def stamp(moment: datetime) -> str:
    """RFC 3339 with whole seconds, as metav1.Time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The inverse of `stamp`; fractions of seconds are allowed."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def clone(obj: Obj) -> Obj:
    """A deep copy that may be changed and handed to the storage."""
    return copy.deepcopy(obj)


def controller(obj: Obj) -> Obj | None:
    """The owner reference of the controller, or None."""
    refs: list[Obj] = obj["metadata"].get("ownerReferences") or []
    return next((r for r in refs if r.get("controller")), None)


def owner_ref(owner: Obj) -> Obj:
    """A controller reference to `owner`."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(obj: Obj, kind: str) -> Obj | None:
    """The status condition of that type, or None."""
    conditions: list[Obj] = obj.get("status", {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == kind), None)


def set_condition(status: Obj, new: Obj) -> None:
    """Put a condition into `status`, keeping lastTransitionTime when its status did not change."""
    conditions: list[Obj] = status.setdefault("conditions", [])
    for i, old in enumerate(conditions):
        if old["type"] == new["type"]:
            if old["status"] == new["status"] and "lastTransitionTime" in old:
                new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
            conditions[i] = new
            return
    conditions.append(new)


def is_ready(pod: Obj) -> bool:
    """The pod's Ready condition is True and it is not going away."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True" and not terminating(pod)


def terminating(pod: Obj) -> bool:
    """The pod has been asked to stop."""
    return "deletionTimestamp" in pod["metadata"]


def finished(pod: Obj) -> bool:
    """The pod has ended for good: it holds no capacity and counts for no controller."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def arch_of(node: Obj) -> str:
    """The node's architecture label."""
    return str(node["metadata"]["labels"].get("kubernetes.io/arch", ""))


def requests(spec: Obj) -> tuple[int, int]:
    """(thousandths of a core, bytes) that a pod of this spec asks for: the containers' sum or the largest init container."""
    cpu = memory = 0
    for container in spec.get("containers", []):
        one = _asked(container)
        cpu, memory = cpu + one[0], memory + one[1]
    for container in spec.get("initContainers", []):
        one = _asked(container)
        cpu, memory = max(cpu, one[0]), max(memory, one[1])
    return cpu, memory


def _asked(container: Obj) -> tuple[int, int]:
    asked: Obj = (container.get("resources") or {}).get("requests") or {}
    return quantity.millicores(str(asked.get("cpu", "0"))), quantity.size(str(asked.get("memory", "0")))
