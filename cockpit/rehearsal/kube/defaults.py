"""The defaults that a real server fills in when an object is created (or a field is taken away)."""

from __future__ import annotations

from cockpit.rehearsal.kube.errors import Obj

_POD = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_CONTAINER = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent",
}
_DEPLOYMENT = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
_ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}


def fill(resource: str, obj: Obj) -> Obj:
    """A copy with the defaults of its kind; what is already there stays."""
    spec = obj.get("spec")
    if resource == "namespaces":
        labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": obj["metadata"].get("name", "")}
        return {**obj, "metadata": {**obj["metadata"], "labels": labels}, "status": obj.get("status") or {"phase": "Active"}}
    if not isinstance(spec, dict):
        return obj
    if resource == "pods":
        return {**obj, "spec": _pod_spec(spec)}
    if "template" not in spec:
        return obj
    spec = {**spec, "template": {**spec["template"], "spec": _pod_spec(spec["template"].get("spec") or {})}}
    if resource == "deployments":
        strategy = spec.get("strategy") or {"type": "RollingUpdate"}
        if strategy.get("type", "RollingUpdate") == "RollingUpdate":
            strategy = {"type": "RollingUpdate", "rollingUpdate": {**_ROLLING, **(strategy.get("rollingUpdate") or {})}}
        spec = {**_DEPLOYMENT, **spec, "strategy": strategy}
    elif resource in ("replicasets", "statefulsets"):
        spec = {"replicas": 1, **spec}
    return {**obj, "spec": spec}


def _pod_spec(spec: Obj) -> Obj:
    out = {**_POD, **spec}
    out["containers"] = [{**_CONTAINER, **c} for c in spec.get("containers") or []]
    if spec.get("initContainers"):
        out["initContainers"] = [{**_CONTAINER, **c} for c in spec["initContainers"]]
    return out
