"""A request for a resource, taken apart; and the parsing of paths into what the authorizer sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cockpit.rehearsal.kube import protobuf
from cockpit.rehearsal.kube.authz import ANONYMOUS, User
from cockpit.rehearsal.kube.errors import Cause, Obj, bad_options, bad_request, unsupported_media
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.negotiate import Form
from cockpit.rehearsal.kube.resources import Resource
from cockpit.rehearsal.kube.schema import TypeMismatch, decode
from cockpit.rehearsal.kube.selectors import Selector, parse

_MANAGER_BYTES = 128
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a resource, by an authorized user."""

    kind: Resource
    info: RequestInfo
    user: User = ANONYMOUS
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    media: str = "application/json"
    agent: str = ""
    form: Form = Form()  # noqa: RUF009 (frozen)

    @property
    def manager(self) -> str:
        """The field manager: as named in the query, else the program of the User-Agent."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0].partition(" ")[0] or "unknown"

    @property
    def selector(self) -> Selector:
        """The label and field selectors of the query."""
        return parse(self.kind.name, self.query.get("labelSelector", ""), self.query.get("fieldSelector", ""))

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be kept; KubeError 422 when the query does not say it properly."""
        return is_dry_run(self.query.get("dryRun", ""), self.options_kind)

    @property
    def options_kind(self) -> str:
        """The kind of the query's options, as refusals name it."""
        return f"{self.info.verb.capitalize()}Options"

    def check_manager(self) -> None:
        """KubeError 422 for a field manager that is too long."""
        if len(self.query.get("fieldManager", "")) > _MANAGER_BYTES:
            why = f"Too long: may not be more than {_MANAGER_BYTES} bytes"
            raise bad_options(self.options_kind, Cause("FieldValueTooLong", why, "fieldManager"))

    def document(self) -> Obj:
        """The body as an object; KubeError 400 or 415 when it is none."""
        if self.media == protobuf.MEDIA:
            return protobuf.decode(self.body)
        if self.media not in ("application/json", ""):
            raise unsupported_media(["application/json", protobuf.MEDIA])
        found = _decode(self.body)
        if not isinstance(found, dict):
            raise bad_request("the object provided is unrecognized (must be of type Object)")
        return found

    def shaped(self, kind: str) -> Obj:
        """The body as an object of this kind; KubeError 400 when a value has the wrong type."""
        try:
            return decode(kind, self.document())[0]
        except TypeMismatch as error:
            raise bad_request(f'{kind} in version "v1" cannot be handled as a {kind}: {error}') from None

    def options(self) -> Obj:
        """The DeleteOptions in the body, if any."""
        return self.shaped("DeleteOptions") if self.body.strip() else {}


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from None


def is_dry_run(value: str, options: str) -> bool:
    """Whether a dryRun parameter asks for a dry run; KubeError 422, naming these `options`, when it is neither empty nor All."""
    if value in ("", "All"):
        return value == "All"
    cause = Cause("FieldValueNotSupported", f'Unsupported value: ["{value}"]: supported values: "All"', "dryRun")
    raise bad_options(options, cause)


def request_info(method: str, path: str, query: Mapping[str, str], user: str) -> RequestInfo:
    """What a request is about, from its method and path."""
    verb = _VERBS.get(method, method.lower())
    parts = [p for p in path.split("/") if p]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo({"create": "post", "update": "put"}.get(verb, verb), path, user, query=query)
    namespace, rest = _scope(rest)
    resource, name, subresource = (*rest, "", "", "")[:3]
    if verb == "get" and not name:
        verb = "watch" if query.get("watch", "").lower() in ("1", "true") else "list"
        name = _named(query.get("fieldSelector", ""))
    elif verb == "delete" and not name:
        verb = "deletecollection"
    dry_run = query.get("dryRun", "") == "All"
    return RequestInfo(verb, path, user, group, version, resource, subresource, namespace, name, dry_run, query)


def _scope(rest: list[str]) -> tuple[str, list[str]]:
    """The namespace of a path and what follows it; a namespace itself counts as inside of itself."""
    if rest[0] != "namespaces" or len(rest) == 1:
        return "", rest
    if len(rest) == 2 or rest[2] in ("status", "finalize"):
        return rest[1], rest
    return rest[1], rest[2:]


def _named(fields: str) -> str:
    """The name that a field selector pins, as the authorizer takes it into account."""
    for part in fields.split(","):
        key, _, value = part.partition("=")
        if key == "metadata.name":
            return value.lstrip("=")
    return ""
