"""A crowd put beside a world: its nodes and pods are listed with the world's own, and its agents counted by their DaemonSets."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from cockpit.rehearsal.cluster import Elsewhere
from cockpit.rehearsal.content import region_of
from cockpit.rehearsal.crowd.churn import Churn
from cockpit.rehearsal.crowd.collection import Collection
from cockpit.rehearsal.crowd.nodes import node_groups
from cockpit.rehearsal.crowd.pods import NAMESPACES, agents, in_order, services
from cockpit.rehearsal.crowd.rows import Rows
from cockpit.rehearsal.crowd.size import Size
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.resources import stored
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.objects import is_ready, key
from cockpit.rehearsal.world import World

_DAY = 86_400
_HISTORY_SECONDS, _LEAST_HISTORY = 300, 20_000
"""A watch can be resumed from so long ago, as with a real server's compaction every five minutes; at least so many changes."""


class Crowd:
    """Nodes, pods and what happens to them. UsageError when the DaemonSets alone run more pods than are asked for."""

    def __init__(self, world: World, size: Size) -> None:
        cluster, seed = world.cluster, world.cluster.seed
        self.events = size.events
        nodes = node_groups(size.nodes, region_of(world.playbook), seed)
        daemons = agents(_ready(world), nodes, size, seed)
        running = sum(d.pods.count for d in daemons)
        size.check_agents(len(daemons), running)
        others = services(size.pods - running, nodes, size, seed)
        pods = in_order([*(d.pods for d in daemons), *others])
        keep = max(_LEAST_HISTORY, size.events * _HISTORY_SECONDS)
        with cluster.past(0):
            for name in NAMESPACES if size.pods > running else ():
                if cluster.storage.find("namespaces", None, name) is None:
                    cluster.create("namespaces", _namespace(name))
            cluster.elsewhere.update({d.owner: Elsewhere(d.pods.count, d.digest) for d in daemons})
            cluster.dirty.daemonsets.update(key(d) for d in cluster.storage.list("daemonsets"))
            world.engine.settle()
        now, random = int(world.origin.timestamp()), Random(f"crowd {seed}")
        # A node's last change is its heartbeat, a pod's is that it got ready.
        node_rows, pod_rows = Rows(), Rows()
        for _ in range(size.nodes):
            node_rows.append(_next(cluster.storage), now - random.randrange(_DAY, 21 * _DAY), now)
        for _ in range(size.pods):
            born = now - random.randrange(_DAY, 21 * _DAY)
            pod_rows.append(_next(cluster.storage), born, born)
        self.nodes = Collection(cluster.storage, stored("nodes"), nodes, node_rows, keep)
        self.pods = Collection(cluster.storage, stored("pods"), pods, pod_rows, keep)
        owned = {(d.pods.namespace, d.pods.prefix) for d in daemons}
        slots = {True: [range(0)], False: [range(0)]}
        for group in pods:
            slots[(group.namespace, group.prefix) in owned].append(range(group.first, group.first + group.count))
        self.churn = Churn(self.nodes, self.pods, slots[True], slots[False], seed)
        cluster.storage.bulk.update({"nodes": self.nodes, "pods": self.pods})


def _next(storage: Storage) -> int:
    storage.resource_version += 1
    return storage.resource_version


def _namespace(name: str) -> Obj:
    meta = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
    return {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def _ready(world: World) -> Iterator[tuple[Obj, Obj]]:
    """Each DaemonSet with the first of its pods that are ready; one without any has none on the crowd's nodes either."""
    for owner in world.storage.list("daemonsets"):
        pods = world.cluster.pods_of[owner["metadata"]["uid"]]
        found = next((pods[who] for who in sorted(pods) if is_ready(pods[who])), None)
        if found is not None:
            yield owner, found
