"""Deletion: preconditions, grace, finalizers, dry run."""

from __future__ import annotations

from datetime import timedelta

from cockpit.rehearsal.kube.call import Call, is_dry_run
from cockpit.rehearsal.kube.causes import unsupported
from cockpit.rehearsal.kube.errors import Obj, bad_options, conflict, forbidden
from cockpit.rehearsal.kube.listing import number
from cockpit.rehearsal.kube.resources import TYPES
from cockpit.rehearsal.kube.storage import Storage, timestamp

_POLICIES = ("Foreground", "Background", "Orphan")
_PROTECTED = ("default", "kube-system", "kube-public", "kube-node-lease")


def delete(storage: Storage, call: Call, *, graceful: bool) -> tuple[Obj, bool]:
    """DELETE of one object: (the object, whether it is gone already). Honours preconditions, finalizers and dry run."""
    options = delete_options(call)
    dry = options.get("dryRun") == ["All"]
    obj = storage.get(call.kind.name, call.info.namespace or None, call.info.name)
    _preconditions(call, obj, options.get("preconditions") or {})
    return remove(storage, call.kind.name, obj, options, graceful=graceful, dry_run=dry)


def delete_options(call: Call) -> Obj:
    """The options of a deletion; KubeError 422 when they make no sense. With a body, nothing of the query counts, nor dryRun."""
    options = call.options() or {k: [v] if k == "dryRun" else v for k, v in call.query.items()}
    policy = options.get("propagationPolicy")
    if policy and policy not in _POLICIES:
        raise bad_options("DeleteOptions", unsupported("propagationPolicy", policy, [*_POLICIES, "nil"]))
    if (dry := options.get("dryRun") or []) and dry != ["All"]:
        is_dry_run(",".join(dry), "DeleteOptions")
    return options


def _preconditions(call: Call, obj: Obj, wanted: Obj) -> None:
    held, kind = obj["metadata"], call.kind
    if wanted.get("uid") and wanted["uid"] != held["uid"]:
        why = f"the UID in the precondition ({wanted['uid']}) does not match the UID in record ({held['uid']}). "
        raise conflict(kind.kind, kind.group, call.info.name, f"{why}The object might have been deleted and then recreated")
    if wanted.get("resourceVersion") and wanted["resourceVersion"] != held["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({wanted['resourceVersion']}) does not match the ResourceVersion in record "
        )
        raise conflict(
            kind.kind, kind.group, call.info.name, f"{why}({held['resourceVersion']}). The object might have been modified"
        )


def remove(storage: Storage, resource: str, obj: Obj, options: Obj, *, graceful: bool, dry_run: bool = False) -> tuple[Obj, bool]:
    """Delete an object, or mark it as terminating where a kubelet or a finalizer has to act first."""
    meta, name = obj["metadata"], obj["metadata"]["name"]
    if resource == "namespaces" and name in _PROTECTED:
        raise forbidden("namespaces", "", name, "this namespace may not be deleted")
    grace = 0
    if resource == "pods" and graceful and (obj.get("spec") or {}).get("nodeName"):
        grace = number(str(options.get("gracePeriodSeconds", obj["spec"].get("terminationGracePeriodSeconds", 30))))
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
