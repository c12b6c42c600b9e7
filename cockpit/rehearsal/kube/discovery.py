"""What is served where: /version, /api, /apis and the resource lists, plain and aggregated."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.resources import SERVED, Resource, unknown_resource

VERSION: Obj = {
    "major": "1",
    "minor": "33",
    "emulationMajor": "1",
    "emulationMinor": "33",
    "gitVersion": "v1.33.5-cockpit.rehearsal",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.24.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_SUB_KINDS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "log": ("Pod", "", "", ("get",)),
    "exec": ("PodExecOptions", "", "", ("create", "get")),
    "eviction": ("Eviction", "policy", "v1", ("create",)),
    "scale": ("Scale", "autoscaling", "v1", ("get", "patch", "update")),
}


def _sub(kind: Resource, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    return _SUB_KINDS.get(name, (kind.kind, "", "", ("get", "patch", "update")))


def groups() -> list[str]:
    """All groups but the core one, in the order of the real server."""
    return list(dict.fromkeys(k.group for k in SERVED if k.group))


def _of(group: str, version: str) -> list[Resource]:
    found = [k for k in SERVED if (k.group, k.version) == (group, version)]
    if not found:
        raise unknown_resource()
    return found


def group_versions() -> list[tuple[str, str]]:
    """All (group, version) pairs."""
    return list(dict.fromkeys((k.group, k.version) for k in SERVED))


def api_versions() -> Obj:
    """GET /api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def _group(name: str) -> Obj:
    versions = [v for g, v in group_versions() if g == name]
    if not versions:
        raise unknown_resource()
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def api_groups() -> Obj:
    """GET /apis."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g) for g in groups()]}


def api_group(name: str) -> Obj:
    """GET /apis/GROUP."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def resource_list(group: str, version: str) -> Obj:
    """GET /api/v1 or /apis/GROUP/VERSION."""
    listed = [entry for kind in _of(group, version) for entry in _entries(kind)]
    name = f"{group}/{version}" if group else version
    head = {"kind": "APIResourceList", "groupVersion": name}
    return {**head, **({"apiVersion": "v1"} if group else {}), "resources": listed}


def _entries(kind: Resource) -> Iterable[Obj]:
    entry: Obj = {"name": kind.name, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind}
    entry["verbs"] = list(kind.verbs)
    entry |= {k: list(v) for k, v in (("shortNames", kind.short), ("categories", kind.categories)) if v}
    yield entry
    for name in kind.subresources:
        word, group, version, verbs = _sub(kind, name)
        scope: Obj = {"name": f"{kind.name}/{name}", "singularName": "", "namespaced": kind.namespaced}
        named = {"group": group, "version": version} if group else {}
        yield {**scope, **named, "kind": word, "verbs": list(verbs)}


def aggregated(core: bool, version: str) -> Obj:
    """GET /api or /apis for clients that ask for apidiscovery.k8s.io of this version."""
    items = []
    for group in [""] if core else groups():
        versions = [{"version": v, "resources": [_aggregate(k) for k in _of(g, v)], "freshness": "Current"}
                    for g, v in group_versions() if g == group]  # fmt: skip
        items.append({"metadata": {"name": group, "creationTimestamp": None} if group else {}, "versions": versions})
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}"}
    return {**head, "metadata": {}, "items": items}


def _aggregate(kind: Resource) -> Obj:
    named = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    scope = "Namespaced" if kind.namespaced else "Cluster"
    entry: Obj = {"resource": kind.name, "responseKind": named, "scope": scope, "singularResource": kind.singular}
    entry["verbs"] = list(kind.verbs)
    entry |= {k: list(v) for k, v in (("shortNames", kind.short), ("categories", kind.categories)) if v}
    subs = []
    for name in kind.subresources:
        word, group, version, verbs = _sub(kind, name)
        response = {"group": group or kind.group, "version": version or kind.version, "kind": word}
        subs.append({"subresource": name, "responseKind": response, "verbs": list(verbs)})
    return {**entry, **({"subresources": subs} if subs else {})}
