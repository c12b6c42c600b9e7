"""The cluster as its controllers see it: the storage, the step's time, and indexes that are kept up with each change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from cockpit.rehearsal import draws
from cockpit.rehearsal.images import Images
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import Key, clone, controller, finished, key, requests, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cockpit.rehearsal.kube.storage import Storage

EVENT_LIFE = 3600.0
"""Virtual seconds that an Event is kept, as by a default API server."""


@dataclass(slots=True)
class Used:
    """What the pods bound to a node ask for: thousandths of a core, bytes, pods."""

    cpu: int = 0
    memory: int = 0
    pods: int = 0


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Ready pods of a DaemonSet on nodes that the storage does not hold; `digest` is the hash of their template."""

    pods: int
    digest: str


@dataclass(slots=True)
class Dirty:
    """What changed since its controller last looked. Timers bring objects back here too."""

    deployments: set[Key] = field(default_factory=set)
    replicasets: set[Key] = field(default_factory=set)
    daemonsets: set[Key] = field(default_factory=set)
    pods: set[Key] = field(default_factory=set)
    room: bool = True
    """Capacity or nodes changed: pods that found no node are worth another try."""


class Cluster:
    """Storage, indexes and time for the controllers. `step` counts virtual seconds since the origin."""

    def __init__(self, storage: Storage, seed: int, origin: datetime) -> None:
        self.storage = storage
        self.seed = seed
        self.origin = origin
        self.step = 0
        self.dirty = Dirty()
        self.images = Images()
        """What the registry holds: kubelets pull from it."""
        self.quiet = False
        """While the world is built: no Events, no delays."""
        self.offset = 0.0
        """Seconds added to the step's time: the world is built in its past."""
        self.pods_of: dict[str, dict[Key, Obj]] = defaultdict(dict)
        self.pods_on: dict[str, dict[Key, Obj]] = defaultdict(dict)
        self.sets_of: dict[str, dict[Key, Obj]] = defaultdict(dict)
        self.used: dict[str, Used] = defaultdict(Used)
        self.pending: dict[Key, Obj] = {}
        self.elsewhere: dict[str, Elsewhere] = {}
        """By the DaemonSet's UID."""
        self._held: dict[Key, Obj] = {}
        self._timers: list[tuple[int, str, Key, str]] = []
        self._watchers: list[Callable[[str, str, Obj], None]] = []
        storage.listen(self._changed)

    @property
    def now(self) -> datetime:
        """The time of this step."""
        return self.origin + timedelta(seconds=self.step + self.offset)

    @property
    def stamp(self) -> str:
        """The time of this step as text."""
        return stamp(self.now)

    def watch(self, callback: Callable[[str, str, Obj], None]) -> None:
        """Be told of each change after the indexes have been updated."""
        self._watchers.append(callback)

    @contextmanager
    def past(self, seconds: float) -> Iterator[None]:
        """Build that long ago, silently."""
        self.quiet, self.offset = True, -seconds
        yield
        self.quiet, self.offset = False, 0.0

    def create(self, resource: str, obj: Obj) -> Obj:
        """Store a new object with this step's time and a UID that follows from its name."""
        meta = obj["metadata"]
        meta.setdefault("creationTimestamp", self.stamp)
        meta.setdefault("uid", draws.uid(self.seed, resource, *key(obj), self.step))
        return self.storage.create(resource, obj)

    def change(self, resource: str, obj: Obj, edit: Callable[[Obj], None]) -> Obj:
        """Store `obj` edited by `edit` (on a copy)."""
        new = clone(obj)
        edit(new)
        return self.storage.update(resource, new)

    def set_status(self, resource: str, obj: Obj, status: Obj) -> Obj:
        """Replace the status of `obj`."""
        return self.storage.update(resource, {**obj, "status": status}, status_only=True)

    def after(self, seconds: float, kind: str, who: Key, uid: str) -> None:
        """Call back `kind` for the object in that many steps: at least the next one, but 0 while the world is built."""
        wait = max(0 if self.quiet else 1, round(seconds))
        heappush(self._timers, (self.step + wait, kind, who, uid))

    def due(self) -> list[tuple[str, Key, str]]:
        """The timers that have run out, in an order that does not depend on when they were set."""
        ready = []
        while self._timers and self._timers[0][0] <= self.step:
            ready.append(heappop(self._timers)[1:])
        return ready

    def event(self, about: Obj, kind: str, reason: str, message: str, source: str) -> None:
        """Record an Event about `about`; the same one again only counts up."""
        if self.quiet:
            return
        namespace, name = key(about)
        mark = draws.number(0, (kind, reason, message, about["metadata"]["uid"])) if about else 0
        event_name = f"{name}.{mark:016x}"
        namespace = namespace or "default"
        old = self.storage.find("events", namespace, event_name)
        if old is not None:
            self.change("events", old, self._again)
            return
        self.create("events", self._event(about, namespace, event_name, (kind, reason, message, source)))

    def _again(self, event: Obj) -> None:
        event["count"] = event.get("count", 1) + 1
        event["lastTimestamp"] = self.stamp

    def _event(self, about: Obj, namespace: str, name: str, what: tuple[str, str, str, str]) -> Obj:
        kind, reason, message, source = what
        regarding = {"apiVersion": about["apiVersion"], "kind": about["kind"], "name": about["metadata"]["name"]}
        for part in ("namespace", "uid", "resourceVersion"):
            if part in about["metadata"]:
                regarding[part] = about["metadata"][part]
        return {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": regarding,
            "reason": reason,
            "message": message,
            "type": kind,
            "count": 1,
            "firstTimestamp": self.stamp,
            "lastTimestamp": self.stamp,
            "eventTime": None,
            "source": {"component": source},
            "reportingComponent": source,
            "reportingInstance": "",
        }

    def drop_old_events(self) -> None:
        """Forget Events whose time is up."""
        limit = stamp(self.now - timedelta(seconds=EVENT_LIFE))
        for event in self.storage.list("events"):
            if event.get("lastTimestamp") and event["lastTimestamp"] < limit:
                self.storage.delete("events", *key(event))

    def _changed(self, change: str, resource: str, obj: Obj) -> None:
        if resource == "pods":
            self._pod_changed(change, obj)
        elif resource == "replicasets":
            self._set_changed(change, obj)
        elif resource == "deployments":
            self.dirty.deployments.add(key(obj))
        elif resource == "daemonsets":
            self.dirty.daemonsets.add(key(obj))
        elif resource == "nodes":
            self.dirty.room = True
            self.dirty.daemonsets.update(key(d) for d in self.storage.list("daemonsets"))
        for callback in self._watchers:
            callback(change, resource, obj)

    def _pod_changed(self, change: str, pod: Obj) -> None:
        who = key(pod)
        self._release(who)
        owner = controller(pod)
        if owner is not None:
            dirty = self.dirty.daemonsets if owner["kind"] == "DaemonSet" else self.dirty.replicasets
            dirty.add((who[0], owner["name"]))
        if change == "DELETED":
            self.dirty.room = True
            self._mark_deployment(who[0], owner)
            return
        self._held[who] = pod
        if owner is not None:
            self.pods_of[owner["uid"]][who] = pod
        node = pod["spec"].get("nodeName")
        if not node:
            self.pending[who] = pod
            return
        self._bind(node, who, pod)
        self.dirty.pods.add(who)

    def _mark_deployment(self, namespace: str, owner: Obj | None) -> None:
        """A Deployment that recreates its pods waits for the old ones to be gone, which no status of theirs shows."""
        found = self.storage.find("replicasets", namespace, owner["name"]) if owner and owner["kind"] == "ReplicaSet" else None
        above = controller(found) if found else None
        if above is not None:
            self.dirty.deployments.add((namespace, above["name"]))

    def _release(self, who: Key) -> None:
        old = self._held.pop(who, None)
        self.pending.pop(who, None)
        if old is None:
            return
        owner = controller(old)
        if owner is not None:
            self.pods_of[owner["uid"]].pop(who, None)
        node = old["spec"].get("nodeName")
        if node and self.pods_on[node].pop(who, None) is not None and not finished(old):
            self._account(node, old, -1)

    def _bind(self, node: str, who: Key, pod: Obj) -> None:
        self.pods_on[node][who] = pod
        if not finished(pod):
            self._account(node, pod, 1)

    def _account(self, node: str, pod: Obj, sign: int) -> None:
        cpu, memory = requests(pod["spec"])
        used = self.used[node]
        used.cpu += sign * cpu
        used.memory += sign * memory
        used.pods += sign

    def _set_changed(self, change: str, replicaset: Obj) -> None:
        who, owner = key(replicaset), controller(replicaset)
        if change != "DELETED":
            self.dirty.replicasets.add(who)
        if owner is None:
            return
        self.dirty.deployments.add((who[0], owner["name"]))
        if change == "DELETED":
            self.sets_of[owner["uid"]].pop(who, None)
        else:
            self.sets_of[owner["uid"]][who] = replicaset
