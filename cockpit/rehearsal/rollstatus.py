"""A Deployment's status: counts and the conditions Available and Progressing, worded as kube-controller-manager words them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, moment, set_condition, stamp
from cockpit.rehearsal.strategy import limits


def status_of(deployment: Obj, sets: list[Obj], current: Obj | None, now: datetime) -> Obj:
    """The status that follows from the ReplicaSets. `current` is the one of the template as it is now."""
    old: Obj = clone(deployment.get("status") or {})
    total = _sum(sets, "replicas")
    available = _sum(sets, "availableReplicas")
    asked = sum(int(r["spec"].get("replicas", 0)) for r in sets)
    counts = {
        "replicas": total,
        "updatedReplicas": _sum([current] if current else [], "replicas"),
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, asked - available),
    }
    new: Obj = {"observedGeneration": deployment["metadata"]["generation"]}
    new |= {k: v for k, v in counts.items() if v}
    new["conditions"] = old.get("conditions", [])
    _say_available(deployment["spec"], new, now)
    _say_progressing(deployment, old, new, current, now)
    return new


def deadline(spec: Obj, status: Obj) -> datetime | None:
    """When a roll that shows no progress from here on is called timed out; None when nothing is rolling."""
    found = _progressing(status)
    if found is None or found["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"):
        return None
    return moment(found["lastUpdateTime"]) + timedelta(seconds=spec.get("progressDeadlineSeconds", 600))


def _sum(sets: list[Obj], name: str) -> int:
    return sum(int(r.get("status", {}).get(name, 0)) for r in sets)


def _progressing(status: Obj) -> Obj | None:
    return next((c for c in status.get("conditions", []) if c["type"] == "Progressing"), None)


def _condition(kind: str, status: str, reason: str, message: str, now: datetime) -> Obj:
    when = stamp(now)
    texts = {"type": kind, "status": status, "reason": reason, "message": message}
    return {**texts, "lastUpdateTime": when, "lastTransitionTime": when}


def _say_available(spec: Obj, status: Obj, now: datetime) -> None:
    enough = status.get("availableReplicas", 0) >= spec.get("replicas", 1) - limits(spec)[1]
    says = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    if not enough:
        says = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    new = _condition("Available", *says, now)
    old = next((c for c in status["conditions"] if c["type"] == "Available"), None)
    if old is None or old["status"] != new["status"]:
        set_condition(status, new)


def _complete(spec: Obj, status: Obj) -> bool:
    desired = spec.get("replicas", 1)
    return all(status.get(k, 0) == desired for k in ("replicas", "updatedReplicas", "availableReplicas"))


def _moved(old: Obj, new: Obj) -> bool:
    def left(status: Obj) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    grown = any(new.get(k, 0) > old.get(k, 0) for k in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or left(new) < left(old)


def _say_progressing(deployment: Obj, old: Obj, new: Obj, current: Obj | None, now: datetime) -> None:
    spec, before = deployment["spec"], _progressing(old)
    if spec.get("paused"):
        if before is None or before["reason"] != "DeploymentPaused":
            set_condition(new, _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now))
        return
    if current is None:
        return
    name, reason = current["metadata"]["name"], before["reason"] if before else ""
    if _complete(spec, new):
        if reason != "NewReplicaSetAvailable":
            message = f'ReplicaSet "{name}" has successfully progressed.'
            set_condition(new, _condition("Progressing", "True", "NewReplicaSetAvailable", message, now))
    elif reason == "NewReplicaSetAvailable" and _about(before, name) and new.get("replicas", 0) == new.get("updatedReplicas", 0):
        return  # a pod of a finished roll was replaced: no new roll
    elif _moved(old, new) or reason in ("", "NewReplicaSetAvailable", "DeploymentPaused") or not _about(before, name):
        message = f'ReplicaSet "{name}" is progressing.'
        set_condition(new, _condition("Progressing", "True", "ReplicaSetUpdated", message, now))
    elif reason != "ProgressDeadlineExceeded" and now >= _end(spec, new):
        message = f'ReplicaSet "{name}" has timed out progressing.'
        set_condition(new, _condition("Progressing", "False", "ProgressDeadlineExceeded", message, now))


def _about(before: Obj | None, name: str) -> bool:
    return before is not None and f'"{name}"' in before["message"]


def _end(spec: Obj, status: Obj) -> datetime:
    return deadline(spec, status) or datetime.max.replace(tzinfo=UTC)
