"""Deletion: preconditions, grace, finalizers, dry run."""

from __future__ import annotations

from datetime import timedelta

from cockpit.rehearsal.kube.call import Call, is_dry_run
from cockpit.rehearsal.kube.errors import Obj, conflict, forbidden
from cockpit.rehearsal.kube.listing import number
from cockpit.rehearsal.kube.resources import TYPES
from cockpit.rehearsal.kube.storage import Storage, timestamp

_PROTECTED = ("default", "kube-system", "kube-public", "kube-node-lease")


def delete(storage: Storage, call: Call, *, graceful: bool) -> tuple[Obj, bool]:
    """DELETE of one object: (the object, whether it is gone already). Honours preconditions, finalizers and dry run."""
    options = call.options()
    dry = is_dry_run(call.query.get("dryRun", "")) or options.get("dryRun") == ["All"]
    obj = storage.get(call.kind.name, call.info.namespace or None, call.info.name)
    _preconditions(call, obj, options.get("preconditions") or {})
    return remove(storage, call.kind.name, obj, options | dict(call.query), graceful=graceful, dry_run=dry)


def _preconditions(call: Call, obj: Obj, wanted: Obj) -> None:
    for name, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        held = obj["metadata"][name]
        if wanted.get(name) and wanted[name] != held:
            why = f"Precondition failed: {word} in precondition: {wanted[name]}, {word} in object meta: {held}"
            raise conflict(call.kind.name, call.kind.group, call.info.name, why)


def remove(storage: Storage, resource: str, obj: Obj, options: Obj, *, graceful: bool, dry_run: bool = False) -> tuple[Obj, bool]:
    """Delete an object, or mark it as terminating where a kubelet or a finalizer has to act first."""
    meta, name = obj["metadata"], obj["metadata"]["name"]
    if resource == "namespaces" and name in _PROTECTED:
        raise forbidden("namespaces", "", name, "this namespace may not be deleted")
    grace = 0
    if resource == "pods" and graceful and (obj.get("spec") or {}).get("nodeName"):
        grace = number(
            str(options.get("gracePeriodSeconds", obj["spec"].get("terminationGracePeriodSeconds", 30))), "gracePeriodSeconds"
        )
    if dry_run:
        return obj, not grace
    if not grace and not meta.get("finalizers"):
        gone = storage.delete(resource, meta.get("namespace"), name)
        if resource == "namespaces":
            _empty(storage, name)
        return gone, True
    if meta.get("deletionTimestamp"):
        return obj, False
    when = timestamp(storage.clock.now() + timedelta(seconds=grace))
    marked = {**meta, "deletionTimestamp": when, "deletionGracePeriodSeconds": grace}
    return storage.update(resource, {**obj, "metadata": marked}), False


def _empty(storage: Storage, namespace: str) -> None:
    for kind in TYPES:
        if kind.namespaced:
            for obj in storage.list(kind.name, namespace):
                storage.delete(kind.name, namespace, obj["metadata"]["name"])
