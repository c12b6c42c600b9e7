"""Lists: selectors, pages bound to a resource version, and the words for tokens that are too old."""

from __future__ import annotations

import base64
import binascii
from itertools import islice

import msgspec

from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.errors import KubeError, Obj, bad_request, expired
from cockpit.rehearsal.kube.history import Version
from cockpit.rehearsal.kube.negotiate import encode, many
from cockpit.rehearsal.kube.storage import Storage

_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with "
    "the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
_INCONSISTENT = -1


class _Token(msgspec.Struct, frozen=True):
    """Where a list goes on: after `start` (namespace, name), as of resource version `rv` (-1: as of now)."""

    rv: int
    start: tuple[str, str]

    def text(self) -> str:
        return base64.urlsafe_b64encode(encode(self)).decode().rstrip("=")


def _parse_token(text: str) -> _Token:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Token)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise bad_request(f"continue key is not valid: {error}") from None


def number(text: str, name: str) -> int:
    """A number of the query; KubeError 400 when it is none."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise bad_request(f'invalid {name}: "{text}": must be a non-negative integer')
    return value


def too_large(wanted: int, current: int) -> KubeError:
    """504: a resource version that has not been reached yet."""
    text = f"Too large resource version: {wanted}, current: {current}"
    details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1}
    return KubeError(504, "Timeout", f"Timeout: {text}", details=details)


def list_objects(storage: Storage, call: Call) -> bytes:
    """The list that is asked for, in the form that is asked for."""
    versions, meta = page(storage, call)
    return many(call.kind, versions, call.form, storage.clock.now(), meta)


def page(storage: Storage, call: Call) -> tuple[list[Version], Obj]:
    """The objects of one page and the list's metadata."""
    limit = number(call.query.get("limit", "0") or "0", "limit")
    token = _parse_token(call.query["continue"]) if call.query.get("continue") else None
    at, limit = _moment(storage, call, token, limit)
    versions = _versions(storage, call, at, token)
    if token is not None:
        versions = [v for v in versions if v.key > token.start]
    selector = call.selector
    chosen = iter(versions) if selector.empty else (v for v in versions if selector.matches(v.obj))
    if not limit:
        return list(chosen), {"resourceVersion": str(at)}
    found = list(islice(chosen, limit + 1))
    meta: Obj = {"resourceVersion": str(at)}
    if len(found) > limit:
        found.pop()
        meta["continue"] = _Token(at, found[-1].key).text()
        if selector.empty:
            meta["remainingItemCount"] = len(versions) - limit
    return found, meta


def _moment(storage: Storage, call: Call, token: _Token | None, limit: int) -> tuple[int, int]:
    """The resource version to list at, and the limit that counts (`resourceVersion=0` is served whole)."""
    text, match = call.query.get("resourceVersion", ""), call.query.get("resourceVersionMatch", "")
    if token is not None:
        if text not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        return storage.resource_version if token.rv == _INCONSISTENT else token.rv, limit
    wanted = number(text, "resourceVersion") if text else 0
    if wanted > storage.resource_version:
        raise too_large(wanted, storage.resource_version)
    if text == "0" and match != "Exact":
        return storage.resource_version, 0
    exact = match == "Exact" or (match == "" and limit and wanted)
    return wanted if exact else storage.resource_version, limit


def _versions(storage: Storage, call: Call, at: int, token: _Token | None) -> list[Version]:
    try:
        return storage.versions(call.kind.name, call.info.namespace or None, at)
    except KubeError:
        if token is None:
            raise expired(f"The resourceVersion for the provided list is too old: {at}") from None
        error = expired(_TOO_OLD)
        error.continue_token = _Token(_INCONSISTENT, token.start).text()
        raise error from None
