"""The paths outside of resources: health, version, discovery, OpenAPI."""

from __future__ import annotations

import re

from aiohttp import web

from cockpit.rehearsal.kube import discovery, openapi
from cockpit.rehearsal.kube.errors import Obj, method_not_allowed
from cockpit.rehearsal.kube.negotiate import encode

_HEALTH = ("healthz", "livez", "readyz")
_AGGREGATED = re.compile(r"application/json;\s*g=apidiscovery\.k8s\.io;\s*v=(v2|v2beta1);\s*as=APIGroupDiscoveryList")
_CHECKS = ("ping", "log", "etcd", "informer-sync", "poststarthook/start-apiextensions-controllers")


async def document(request: web.Request) -> web.Response:
    """Answer a path that is no resource; 404 in plain text for those that are nothing."""
    if request.method not in ("GET", "HEAD"):
        raise method_not_allowed()
    parts = [p for p in request.path.split("/") if p]
    if parts and parts[0] in _HEALTH:
        return _health(parts[0], request)
    if parts and parts[0] == "openapi":
        return _openapi(parts[1:], request)
    aggregate = _AGGREGATED.search(request.headers.get("Accept", ""))
    if aggregate and parts in (["api"], ["apis"]):
        media = f"application/json;g=apidiscovery.k8s.io;v={aggregate[1]};as=APIGroupDiscoveryList"
        return _json(discovery.aggregated(parts == ["api"], aggregate[1]), media)
    found = _discovered(parts)
    if found is None:
        return web.Response(status=404, text="404 page not found\n")
    return _json(found)


def _discovered(parts: list[str]) -> Obj | None:
    match parts:
        case []:
            paths = ["/api", "/api/v1", "/apis", *(f"/apis/{g}" for g in discovery.groups()), "/openapi/v2", "/openapi/v3"]
            return {"paths": [*paths, *(f"/{name}" for name in _HEALTH), "/version"]}
        case ["version"]:
            return discovery.VERSION
        case ["api"]:
            return discovery.api_versions()
        case ["apis"]:
            return discovery.api_groups()
        case ["api", version]:
            return discovery.resource_list("", version)
        case ["apis", group]:
            return discovery.api_group(group)
        case ["apis", group, version]:
            return discovery.resource_list(group, version)
        case _:
            return None


def _health(name: str, request: web.Request) -> web.Response:
    if "verbose" not in request.query:
        return web.Response(text="ok")
    lines = [f"[+]{check} ok" for check in _CHECKS]
    return web.Response(text="\n".join([*lines, f"{name} check passed", ""]))


def _openapi(parts: list[str], request: web.Request) -> web.Response:
    match parts:
        case ["v2"]:
            return _swagger(request.headers.get("Accept", ""))
        case ["v3"]:
            return _json(openapi.v3_index())
        case ["v3", "api", version]:
            return _json(openapi.v3("", version))
        case ["v3", "apis", group, version]:
            return _json(openapi.v3(group, version))
        case _:
            return web.Response(status=404, text="404 page not found\n")


def _swagger(accept: str) -> web.Response:
    from cockpit.rehearsal.kube.openapi_proto import MEDIA, MEDIA_OLD, v2_protobuf

    if MEDIA in accept or MEDIA_OLD in accept:
        return web.Response(body=v2_protobuf(), headers={"Content-Type": MEDIA})
    return _json(openapi.v2())


def _json(obj: Obj, media: str = "application/json") -> web.Response:
    return web.Response(body=encode(obj) + b"\n", headers={"Content-Type": media})
