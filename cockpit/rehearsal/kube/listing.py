"""Lists: selectors, pages bound to a resource version, and the words for tokens that are too old."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import merge
from itertools import islice

import msgspec

from cockpit.rehearsal.kube.bulk import Bulk
from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.causes import forbidden, unsupported
from cockpit.rehearsal.kube.errors import KubeError, Obj, bad_options, bad_request, expired
from cockpit.rehearsal.kube.history import Held, Version
from cockpit.rehearsal.kube.negotiate import encode
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


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list is made of: its objects in order, as of `at`. `total` counts those that are left, whatever is selected."""

    objects: Iterator[Held]
    total: int
    at: int
    limit: int
    """0: all of them."""

    @property
    def meta(self) -> Obj:
        """The metadata of a list of all of them."""
        return {"resourceVersion": str(self.at)}


def opened(storage: Storage, call: Call, *, own: bool = False) -> Listing:
    """The list that is asked for. `own`: only of what the storage holds itself."""
    _check_match(call.query)
    limit = max(0, number(call.query.get("limit", "0") or "0"))
    token = _parse_token(call.query["continue"]) if call.query.get("continue") else None
    at, limit = _moment(storage, call, token, limit)
    versions = _versions(storage, call, at, token)
    after = token.start if token is not None else None
    if after is not None:
        versions = [v for v in versions if v.key > after]
    selector = call.selector
    objects: Iterator[Held] = iter(versions) if selector.empty else (v for v in versions if selector.matches(v.obj))
    bulk, total = storage.bulk.get(call.kind.name), len(versions)
    if bulk is not None and not own:
        objects = merge(objects, _more(bulk, call, at, token), key=lambda held: held.key)
        total += bulk.left(at, call.info.namespace, after) if limit and selector.empty else 0
    return Listing(objects, total, at, limit)


def page(listing: Listing, *, selected: bool) -> tuple[list[Held], Obj]:
    """The objects of one page and the list's metadata; `selected`: there was a selector, and nobody knows how many are left."""
    meta = listing.meta
    if not listing.limit:
        return list(listing.objects), meta
    found = list(islice(listing.objects, listing.limit + 1))
    if len(found) > listing.limit:
        found.pop()
        meta["continue"] = _Token(listing.at, found[-1].key).text()
        if not selected:
            meta["remainingItemCount"] = listing.total - listing.limit
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
    with _told_apart(token):
        return storage.versions(call.kind.name, call.info.namespace or None, at)


def _more(bulk: Bulk, call: Call, at: int, token: _Token | None) -> Iterator[Held]:
    with _told_apart(token):
        return bulk.list(at, bulk.choose(call.info.namespace, call.selector), token.start if token is not None else None)


@contextmanager
def _told_apart(token: _Token | None) -> Iterator[None]:
    """A version that is forgotten, in the words for a list that begins and for one that goes on."""
    try:
        yield
    except KubeError:
        if token is None:
            raise expired("The resourceVersion for the provided list is too old.") from None
        error = expired(_TOO_OLD)
        error.continue_token = _Token(_INCONSISTENT, token.start).text()
        raise error from None
