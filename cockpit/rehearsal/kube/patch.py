"""The three patch types: JSON Patch (RFC 6902), JSON merge patch (RFC 7386), strategic merge patch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jsonpatch
import msgspec

from cockpit.rehearsal.kube.errors import Obj, bad_request, unprocessable, unsupported_patch
from cockpit.rehearsal.kube.strategic import merge

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
ACCEPTED = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH]


def check_media(media: str) -> None:
    """KubeError 415 for a type of patch that is not known here."""
    if media not in ACCEPTED:
        raise unsupported_patch()


def apply_patch(kind: str, old: Obj, media: str, body: bytes) -> Obj:
    """A patched copy of `old`; KubeError 400 for a malformed patch, 422 for one that does not apply, 415 for other types."""
    appliers: dict[str, Callable[[], Any]] = {
        JSON_PATCH: lambda: json_patch(old, _operations(body)),
        MERGE_PATCH: lambda: merge_patch(old, _document(body)),
        STRATEGIC_PATCH: lambda: merge(kind, old, _document(body)),
    }
    check_media(media)
    try:
        patched = appliers[media]()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise bad_request(f"unable to apply the patch: {error}") from None
    if not isinstance(patched, dict) or not isinstance(patched.get("metadata"), dict):
        raise unprocessable()
    return patched


def _parse(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from None


def _operations(body: bytes) -> Any:
    found = _parse(body)
    return [] if found is None else found


def _document(body: bytes) -> Obj:
    patch = _parse(body)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")
    return patch


def json_patch(old: Obj, operations: Any) -> Any:
    """`old` after these operations; the order and atomicity of RFC 6902, the absent-equals-null `test` of the Go library."""
    if not isinstance(operations, list) or not all(isinstance(op, dict) for op in operations):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")
    document: Any = copy.deepcopy(old)
    for operation in operations:
        if not _tests_absence(document, operation):
            try:
                document = jsonpatch.JsonPatch([_as_go_reads(document, operation)]).apply(document, in_place=True)
            except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, KeyError, TypeError, ValueError):
                raise unprocessable() from None
    return document


def _tests_absence(document: Any, operation: Obj) -> bool:
    """Whether this is `test ... null` on a member that is not there while its parent is: that holds for the real server."""
    return operation.get("op") == "test" and operation.get("value") is None and _absent(document, operation)


def _as_go_reads(document: Any, operation: Obj) -> Obj:
    """`replace` of a member that is not there while its parent is: the Go library adds it."""
    adds = operation.get("op") == "replace" and _absent(document, operation)
    return {**operation, "op": "add"} if adds else operation


def _absent(document: Any, operation: Obj) -> bool:
    """Whether the path is of a member that is not there, while its parent is."""
    if not isinstance(operation.get("path"), str):
        return False
    try:
        parent, last = jsonpatch.JsonPointer(operation["path"]).to_last(document)
    except jsonpatch.JsonPointerException:
        return False
    return isinstance(parent, dict) and last not in parent


def merge_patch(old: Any, patch: Any) -> Any:
    """`old` with a JSON merge patch applied: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    out = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge_patch(out.get(name), value)
    return out
