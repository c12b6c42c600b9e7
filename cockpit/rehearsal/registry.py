"""The embedded image registry: the read half of the OCI distribution API, over what the embedded world's images are.

One server stands in for every registry that the world's images name; like a containerd mirror it is told which by `ns`. It is
as strict as a real one: an index is not found by who does not accept it.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.registry_content import Pushed, pushed

_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_CODES = {"manifests": "MANIFEST_UNKNOWN", "blobs": "BLOB_UNKNOWN"}


class RegistryApi:
    """Answers from the images that the cluster's objects name, as they were ever published there."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def app(self) -> web.Application:
        """The application; run it on a loopback port."""
        app = web.Application()
        app.router.add_get("/v2/", self._root)
        app.router.add_get("/v2/{repository:.+}/{kind:manifests|blobs}/{version}", self._answer)
        return app

    async def _root(self, _: web.Request) -> web.Response:
        return web.json_response({}, headers=_VERSION)

    async def _answer(self, request: web.Request) -> web.Response:
        repository, kind, version = (request.match_info[key] for key in ("repository", "kind", "version"))
        names = [f"{host}/{repository}" for host in ([request.query["ns"]] if "ns" in request.query else hosts(self._cluster))]
        found = next((document for name in names for document in self._documents(name, kind, version)), None)
        if found is None or (kind == "manifests" and not _accepted(request, found[1])):
            fault = {"code": _CODES[kind], "message": f"{kind[:-1]} unknown", "detail": {"name": repository, "unknown": version}}
            return web.json_response({"errors": [fault]}, status=404, headers=_VERSION)
        digest, media, body = found
        return web.Response(body=body, headers={**_VERSION, "Content-Type": media, "Docker-Content-Digest": digest})

    def _documents(self, name: str, kind: str, version: str) -> Iterator[tuple[str, str, bytes]]:
        images = self._cluster.images
        if not version.startswith("sha256:"):
            reference = f"{name}:{version}"
            if kind == "manifests" and reference in set(references(self._cluster)):
                made = pushed(reference, images.of(reference))
                yield made.digest, *made.manifests[made.digest]
            return
        for reference in references(self._cluster):
            if _repository(reference) == name:
                for build in images.ever(reference):
                    held = _held(pushed(reference, build), kind)
                    if version in held:
                        yield version, *held[version]


def hosts(cluster: Cluster) -> tuple[str, ...]:
    """The registries that the world's images name."""
    return tuple(sorted({reference.partition("/")[0] for reference in references(cluster)}))


def references(cluster: Cluster) -> Iterator[str]:
    """Every image that a workload's template or a pod names, once."""
    seen: set[str] = set()
    for resource in ("deployments", "daemonsets", "pods"):
        for obj in cluster.storage.list(resource):
            spec: Obj = obj["spec"] if resource == "pods" else obj["spec"]["template"]["spec"]
            for container in (*spec.get("initContainers", ()), *spec["containers"]):
                if container["image"] not in seen:
                    seen.add(container["image"])
                    yield str(container["image"])


def _held(made: Pushed, kind: str) -> dict[str, tuple[str, bytes]]:
    return dict(made.manifests if kind == "manifests" else made.blobs)


def _repository(reference: str) -> str:
    name = reference.partition("@")[0]
    host, _, rest = name.rpartition("/")
    return f"{host}/{rest.partition(':')[0]}"


def _accepted(request: web.Request, media: str) -> bool:
    accepted = ",".join(request.headers.getall("Accept", []))
    return media in accepted or ("manifest.v1" in media and accepted in ("", "*/*"))
