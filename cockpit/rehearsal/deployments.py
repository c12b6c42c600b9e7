"""The Deployment controller: which ReplicaSet has how many replicas, as in kube-controller-manager's rolling.go and sync.go."""

from __future__ import annotations

from cockpit.model.json import canonical
from cockpit.rehearsal import draws
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, key, owner_ref
from cockpit.rehearsal.reconcile import reconcile
from cockpit.rehearsal.rollstatus import deadline, status_of
from cockpit.rehearsal.strategy import limits

SOURCE = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"


def template_hash(template: Obj) -> str:
    """The pod-template-hash label of a template."""
    return draws.suffix(10, 0, "template", canonical(template))


def _same(template: Obj, replicaset: Obj) -> bool:
    other = clone(replicaset["spec"]["template"])
    other["metadata"]["labels"].pop(HASH, None)
    return bool(other == template)


def _revision(obj: Obj) -> int:
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, 0))


def _replicas(obj: Obj) -> int:
    return int(obj["spec"].get("replicas", 0))


def _available(replicaset: Obj) -> int:
    return int(replicaset.get("status", {}).get("availableReplicas", 0))


class Deployments:
    """Rolls, scales and describes the Deployments that changed; each takes one action a step, as each sync does there."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def run(self) -> None:
        """Look at every Deployment that is marked."""
        reconcile(self._cluster, "deployments", self._cluster.dirty.deployments, self._sync)

    def _sync(self, deployment: Obj) -> None:
        sets = sorted(self._owned(deployment), key=lambda r: (r["metadata"]["creationTimestamp"], r["metadata"]["name"]))
        current = next((r for r in sets if _same(deployment["spec"]["template"], r)), None)
        if deployment["spec"].get("paused"):
            self._scale_paused(deployment, current, sets)
        else:
            current = self._current(deployment, current, sets)
            self._roll(deployment, current, [r for r in sets if r["metadata"]["name"] != current["metadata"]["name"]])
        self._describe(deployment)

    def _owned(self, deployment: Obj) -> list[Obj]:
        return list(self._cluster.sets_of[deployment["metadata"]["uid"]].values())

    def _current(self, deployment: Obj, current: Obj | None, sets: list[Obj]) -> Obj:
        """The ReplicaSet of the template as it is now, made when there is none, with the newest revision number."""
        others = [_revision(r) for r in sets if r is not current]
        revision = max([*others, 0]) + 1
        if current is None:
            current = self._make(deployment, revision)
        elif _revision(current) < revision:
            current = self._annotate("replicasets", current, {REVISION: str(revision)})
        self._annotate("deployments", deployment, {REVISION: (current["metadata"]["annotations"])[REVISION]})
        return current

    def _annotate(self, resource: str, obj: Obj, annotations: dict[str, str]) -> Obj:
        found = self._cluster.storage.get(resource, *key(obj))
        have = found["metadata"].get("annotations") or {}
        if all(have.get(k) == v for k, v in annotations.items()):
            return found
        return self._cluster.change(
            resource, found, lambda new: new["metadata"].setdefault("annotations", {}).update(annotations)
        )

    def _make(self, deployment: Obj, revision: int) -> Obj:
        template, meta = clone(deployment["spec"]["template"]), deployment["metadata"]
        digest = template_hash(template)
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH] = digest
        surge, _ = limits(deployment["spec"])
        desired = deployment["spec"].get("replicas", 1)
        selector = clone(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH] = digest
        annotations = {DESIRED: str(desired), MAX: str(desired + surge), REVISION: str(revision)}
        head = {"name": f"{meta['name']}-{digest}", "namespace": meta["namespace"], "labels": dict(labels)}
        head |= {"annotations": annotations, "ownerReferences": [owner_ref(deployment)]}
        spec = {"replicas": 0, "selector": selector, "template": template}
        return self._cluster.create("replicasets", {"metadata": head, "spec": spec, "status": {"replicas": 0}})

    def _roll(self, deployment: Obj, current: Obj, old: list[Obj]) -> None:
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate" and self._running(old):
            for one in old:
                self._scale(deployment, one, 0)
            return
        if not self._grow(deployment, current, old):
            self._shrink(deployment, current, old)
        if not any(_replicas(r) for r in old):
            self._clean(deployment, old)

    def _running(self, old: list[Obj]) -> bool:
        return any(self._cluster.pods_of[r["metadata"]["uid"]] for r in old)

    def _grow(self, deployment: Obj, current: Obj, old: list[Obj]) -> bool:
        desired, have = deployment["spec"].get("replicas", 1), _replicas(current)
        if have > desired:
            return self._scale(deployment, current, desired)
        room = desired + limits(deployment["spec"])[0] - have - sum(map(_replicas, old))
        return self._scale(deployment, current, have + min(max(0, room), desired - have))

    def _shrink(self, deployment: Obj, current: Obj, old: list[Obj]) -> None:
        minimum = deployment["spec"].get("replicas", 1) - limits(deployment["spec"])[1]
        total = _replicas(current) + sum(map(_replicas, old))
        spare = total - minimum - (_replicas(current) - _available(current))
        if spare <= 0:
            return
        left = {r["metadata"]["name"]: _replicas(r) for r in old}
        for one in old:  # unhealthy old pods first: they serve nobody
            cut = min(spare, left[one["metadata"]["name"]] - _available(one))
            left[one["metadata"]["name"]] -= max(0, cut)
            spare -= max(0, cut)
        healthy = _available(current) + sum(map(_available, old)) - minimum
        for one in old:
            cut = min(max(0, healthy), left[one["metadata"]["name"]], max(0, spare))
            left[one["metadata"]["name"]] -= cut
            healthy, spare = healthy - cut, spare - cut
        for one in old:
            self._scale(deployment, one, left[one["metadata"]["name"]])

    def _scale(self, deployment: Obj, replicaset: Obj, replicas: int) -> bool:
        have, desired = _replicas(replicaset), deployment["spec"].get("replicas", 1)
        notes = {DESIRED: str(desired), MAX: str(desired + limits(deployment["spec"])[0])}
        if have == replicas:
            self._annotate("replicasets", replicaset, notes)
            return False

        def edit(new: Obj) -> None:
            new["spec"]["replicas"] = replicas
            new["metadata"].setdefault("annotations", {}).update(notes)

        self._cluster.change("replicasets", self._cluster.storage.get("replicasets", *key(replicaset)), edit)
        way = "up" if replicas > have else "down"
        message = f"Scaled {way} replica set {replicaset['metadata']['name']} from {have} to {replicas}"
        self._cluster.event(deployment, "Normal", "ScalingReplicaSet", message, SOURCE)
        return True

    def _scale_paused(self, deployment: Obj, current: Obj | None, sets: list[Obj]) -> None:
        """A paused Deployment does not roll, but follows a change of `replicas`; the newest set with pods takes it up."""
        active = current or next((r for r in reversed(sets) if _replicas(r)), None)
        if active is None:
            return
        recorded = int((active["metadata"].get("annotations") or {}).get(DESIRED, 0))
        change = deployment["spec"].get("replicas", 1) - recorded
        if change and recorded:
            self._scale(deployment, active, max(0, _replicas(active) + change))

    def _clean(self, deployment: Obj, old: list[Obj]) -> None:
        keep = deployment["spec"].get("revisionHistoryLimit", 10)
        for one in sorted(old, key=_revision)[: max(0, len(old) - keep)]:
            if not self._cluster.pods_of[one["metadata"]["uid"]]:
                self._cluster.storage.delete("replicasets", *key(one))

    def _describe(self, stale: Obj) -> None:
        cluster = self._cluster
        deployment = cluster.storage.get("deployments", *key(stale))
        sets = self._owned(deployment)
        current = next((r for r in sets if _same(deployment["spec"]["template"], r)), None)
        status = status_of(deployment, sets, current, cluster.now)
        cluster.set_status("deployments", deployment, status)
        end = deadline(deployment["spec"], status)
        if end is not None and end > cluster.now:
            cluster.after((end - cluster.now).total_seconds() + 1, "deadline", key(deployment), deployment["metadata"]["uid"])
