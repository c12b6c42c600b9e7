"""An API server in memory whose every answer can be held back, refused, or lost on its way; one for several cockpits.

It compares and swaps, and applies JSON Patch, as the embedded one does. Each request has two points at which its cockpit can be
stopped for any time: before it is served and before it is answered.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cockpit.errors import Conflict, NotFound, Unreachable
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.patch import json_patch

Obj = dict[str, Any]
Point = Callable[[str], Awaitable[None]]
Accepted = Callable[[str, Obj, Obj], None]


@dataclass
class Memory:
    """The objects by path. `accepted` hears (who, before, after) of each PATCH that is carried out."""

    objects: dict[str, Obj] = field(default_factory=dict)
    version: int = 0
    uids: int = 0
    accepted: Accepted = lambda who, before, after: None

    def store(self, path: str, obj: Obj) -> Obj:
        self.version += 1
        meta = obj.setdefault("metadata", {})
        meta["resourceVersion"] = str(self.version)
        if "uid" not in meta:
            self.uids += 1
            meta["uid"] = f"uid-{self.uids}"
        self.objects[path] = copy.deepcopy(obj)
        return obj

    def held(self, path: str) -> Obj:
        if path not in self.objects:
            raise NotFound(f"{path} not found", status=404)
        return copy.deepcopy(self.objects[path])

    def lease(self, name: str, namespace: str = "payments") -> Obj:
        return self.held(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}")


async def at_once(_: str) -> None:
    """A point that holds nobody up."""


@dataclass
class Client:
    """One cockpit's connection to it: the part of `KubeClient` that controls, record and affinity lever use."""

    memory: Memory
    user: str = "ana@example.com"
    point: Point = at_once
    down: bool = False

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        return await self._serve(f"get {path}", lambda: self._read(path, params or {}))

    async def look(self, path: str) -> bytes:
        return await self.get(path)

    async def pages(self, path: str, params: Mapping[str, str] | None = None) -> AsyncGenerator[bytes, None]:
        """All nodes at once: nobody writes them here."""
        found = [o for p, o in self.memory.objects.items() if p.startswith(f"{path}/")]
        yield json.dumps({"metadata": {"resourceVersion": str(self.memory.version)}, "items": found}).encode()

    async def ask(self, path: str, body: Any) -> bytes:
        return await self._serve(f"ask {path}", lambda: {"status": {"userInfo": {"username": self.user}}})

    async def post(self, path: str, body: Any, params: Mapping[str, str] | None = None) -> bytes:
        return await self._serve(f"post {path}", lambda: self._create(path, copy.deepcopy(body)))

    async def put(self, path: str, body: Any, params: Mapping[str, str] | None = None) -> bytes:
        return await self._serve(f"put {path}", lambda: self._update(path, copy.deepcopy(body)))

    async def delete(self, path: str, body: Any, params: Mapping[str, str] | None = None) -> bytes:
        return await self._serve(f"delete {path}", lambda: self._delete(path, body))

    async def patch(self, path: str, body: Any, params: Mapping[str, str] | None = None, **_: object) -> bytes:
        return await self._serve(f"patch {path}", lambda: self._patch(path, body))

    async def _serve(self, what: str, serve: Callable[[], Any]) -> bytes:
        await self.point(f"send {what}")
        if self.down:
            raise Unreachable("the API server is down")
        found = serve()
        await self.point(f"answer {what}")
        return json.dumps(found).encode()

    def _read(self, path: str, params: Mapping[str, str]) -> Any:
        if path in self.memory.objects or not path.endswith(("leases", "configmaps")):
            return self.memory.held(path)
        key, _, value = params.get("labelSelector", "").partition("=")
        inside = [copy.deepcopy(o) for p, o in sorted(self.memory.objects.items()) if p.rpartition("/")[0] == path]
        return {"items": [o for o in inside if not key or (o["metadata"].get("labels") or {}).get(key) == value]}

    def _create(self, folder: str, body: Obj) -> Obj:
        path = f"{folder}/{body['metadata']['name']}"
        if path in self.memory.objects:
            raise Conflict(f"{path} already exists", status=409, reason="AlreadyExists")
        return self.memory.store(path, body)

    def _update(self, path: str, body: Obj) -> Obj:
        before = self.memory.held(path)
        self._same(before, body["metadata"])
        body["metadata"]["uid"] = before["metadata"]["uid"]
        return self.memory.store(path, body)

    def _delete(self, path: str, options: Obj) -> Obj:
        before = self.memory.held(path)
        self._same(before, options.get("preconditions", {}))
        del self.memory.objects[path]
        return before

    def _patch(self, path: str, operations: Any) -> Obj:
        before = self.memory.held(path)
        try:
            after = json_patch(before, operations)
        except KubeError as error:
            raise Conflict("test failed", status=422) from error
        self.memory.store(path, after)
        self.memory.accepted(self.user, before, after)
        return self.memory.held(path)

    @staticmethod
    def _same(held: Obj, wanted: Mapping[str, Any]) -> None:
        for key in ("uid", "resourceVersion"):
            if wanted.get(key) and wanted[key] != held["metadata"][key]:
                raise Conflict("the object has been modified", status=409, reason="Conflict")
