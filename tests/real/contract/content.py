"""What both servers hold for these tests: a namespace with a Deployment, a budget, ConfigMaps, and a reader."""

from __future__ import annotations

from typing import Any

from tests.real.api import Api, Obj, rolled_out, until
from tests.real.contract.servers import NAMESPACE, OBSERVER

READER = "contract-observer"
WEB = "web"
CONFIGS = 7
LABELS = {"app": WEB}


def populate(api: Api, *, grants: bool) -> None:
    """Create it and wait until the Deployment is rolled out. `grants`: the observer must be given its rights first."""
    if grants:
        _grant(api)
    api.create("namespaces", {"metadata": {"name": NAMESPACE}})
    for number in range(CONFIGS):
        labels = {"tier": "odd" if number % 2 else "even", "number": str(number)}
        api.create("configmaps", config(f"c-{number}", labels))
    api.create("deployments", deployment(WEB, replicas=2))
    api.create("poddisruptionbudgets", budget(WEB, 2))
    until(f"{WEB} rolled out", lambda: rolled_out(api.get("deployments", NAMESPACE, WEB)), 60)


def remove(api: Api) -> None:
    """Take it away again."""
    api.delete("namespaces", "", NAMESPACE)
    for resource in ("clusterrolebindings", "clusterroles"):
        api.delete(resource, "", READER)


def config(name: str, labels: dict[str, str] | None = None) -> Obj:
    """A ConfigMap."""
    return {"metadata": {"name": name, "namespace": NAMESPACE, "labels": labels or {}}, "data": {"said": name}}


def deployment(name: str, replicas: int, **spec: Any) -> Obj:
    """A Deployment whose affinity has a required and a preferred part, so that patches have something to meet."""
    term = {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]}
    arch = {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 50, "preference": arch}],
    }
    container = {
        "name": "main",
        "image": f"registry.example.com/contract/{name}:1.0.0",
        "env": [{"name": "MODE", "value": "live"}, {"name": "REGION", "value": "ap-south-1"}],
        "ports": [{"containerPort": 8080, "name": "http"}],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
    }
    pod = {"containers": [container], "affinity": {"nodeAffinity": affinity}, **spec}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    whole = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "namespace": NAMESPACE, "labels": labels}, "spec": whole}


def budget(name: str, available: int) -> Obj:
    """A PodDisruptionBudget for a Deployment of `deployment`."""
    spec = {"minAvailable": available, "selector": {"matchLabels": {"app": name}}}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def _grant(api: Api) -> None:
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": READER}
    subject = {"apiGroup": group, "kind": "User", "name": OBSERVER}
    wanted: dict[str, Obj] = {"clusterroles": {"rules": [rule]}, "clusterrolebindings": {"roleRef": role, "subjects": [subject]}}
    for resource, obj in wanted.items():
        api.create(resource, {"metadata": {"name": READER}, **obj})
