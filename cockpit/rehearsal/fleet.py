"""Which pods serve traffic: those of the playbook's workloads, by workload and by the architecture of their node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import arch_of, condition, is_ready, moment, terminating
from cockpit.rehearsal.runtime import speed_of


@dataclass(frozen=True, slots=True)
class Member:
    """A pod behind a workload. `since` is when it became ready; `speed` is 1 for a native one."""

    name: str
    address: str
    zone: str
    arch: Arch
    ready: bool
    leaving: bool
    since: datetime | None
    speed: float = 1.0


class Fleet:
    """The members of each workload, read again only after a pod has changed."""

    def __init__(self, cluster: Cluster, workloads: tuple[Ref, ...]) -> None:
        self._cluster = cluster
        self._workloads = workloads
        self._members: dict[Ref, tuple[Member, ...]] | None = None
        cluster.watch(self._changed)

    def members(self, workload: Ref) -> tuple[Member, ...]:
        """The running pods of a workload, in order of their names."""
        if self._members is None:
            self._members = {w: self._read(w) for w in self._workloads}
        return self._members[workload]

    def _changed(self, _change: str, resource: str, _obj: Obj) -> None:
        if resource == "pods":
            self._members = None

    def _read(self, workload: Ref) -> tuple[Member, ...]:
        storage = self._cluster.storage
        owner = storage.find("deployments", workload.namespace, workload.name)
        if owner is None:
            return ()
        sets = self._cluster.sets_of[owner["metadata"]["uid"]].values()
        pods = [p for s in sets for p in self._cluster.pods_of[s["metadata"]["uid"]].values()]
        return tuple(self._member(p) for p in sorted(pods, key=lambda p: str(p["metadata"]["name"])) if p["status"].get("podIP"))

    def _member(self, pod: Obj) -> Member:
        found_node = self._cluster.storage.find("nodes", None, pod["spec"]["nodeName"])
        node = found_node or {"metadata": {"labels": {}}}
        zone = node["metadata"]["labels"].get("topology.kubernetes.io/zone", "")
        found = condition(pod, "Ready")
        ready = is_ready(pod)
        since = moment(found["lastTransitionTime"]) if ready and found else None
        arch = Arch.ARM64 if arch_of(node) == Arch.ARM64 else Arch.AMD64
        speed = speed_of(self._cluster, pod, found_node) if found_node else 1.0
        return Member(pod["metadata"]["name"], pod["status"]["podIP"], zone, arch, ready, terminating(pod), since, speed)
