"""Which of its forms a client wants an object in (the Accept header), and the bytes of that form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from cockpit.rehearsal.kube.errors import Obj, bad_request, not_acceptable
from cockpit.rehearsal.kube.events import to_events_v1
from cockpit.rehearsal.kube.history import Held
from cockpit.rehearsal.kube.resources import EVENTS_V1, Resource
from cockpit.rehearsal.kube.table import partial, table

encode = msgspec.json.Encoder().encode


class As(StrEnum):
    """The forms of an object."""

    PLAIN = ""
    TABLE = "Table"
    PARTIAL = "PartialObjectMetadata"
    PARTIAL_LIST = "PartialObjectMetadataList"


_INCLUDES = ("", "Metadata", "Object", "None")
_NAMES = frozenset(a.value for a in As if a.value)


@dataclass(frozen=True, slots=True)
class Form:
    """A form with the version of meta.k8s.io it is written in; `include` is the query's includeObject for tables."""

    kind: As = As.PLAIN
    version: str = "v1"
    include: str = ""


def negotiate(accept: str, include: str = "") -> Form:
    """The first form in an Accept header that can be sent; KubeError 406 when there is none."""
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        options = dict(p.split("=", 1) for p in parameters if "=" in p)
        if media not in ("application/json", "*/*", "application/*", ""):
            continue
        if "as" not in options:
            return Form()
        known = options["as"] in _NAMES and options.get("g") == "meta.k8s.io" and options.get("v") in ("v1", "v1beta1")
        if known:
            if options["as"] == As.TABLE and include not in _INCLUDES:
                why = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
                raise bad_request(f"Unable to convert to Table as requested: includeObject: {why}")
            return Form(As(options["as"]), options["v"], include)
    raise not_acceptable(["application/json"])


def _as_served(kind: Resource, obj: Obj) -> Obj:
    return to_events_v1(obj) if kind is EVENTS_V1 else obj


def one(kind: Resource, version: Held, form: Form, now: datetime, *, header: bool = True) -> bytes:
    """One object in this form; `header`: a Table with its columns."""
    if form.kind is As.TABLE:
        meta = {"resourceVersion": str(version.number)}
        return encode(table(kind.name, [version.obj], now, meta=meta, version=form.version, include=form.include, header=header))
    if form.kind in (As.PARTIAL, As.PARTIAL_LIST):
        return encode(partial(version.obj, form.version))
    return encode(to_events_v1(version.obj)) if kind is EVENTS_V1 else version.full()


def many(kind: Resource, versions: Sequence[Held], form: Form, now: datetime, meta: Obj) -> bytes:
    """A list of objects in this form; plain lists are joined from bytes that were encoded before."""
    if form.kind is As.TABLE:
        objects = (_as_served(kind, v.obj) if form.include == "Object" and kind is EVENTS_V1 else v.obj for v in versions)
        return encode(table(kind.name, objects, now, meta=meta, version=form.version, include=form.include))
    if form.kind in (As.PARTIAL, As.PARTIAL_LIST):
        items = [partial(v.obj, form.version) for v in versions]
        head = {"kind": As.PARTIAL_LIST.value, "apiVersion": f"meta.k8s.io/{form.version}", "metadata": meta}
        return encode({**head, "items": items})
    head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta}
    if kind is EVENTS_V1:
        items = [{k: v for k, v in to_events_v1(e.obj).items() if k not in ("kind", "apiVersion")} for e in versions]
        return encode({**head, "items": items})
    return encode(head)[:-1] + b',"items":[' + b",".join(v.body for v in versions) + b"]}"
