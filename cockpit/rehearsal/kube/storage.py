"""The objects of the embedded cluster, with the write rules of a real API server's registry, in one process and one thread."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from cockpit.clock import Clock
from cockpit.rehearsal.kube.defaults import fill
from cockpit.rehearsal.kube.errors import KubeError, Obj, already_exists, bad_request, conflict, expired, not_found
from cockpit.rehearsal.kube.history import Log, Version, Write
from cockpit.rehearsal.kube.resources import TYPES, Resource, stored
from cockpit.rehearsal.kube.schema import decode

if TYPE_CHECKING:
    from cockpit.rehearsal.kube.bulk import Bulk

Listener: TypeAlias = Callable[[str, str, Obj], None]
"""Called with ADDED | MODIFIED | DELETED, the resource's plural and the object, after each change."""

Objects: TypeAlias = list[Obj]
Versions: TypeAlias = list[Version]
Changes: TypeAlias = list[Write]
Keys: TypeAlias = list[tuple[str, str]]

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_SHAPED = frozenset({"pods", "nodes", *(t.name for t in TYPES if t.generation)})
_SERVER_OWNED = ("uid", "creationTimestamp", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")


def timestamp(moment: datetime) -> str:
    """`moment` (UTC) as metav1.Time is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Storage:
    """All objects by resource, namespace and name. What it returns is live: read it, and hand changed *copies* to `update`."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.resource_version = 1000
        """The newest resource version; one number for all resources, as etcd's revision."""
        self.watch_epoch = 0
        """Grows with `expire_watches`: streams of an older epoch end with 410."""
        self.bulk: dict[str, Bulk] = {}
        """More objects by resource, which lists and watches show beside those that are held here. Nobody else sees them."""
        self._objects: dict[str, dict[tuple[str, str], Version]] = {t.name: {} for t in TYPES}
        self._logs: dict[str, Log] = {t.name: Log() for t in TYPES}
        self._sorted: dict[str, Keys] = {}
        self._listeners: list[Listener] = []

    def find(self, resource: str, namespace: str | None, name: str) -> Obj | None:
        """The object, or None."""
        version = self.version(resource, namespace, name)
        return version.obj if version else None

    def get(self, resource: str, namespace: str | None, name: str) -> Obj:
        """The object; KubeError 404 when it is not there."""
        version = self.version(resource, namespace, name)
        if version is None:
            raise not_found(resource, stored(resource).group, name)
        return version.obj

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """All objects (of one namespace), in order of namespace and name."""
        return [v.obj for v in self.versions(resource, namespace)]

    def version(self, resource: str, namespace: str | None, name: str) -> Version | None:
        """The stored version of an object, or None."""
        kind = stored(resource)
        return self._objects[kind.name].get((namespace or "" if kind.namespaced else "", name))

    def versions(self, resource: str, namespace: str | None = None, at: int | None = None) -> Versions:
        """The stored versions (of one namespace) by key, as of resource version `at`; KubeError 410 when that is forgotten."""
        held = self._objects[stored(resource).name]
        if at is not None and at != self.resource_version:
            self.check_window(resource, at)
            if self._logs[resource].since(at):
                past = self._logs[resource].rewind(held, at)
                return [past[key] for key in sorted(past) if not namespace or key[0] == namespace]
        return [held[key] for key in self._keys(resource) if not namespace or key[0] == namespace]

    def _keys(self, resource: str) -> Keys:
        """The keys in order; sorted again only after a creation or deletion."""
        if resource not in self._sorted:
            self._sorted[resource] = sorted(self._objects[resource])
        return self._sorted[resource]

    def check_window(self, resource: str, number: int) -> None:
        """KubeError 410 when changes since this resource version are no longer all known."""
        floor = self._logs[stored(resource).name].floor
        if number < floor:
            raise expired(f"too old resource version: {number} ({floor})")

    def since(self, resource: str, number: int) -> Changes:
        """The changes after this resource version; KubeError 410 when some of them are forgotten."""
        self.check_window(resource, number)
        return self._logs[resource].since(number)

    def create(self, resource: str, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Store a new object: sets uid, creationTimestamp, resourceVersion, generation and the name for a generateName.

        Workloads, pods and nodes get the defaults and shape of a typed server: a later patch changes only what it names.
        """
        kind = stored(resource)
        meta = dict(obj.get("metadata") or {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + self.suffix(5)
        if not meta.get("name"):
            raise bad_request("name or generateName is required")
        if not kind.namespaced:
            meta.pop("namespace", None)
        elif not meta.get("namespace"):
            raise bad_request("an empty namespace may not be set during creation")
        if self.version(resource, meta.get("namespace"), meta["name"]) is not None:
            raise already_exists(resource, kind.group, meta["name"])
        meta.setdefault("uid", self.uid())
        meta.setdefault("creationTimestamp", timestamp(self.clock.now()))
        meta.pop("resourceVersion", None)
        if kind.generation:
            meta["generation"] = 1
        new = {"apiVersion": kind.api_version, "kind": kind.kind, **obj, "metadata": meta}
        if kind.name in _SHAPED:
            new = decode(kind.kind, fill(kind.name, new))[0]
        return new if dry_run else self._commit(kind, "ADDED", new, None)

    def update(
        self, resource: str, obj: Obj, *, status_only: bool = False, dry_run: bool = False, annotated: bool = False
    ) -> Obj:
        """Store a changed copy: compares resourceVersion when present (409), bumps it, and generation when the spec changed.

        With `status_only` nothing but `status` is taken. A write that changes nothing keeps the resourceVersion. `annotated`:
        a user's change of a Deployment's annotations counts as one of its spec.
        """
        kind = stored(resource)
        given = obj["metadata"]
        old = self._current(kind, given)
        meta = dict(old.obj["metadata"] if status_only else given)
        for name in _SERVER_OWNED[: 3 if "deletionTimestamp" not in old.obj["metadata"] else None]:
            if name in old.obj["metadata"]:
                meta[name] = old.obj["metadata"][name]
        meta["resourceVersion"] = old.obj["metadata"]["resourceVersion"]
        new = {**old.obj, "status": obj.get("status")} if status_only else dict(obj)
        if new.get("status") is None:
            new.pop("status", None)
        new["metadata"] = meta
        if kind.generation:
            changed = new.get("spec") != old.obj.get("spec") or annotated
            meta["generation"] = old.obj["metadata"]["generation"] + changed
        new = {"apiVersion": old.obj["apiVersion"], "kind": old.obj["kind"], **new}
        if new == old.obj or dry_run:
            return old.obj if new == old.obj else new
        return self._commit(kind, "MODIFIED", new, old)

    def delete(self, resource: str, namespace: str | None, name: str) -> Obj:
        """Remove an object at once; returns its last state. KubeError 404 when it is not there."""
        kind = stored(resource)
        old = self.version(resource, namespace, name)
        if old is None:
            raise not_found(resource, kind.group, name)
        return self._commit(kind, "DELETED", {**old.obj, "metadata": dict(old.obj["metadata"])}, old)

    def listen(self, callback: Listener) -> None:
        """Call back after each change, synchronously and in order."""
        self._listeners.append(callback)

    def compact(self) -> None:
        """Forget the history: watches and continued lists from before now get 410 Expired."""
        for log in self._logs.values():
            log.forget(self.resource_version)

    def expire_watches(self) -> None:
        """Forget the history and end every running watch with an in-stream 410, as after a restart of the watch cache."""
        self.compact()
        self.watch_epoch += 1
        for callback in tuple(self._listeners):
            callback("EXPIRED", "", {})

    def uid(self) -> str:
        """A new UID from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def suffix(self, length: int) -> str:
        """Random letters as the real server appends them to a generateName."""
        return "".join(self.random.choices(_SUFFIX, k=length))

    def _current(self, kind: Resource, given: Obj) -> Version:
        old = self.version(kind.name, given.get("namespace"), given["name"])
        if old is None:
            raise not_found(kind.name, kind.group, given["name"])
        if given.get("uid") and given["uid"] != old.obj["metadata"]["uid"]:
            why = f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta: {old.obj['metadata']['uid']}"
            raise conflict(kind.name, kind.group, given["name"], why)
        wanted = given.get("resourceVersion") or "0"
        if not wanted.isdecimal():
            raise KubeError(500, "", f'strconv.ParseUint: parsing "{wanted}": invalid syntax')
        if wanted not in ("0", str(old.number)):
            raise conflict(kind.name, kind.group, given["name"])
        return old

    def _commit(self, kind: Resource, change: str, obj: Obj, old: Version | None) -> Obj:
        self.resource_version += 1
        meta = obj["metadata"]
        meta["resourceVersion"] = str(self.resource_version)
        new = Version(meta.get("namespace", ""), meta["name"], self.resource_version, obj)
        if change != "MODIFIED":
            self._sorted.pop(kind.name, None)
        if change == "DELETED":
            del self._objects[kind.name][new.key]
        else:
            self._objects[kind.name][new.key] = new
        self._logs[kind.name].append(Write(change, self.resource_version, new, old))
        for callback in tuple(self._listeners):
            callback(change, kind.name, obj)
        return obj
