"""Lists: selectors, pages bound to a resource version, and the words for tokens that are too old."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from itertools import islice

import msgspec

from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.causes import forbidden, unsupported
from cockpit.rehearsal.kube.errors import KubeError, Obj, bad_options, bad_request, expired
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
        """As `metadata.continue` carries it."""
        return base64.urlsafe_b64encode(encode(self)).decode().rstrip("=")


def _parse_token(text: str) -> _Token:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Token)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from None


def number(text: str) -> int:
    """A number of the query; KubeError 400 when it is none."""
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def version(text: str) -> int:
    """A resource version of the query, 0 for none; KubeError 400 when it is no number."""
    if text and not text.isdecimal():
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise bad_request(f"invalid resource version: {why}")
    return int(text or "0")


def bare_version(text: str) -> int:
    """As `version`, for a GET of one object and for watches: there a real server takes the fault for its own (500)."""
    try:
        return version(text)
    except KubeError as error:
        raise KubeError(500, "", error.message.removeprefix("invalid resource version: ")) from None


def too_large(wanted: int, current: int) -> KubeError:
    """504: a resource version that has not been reached yet."""
    text = f"Too large resource version: {wanted}, current: {current}"
    details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    return KubeError(504, "Timeout", f"Timeout: {text}", details=details, retry_after=1)


def list_objects(storage: Storage, call: Call) -> bytes:
    """The list that is asked for, in the form that is asked for."""
    versions, meta = page(storage, call)
    return many(call.kind, versions, call.form, storage.clock.now(), meta)


def page(storage: Storage, call: Call) -> tuple[list[Version], Obj]:
    """The objects of one page and the list's metadata."""
    _check_match(call.query)
    limit = max(0, number(call.query.get("limit", "0") or "0"))
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


def _check_match(query: Mapping[str, str]) -> None:
    """KubeError 422 for a resourceVersionMatch that does not go with the rest of the query."""
    match, at = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    why = ""
    if match and query.get("continue"):
        why = "resourceVersionMatch is forbidden when continue is provided"
    elif match and not at:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
    elif match == "Exact" and at == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    if why:
        raise bad_options("ListOptions", forbidden("resourceVersionMatch", why))
    if match not in ("", "Exact", "NotOlderThan"):
        raise bad_options("ListOptions", unsupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]))


def _moment(storage: Storage, call: Call, token: _Token | None, limit: int) -> tuple[int, int]:
    """The resource version to list at, and the limit that counts (`resourceVersion=0` is served whole)."""
    text, match = call.query.get("resourceVersion", ""), call.query.get("resourceVersionMatch", "")
    if token is not None:
        if text not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        return storage.resource_version if token.rv == _INCONSISTENT else token.rv, limit
    wanted = version(text)
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
            raise expired("The resourceVersion for the provided list is too old.") from None
        error = expired(_TOO_OLD)
        error.continue_token = _Token(_INCONSISTENT, token.start).text()
        raise error from None
