"""The ReplicaSet controller: as many pods as asked for; which go first is ranked as in kube-controller-manager."""

from __future__ import annotations

from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, controller, finished, is_ready, key, owner_ref, terminating
from cockpit.rehearsal.reconcile import reconcile

SOURCE = "replicaset-controller"


def new_pod(cluster: Cluster, owner: Obj, template: Obj, name: str) -> Obj:
    """A pod of `template`, controlled by `owner`, not bound to a node yet."""
    body = clone(template)
    meta = body.setdefault("metadata", {})
    meta |= {"name": name, "namespace": owner["metadata"]["namespace"], "ownerReferences": [owner_ref(owner)]}
    meta["generateName"] = name.rsplit("-", 1)[0] + "-"
    body["spec"].setdefault("restartPolicy", "Always")
    body["status"] = {"phase": "Pending", "qosClass": "Burstable"}
    return cluster.create("pods", body)


def stop_pod(cluster: Cluster, pod: Obj) -> None:
    """Ask a pod to stop: one that no node has yet goes at once, others when their kubelet is done with them."""
    if terminating(pod):
        return
    if not pod["spec"].get("nodeName"):
        cluster.storage.delete("pods", *key(pod))
        return
    grace = pod["spec"].get("terminationGracePeriodSeconds", 30)

    def mark(new: Obj) -> None:
        new["metadata"]["deletionTimestamp"] = cluster.stamp
        new["metadata"]["deletionGracePeriodSeconds"] = grace

    cluster.change("pods", pod, mark)


class ReplicaSets:
    """Creates and deletes pods of the ReplicaSets that changed, and counts them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._made: dict[str, int] = {}

    def run(self) -> None:
        """Look at every ReplicaSet that is marked."""
        reconcile(self._cluster, "replicasets", self._cluster.dirty.replicasets, self._sync)

    def _sync(self, owner: Obj) -> None:
        pods = self._active(owner)
        missing = owner["spec"].get("replicas", 1) - len(pods)
        for _ in range(max(0, missing)):
            self._add(owner)
        for pod in sorted(pods, key=self._rank)[: max(0, -missing)]:
            self._remove(owner, pod)
        self._count(owner)

    def _active(self, owner: Obj) -> list[Obj]:
        pods = self._cluster.pods_of[owner["metadata"]["uid"]].values()
        return [p for p in pods if not terminating(p) and not finished(p)]

    def _rank(self, pod: Obj) -> tuple[object, ...]:
        """Unassigned first, then not ready, then those with most siblings on their node, then the youngest."""
        node = pod["spec"].get("nodeName", "")
        owner = pod["metadata"]["ownerReferences"][0]["uid"]
        near = self._cluster.pods_on[node].values()
        siblings = sum(1 for p in near if (controller(p) or {}).get("uid") == owner)
        age = pod["metadata"]["creationTimestamp"]
        return bool(node), is_ready(pod), -siblings, _newest_first(age), pod["metadata"]["name"]

    def _add(self, owner: Obj) -> None:
        cluster, uid = self._cluster, owner["metadata"]["uid"]
        number = self._made[uid] = self._made.get(uid, 0) + 1
        name = f"{owner['metadata']['name']}-{draws.suffix(5, cluster.seed, 'pod', owner['metadata']['name'], number)}"
        new_pod(cluster, owner, owner["spec"]["template"], name)
        cluster.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name}", SOURCE)

    def _remove(self, owner: Obj, pod: Obj) -> None:
        stop_pod(self._cluster, pod)
        self._cluster.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", SOURCE)

    def _count(self, owner: Obj) -> None:
        pods = self._active(owner)
        ready = sum(1 for p in pods if is_ready(p))
        status: Obj = {"replicas": len(pods), "observedGeneration": owner["metadata"]["generation"]}
        status |= {"fullyLabeledReplicas": len(pods)} if pods else {}
        status |= {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
        self._cluster.set_status("replicasets", owner, status)


def _newest_first(stamp: str) -> tuple[int, ...]:
    return tuple(-ord(c) for c in stamp)
