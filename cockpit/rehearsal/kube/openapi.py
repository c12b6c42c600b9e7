"""OpenAPI v2 and v3 documents: enough for kubectl's explain, client-side validation and its check for server-side dry run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from cockpit.rehearsal.kube.discovery import VERSION, group_versions
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.negotiate import encode
from cockpit.rehearsal.kube.resources import SERVED, TYPES, Resource, unknown_resource
from cockpit.rehearsal.kube.schema import element, types

_PRIMITIVES: dict[str, Obj] = {
    "str": {"type": "string"},
    "int": {"type": "integer", "format": "int32"},
    "bool": {"type": "boolean"},
    "num": {"type": "number", "format": "double"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "quantity": {"type": "string"},
    "any": {},
}
_INT_OR_STRING = {"type": "string", "format": "int-or-string"}
_MIXED = frozenset({"maxSurge", "maxUnavailable", "minAvailable", "targetPort", "port"})
GVK = "x-kubernetes-group-version-kind"


def _name(kind: str) -> str:
    return f"io.k8s.api.core.v1.{kind}" if kind != "ObjectMeta" else "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def _field(name: str, expression: str, prefix: str) -> Obj:
    if expression == "any" and name in _MIXED:
        return dict(_INT_OR_STRING)
    if expression in _PRIMITIVES:
        return dict(_PRIMITIVES[expression])
    if expression.startswith("["):
        return {"type": "array", "items": _field("", element(expression), prefix)}
    if expression.startswith("{"):
        return {"type": "object", "additionalProperties": _field("", element(expression), prefix)}
    return {"$ref": prefix + _name(expression)}


def _definitions(prefix: str, kinds: Iterable[str], roots: Iterable[Resource]) -> dict[str, Obj]:
    out: dict[str, Obj] = {}
    for kind in kinds:
        fields = {f: _field(f, e, prefix) for f, e in types()[kind].items()}
        out[_name(kind)] = {"type": "object", "description": f"{kind} of the rehearsal's API.", "properties": fields}
    for root in roots:
        if root.kind in types():
            out[_name(root.kind)][GVK] = [_gvk(root)]
    return out


def _gvk(kind: Resource) -> Obj:
    return {"group": kind.group, "kind": kind.kind, "version": kind.version}


def _path(kind: Resource) -> str:
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{base}/{'namespaces/{namespace}/' if kind.namespaced else ''}{kind.name}/{{name}}"


def _parameters(wrap: bool) -> list[Obj]:
    out = []
    for name in ("dryRun", "fieldManager", "fieldValidation"):
        kind: Obj = {"schema": {"type": "string"}} if wrap else {"type": "string", "uniqueItems": True}
        out.append({"name": name, "in": "query", **kind})
    return out


def _operation(kind: Resource, wrap: bool) -> Obj:
    return {"parameters": _parameters(wrap), "responses": {"200": {"description": "OK"}}, GVK: _gvk(kind)}


@cache
def v2() -> Obj:
    """The Swagger 2.0 document of everything."""
    paths = {_path(k): {verb: _operation(k, False) for verb in ("patch", "put", "delete")} for k in TYPES}
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return {"swagger": "2.0", "info": info, "paths": paths, "definitions": _definitions("#/definitions/", sorted(types()), TYPES)}


@cache
def v3_index() -> Obj:
    """GET /openapi/v3."""
    paths = {}
    for group, version in group_versions():
        name = f"apis/{group}/{version}" if group else f"api/{version}"
        digest = sha256(encode(v3(group, version))).hexdigest().upper()
        paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
    return {"paths": paths}


@cache
def v3(group: str, version: str) -> Obj:
    """The OpenAPI 3 document of one group version."""
    kinds = [k for k in SERVED if (k.group, k.version) == (group, version)]
    if not kinds:
        raise unknown_resource()
    paths = {_path(k): {verb: _operation(k, True) for verb in ("patch", "put", "delete")} for k in kinds if k in TYPES}
    schemas = _definitions("#/components/schemas/", _closure(k.kind for k in kinds if k.kind in types()), kinds)
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _closure(kinds: Iterable[str]) -> list[str]:
    """These types and all that they are made of."""
    seen: set[str] = set()
    todo = list(kinds)
    while todo:
        kind = todo.pop()
        if kind not in seen:
            seen.add(kind)
            todo += [inner for e in types()[kind].values() if (inner := e.strip("[]{}")) in types()]
    return sorted(seen)
