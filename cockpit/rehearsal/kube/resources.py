"""Which resources the API server holds: names, groups, verbs."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.rehearsal.kube.errors import KubeError

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource type; `name` is the plural used in URLs and as the key of the storage."""

    name: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _ALL
    generation: bool = False
    """Whether metadata.generation counts the changes of its spec."""

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version


def _apps(name: str, kind: str, short: str, *sub: str) -> Resource:
    return Resource(
        name, kind, "apps", singular=kind.lower(), short=(short,), categories=("all",), subresources=sub, generation=True
    )


_REVIEW = ("create",)
TYPES: tuple[Resource, ...] = (
    Resource("configmaps", "ConfigMap", singular="configmap", short=("cm",)),
    Resource("endpoints", "Endpoints", singular="endpoints", short=("ep",)),
    Resource("events", "Event", singular="event", short=("ev",)),
    Resource("namespaces", "Namespace", namespaced=False, singular="namespace", short=("ns",), subresources=("status",)),
    Resource("nodes", "Node", namespaced=False, singular="node", short=("no",), subresources=("status",)),
    Resource(
        "pods", "Pod", singular="pod", short=("po",), categories=("all",), subresources=("status", "log", "eviction", "exec")
    ),
    Resource("resourcequotas", "ResourceQuota", singular="resourcequota", short=("quota",), subresources=("status",)),
    Resource("secrets", "Secret", singular="secret"),
    Resource("serviceaccounts", "ServiceAccount", singular="serviceaccount", short=("sa",)),
    Resource("services", "Service", singular="service", short=("svc",), categories=("all",), subresources=("status",)),
    _apps("daemonsets", "DaemonSet", "ds", "status"),
    _apps("deployments", "Deployment", "deploy", "status", "scale"),
    _apps("replicasets", "ReplicaSet", "rs", "status", "scale"),
    _apps("statefulsets", "StatefulSet", "sts", "status", "scale"),
    Resource(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "autoscaling",
        "v2",
        singular="horizontalpodautoscaler",
        short=("hpa",),
        categories=("all",),
        subresources=("status",),
    ),
    Resource("jobs", "Job", "batch", singular="job", categories=("all",), subresources=("status",), generation=True),
    Resource("leases", "Lease", "coordination.k8s.io", singular="lease"),
    Resource(
        "ingresses",
        "Ingress",
        "networking.k8s.io",
        singular="ingress",
        short=("ing",),
        subresources=("status",),
        generation=True,
    ),
    Resource(
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "policy",
        singular="poddisruptionbudget",
        short=("pdb",),
        subresources=("status",),
        generation=True,
    ),
)
EVENTS_V1 = Resource("events", "Event", "events.k8s.io", singular="event", short=("ev",))
"""The newer shape of events; stored as core/v1 and converted on the way."""

REVIEWS: tuple[Resource, ...] = (
    Resource("selfsubjectaccessreviews", "SelfSubjectAccessReview", "authorization.k8s.io", namespaced=False, verbs=_REVIEW),
    Resource("selfsubjectrulesreviews", "SelfSubjectRulesReview", "authorization.k8s.io", namespaced=False, verbs=_REVIEW),
    Resource("selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io", namespaced=False, verbs=_REVIEW),
)
SERVED: tuple[Resource, ...] = (*TYPES, EVENTS_V1, *REVIEWS)

_STORED = {t.name: t for t in TYPES}
_SERVED = {(t.group, t.version, t.name): t for t in SERVED}


def stored(name: str) -> Resource:
    """The type under which objects of this plural are kept; KubeError 404 when there is none."""
    found = _STORED.get(name)
    if found is None:
        raise unknown_resource()
    return found


def served(group: str, version: str, name: str) -> Resource:
    """The type at this URL; KubeError 404 when there is none."""
    found = _SERVED.get((group, version, name))
    if found is None:
        raise unknown_resource()
    return found


def unknown_resource() -> KubeError:
    """404: no such resource type or group."""
    return KubeError(404, "NotFound", "the server could not find the requested resource", details={})
