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
}
_DEPLOYMENT = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
_ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}


def fill(resource: str, obj: Obj) -> Obj:
    """A copy with the defaults of its kind; what is already there stays."""
    spec = obj.get("spec")
    if resource == "namespaces":
        labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": obj["metadata"].get("name", "")}
        obj = {**obj, "spec": {"finalizers": ["kubernetes"], **(spec or {})}}
        return {**obj, "metadata": {**obj["metadata"], "labels": labels}, "status": obj.get("status") or {"phase": "Active"}}
    if resource == "leases":
        return {**obj, "spec": spec or {}}
    if resource == "ingresses":
        return {**obj, "status": obj.get("status") or {"loadBalancer": {}}}
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
    host = bool(spec.get("hostNetwork"))
    out["containers"] = [_container(c, host=host) for c in spec.get("containers") or []]
    if spec.get("initContainers"):
        out["initContainers"] = [_container(c, host=host) for c in spec["initContainers"]]
    return out


def _container(container: Obj, *, host: bool) -> Obj:
    out = {**_CONTAINER, "imagePullPolicy": _pull_policy(container.get("image") or ""), **container}
    if container.get("ports"):
        out["ports"] = [{"protocol": "TCP", **port} for port in container["ports"]]
    if host and "ports" in out:
        # A port of a pod on the host's network is one of the host's.
        out["ports"] = [
            {"hostPort": port["containerPort"], **port} if port.get("containerPort") else port for port in out["ports"]
        ]
    return out


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "IfNotPresent" if "@" in image or tag not in ("", "latest") else "Always"
