"""Lists as `meta.k8s.io` Tables, which is how `kubectl get` asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cockpit.rehearsal.kube.cells import ROWS
from cockpit.rehearsal.kube.errors import Obj

_TEMPLATE_WIDE = ("Containers*", "Images*", "Selector*")
_COLUMNS: dict[str, tuple[str, ...]] = {
    "pods": ("Name", "Ready", "Status", "Restarts", "Age", "IP*", "Node*", "Nominated Node*", "Readiness Gates*"),
    "nodes": ("Name", "Status", "Roles", "Age", "Version", "Internal-IP*", "External-IP*", "OS-Image*", "Kernel-Version*",
              "Container-Runtime*"),
    "deployments": ("Name", "Ready", "Up-to-date", "Available", "Age", *_TEMPLATE_WIDE),
    "daemonsets": ("Name", "Desired#", "Current#", "Ready#", "Up-to-date#", "Available#", "Node Selector", "Age",
                   *_TEMPLATE_WIDE),
    "replicasets": ("Name", "Desired#", "Current#", "Ready#", "Age", *_TEMPLATE_WIDE),
    "statefulsets": ("Name", "Ready", "Age", "Containers*", "Images*"),
    "services": ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector*"),
    "endpoints": ("Name", "Endpoints", "Age"),
    "events": ("Last Seen", "Type", "Reason", "Object", "Subobject*", "Source*", "Message", "First Seen*", "Count*", "Name*"),
    "namespaces": ("Name", "Status", "Age"),
    "configmaps": ("Name", "Data", "Age"),
    "secrets": ("Name", "Type", "Data#", "Age"),
    "poddisruptionbudgets": ("Name", "Min Available", "Max Unavailable", "Allowed Disruptions#", "Age"),
    "horizontalpodautoscalers": ("Name", "Reference", "Targets", "MinPods", "MaxPods#", "Replicas#", "Age"),
    "resourcequotas": ("Name", "Request", "Limit", "Age"),
    "leases": ("Name", "Holder", "Age"),
    "ingresses": ("Name", "Class", "Hosts", "Address", "Ports", "Age"),
    "jobs": ("Name", "Status", "Completions", "Duration", "Age", *_TEMPLATE_WIDE),
    "serviceaccounts": ("Name", "Secrets#", "Age"),
}  # fmt: skip
"""Column titles; `*` marks those of `-o wide` only, `#` numbers."""


def columns(resource: str) -> list[Obj]:
    """The columnDefinitions of this resource."""
    out = []
    for title in _COLUMNS[resource]:
        name = title.rstrip("*#")
        kind, form = "integer" if title.endswith("#") else "string", "name" if name == "Name" else ""
        out.append({"name": name, "type": kind, "format": form, "description": "", "priority": int("*" in title)})
    return out


def table(
    resource: str,
    objects: Iterable[Obj],
    now: datetime,
    *,
    meta: Obj,
    version: str = "v1",
    include: str = "",
    header: bool = True,
) -> Obj:
    """A Table of these objects at `now`; `include` is the request's includeObject (None, Metadata, Object)."""
    rows = [table_row(resource, obj, now, version=version, include=include) for obj in objects]
    head = {"kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": meta}
    return {**head, "columnDefinitions": columns(resource) if header else None, "rows": rows}


def table_row(resource: str, obj: Obj, now: datetime, *, version: str = "v1", include: str = "") -> Obj:
    """A row of a Table."""
    shown = obj if include == "Object" else partial(obj, version)
    return {"cells": ROWS[resource](obj, now), "object": None if include == "None" else shown}


def partial(obj: Obj, version: str = "v1") -> Obj:
    """The object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}
