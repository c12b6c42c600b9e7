"""The garbage collectors: what a deleted owner owned goes too, and so do the pods of a node that is gone."""

from __future__ import annotations

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import key
from cockpit.rehearsal.replicasets import stop_pod


class Garbage:
    """Collects in the step after a deletion. Orphaning (propagationPolicy) is not played."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._owners: list[Obj] = []
        self._nodes: list[str] = []
        cluster.watch(self._changed)

    def run(self) -> None:
        """Collect what became garbage since the last call."""
        owners, self._owners = self._owners, []
        nodes, self._nodes = self._nodes, []
        for owner in owners:
            uid = owner["metadata"]["uid"]
            for replicaset in list(self._cluster.sets_of[uid].values()):
                self._cluster.storage.delete("replicasets", *key(replicaset))
            for pod in list(self._cluster.pods_of[uid].values()):
                stop_pod(self._cluster, pod)
        for node in nodes:
            for pod in list(self._cluster.pods_on[node].values()):
                self._cluster.storage.delete("pods", *key(pod))

    def _changed(self, change: str, resource: str, obj: Obj) -> None:
        if change != "DELETED":
            return
        if resource == "nodes":
            self._nodes.append(obj["metadata"]["name"])
        elif resource in ("deployments", "replicasets", "daemonsets"):
            self._owners.append(obj)
