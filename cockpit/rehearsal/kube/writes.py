"""Creation, update, patch and deletion with the rules of a real registry: isolation of status, preconditions, dry run."""

from __future__ import annotations

from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.causes import wrong
from cockpit.rehearsal.kube.defaults import fill
from cockpit.rehearsal.kube.errors import Cause, KubeError, Obj, bad_request, invalid, not_found
from cockpit.rehearsal.kube.events import to_core, to_events_v1
from cockpit.rehearsal.kube.managed import manage
from cockpit.rehearsal.kube.negotiate import encode
from cockpit.rehearsal.kube.patch import apply_patch, check_media
from cockpit.rehearsal.kube.resources import EVENTS_V1, Resource, stored
from cockpit.rehearsal.kube.schema import TypeMismatch, decode
from cockpit.rehearsal.kube.storage import Storage, timestamp
from cockpit.rehearsal.kube.validation import validate

_UPSERTED = ("leases", "events", "endpoints")
"""Kinds that a PUT may create."""
_SERVER_OWNED = ("deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def typed(kind: Resource, obj: Obj, strict: str = "") -> Obj:
    """`obj` as this kind, in its stored shape; KubeError 400 when it is not of the kind or has a value of a wrong type."""
    if kind is EVENTS_V1:
        obj = to_core(obj)
        kind = stored("events")
    given = obj.get("apiVersion", kind.api_version), obj.get("kind", kind.kind)
    if given != (kind.api_version, kind.kind):
        text = f"the API version in the data ({given[0]}) does not match the expected API version ({kind.api_version})"
        raise bad_request(text if given[0] != kind.api_version else _not_registered(kind, given[1]))
    try:
        clean, unknown = decode(kind.kind, {**obj, "apiVersion": kind.api_version, "kind": kind.kind})
    except TypeMismatch as error:
        text = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
        raise bad_request(text) from None
    if unknown and strict == "Strict":
        listed = ", ".join(f'unknown field "{path}"' for path in unknown)
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: strict decoding error: {listed}'
        )
    clean.setdefault("metadata", {})
    return clean


def _not_registered(kind: Resource, given: str) -> str:
    why = f'no kind "{given}" is registered for version "{kind.api_version}" in scheme "pkg/runtime/scheme.go:111"'
    return f'{given} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}'


def _now(storage: Storage) -> str:
    return timestamp(storage.clock.now())


def create(storage: Storage, call: Call) -> Obj:
    """POST of a new object."""
    obj = typed(call.kind, call.document(), call.query.get("fieldValidation", ""))
    return create_object(storage, call, obj)


def create_object(storage: Storage, call: Call, obj: Obj) -> Obj:
    """Store a new object of the right type for this call."""
    kind, namespace = stored(call.kind.name), call.info.namespace if call.kind.namespaced else ""
    meta = {k: v for k, v in obj["metadata"].items() if k not in ("uid", "creationTimestamp", "deletionTimestamp", "generation")}
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    if namespace:
        if meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if storage.find("namespaces", None, namespace) is None:
            raise not_found("namespaces", "", namespace)
    if not meta.get("name") and not meta.get("generateName"):
        raise invalid(
            kind.kind,
            kind.group,
            "",
            [Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")],
        )
    if not meta.get("name"):
        meta["name"] = meta["generateName"] + storage.suffix(5)
    new = fill(kind.name, {**obj, "metadata": meta})
    if "status" in kind.subresources and kind.name != "namespaces":
        new = {**new, "status": {"phase": "Pending"} if kind.name == "pods" else {}}
    validate(kind, new)
    return storage.create(kind.name, manage(None, new, call.manager, "", _now(storage)), dry_run=call.dry_run)


def _existing(storage: Storage, call: Call) -> Obj:
    return storage.get(call.kind.name, call.info.namespace or None, call.info.name)


def _same_name(name: str, url: str) -> None:
    if name != url:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({url})")


def update(storage: Storage, call: Call) -> tuple[Obj, bool]:
    """PUT of a whole object; tells whether it was created."""
    obj = typed(call.kind, call.document(), call.query.get("fieldValidation", ""))
    name = obj["metadata"].get("name", "")
    if not name:
        raise bad_request("the name of the object ( based on URL) was undeterminable: name must be provided")
    _same_name(name, call.info.name)
    old = storage.find(call.kind.name, call.info.namespace or None, call.info.name)
    if old is None and call.kind.name in _UPSERTED and not obj["metadata"].get("uid"):
        return create_object(storage, call, obj), True
    if old is None:
        raise not_found(call.kind.name, call.kind.group, name)
    if call.kind.name == "leases" and not obj["metadata"].get("resourceVersion"):
        cause = Cause("FieldValueInvalid", "Invalid value: 0: must be specified for an update", "metadata.resourceVersion")
        raise invalid("leases", call.kind.group, name, [cause])
    return replace(storage, call, old, obj), False


def patch(storage: Storage, call: Call) -> Obj:
    """PATCH in one of the three types."""
    check_media(call.media)
    old = _existing(storage, call)
    shown = to_events_v1(old) if call.kind is EVENTS_V1 else old
    patched = apply_patch(call.kind.kind, shown, call.media, call.body)
    _same_name(patched.get("metadata", {}).get("name", ""), call.info.name)
    try:
        obj = typed(call.kind, patched, call.query.get("fieldValidation", ""))
    except KubeError as error:
        why = _decoding_fault(error.message)
        if not why:
            raise
        raise invalid("", "", "", [wrong("patch", encode(patched).decode(), why)]) from None
    _same_uid(call.kind, old, obj)
    return replace(storage, call, old, obj)


def _decoding_fault(message: str) -> str:
    """The part of a 400 for which a patch gets a 422: what the patch made is at fault, and not the request."""
    marks = (
        "json: cannot unmarshal",
        "strict decoding error:",
        "parsing time",
        "quantities must match",
        "unable to parse quantity",
        'no kind "',
    )
    starts = [message.index(mark) for mark in marks if mark in message]
    return message[min(starts) :] if starts else ""


def _same_uid(kind: Resource, old: Obj, new: Obj) -> None:
    uid = new["metadata"].get("uid")
    if uid and uid != old["metadata"]["uid"]:
        cause = wrong("metadata.uid", uid, "field is immutable")
        raise invalid(kind.kind, kind.group, old["metadata"]["name"], [cause])


def replace(storage: Storage, call: Call, old: Obj, obj: Obj) -> Obj:
    """Store `obj` in place of `old`, keeping apart what this (sub)resource may change."""
    kind, sub = stored(call.kind.name), call.info.subresource
    given = obj["metadata"]
    if kind.namespaced and given.setdefault("namespace", old["metadata"]["namespace"]) != old["metadata"]["namespace"]:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    for name in _SERVER_OWNED:
        given.pop(name, None)
    if sub == "status":
        meta = {**given, "labels": old["metadata"].get("labels") or {}} if kind.generation else given
        obj = {**old, "metadata": {k: v for k, v in meta.items() if v != {}}, "status": obj.get("status")}
    elif "status" in kind.subresources:
        obj = {**obj, "status": old.get("status")}
    if sub != "status":
        obj = fill(kind.name, obj)
        validate(kind, obj, old)
    if obj.get("status") is None:
        obj = {k: v for k, v in obj.items() if k != "status"}
    # As the real registry: the strategies of the other kinds look at the spec only.
    noted = kind.name == "deployments" and sub != "status"
    annotated = noted and (given.get("annotations") or {}) != (old["metadata"].get("annotations") or {})
    managed = manage(old, obj, call.manager, sub, _now(storage))
    written = storage.update(kind.name, managed, dry_run=call.dry_run, annotated=annotated)
    if not call.dry_run and _released(old, written):
        storage.delete(kind.name, given.get("namespace"), given["name"])
    return written


def _released(old: Obj, new: Obj) -> bool:
    """Whether a terminating object has just lost its last finalizer."""
    held = new["metadata"]
    return bool(held.get("deletionTimestamp") and old["metadata"].get("finalizers") and not held.get("finalizers"))
