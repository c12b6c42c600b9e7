"""Bodies that kubectl 1.32 and newer sends as protobuf: reviews, evictions, and the objects that `kubectl create` makes.

Numbers and names are those of the generated.proto files of k8s.io/api and k8s.io/apimachinery.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from cockpit.rehearsal.kube.errors import Obj, bad_request, unsupported_media

MEDIA = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_META = {
    1: ("name", "str"),
    2: ("generateName", "str"),
    3: ("namespace", "str"),
    5: ("uid", "str"),
    6: ("resourceVersion", "str"),
    11: ("labels", "{str}"),
    12: ("annotations", "{str}"),
    14: ("finalizers", "[str]"),
}
_ATTRIBUTES = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "ObjectMeta": _META,
    "Namespace": {1: ("metadata", "ObjectMeta")},
    "ConfigMap": {
        1: ("metadata", "ObjectMeta"),
        2: ("data", "{str}"),
        3: ("binaryData", "{bytes}"),
        4: ("immutable", "bool"),
    },
    "ServiceAccount": {1: ("metadata", "ObjectMeta")},
    "SelfSubjectAccessReview": {1: ("metadata", "ObjectMeta"), 2: ("spec", "AccessSpec")},
    "AccessSpec": {1: ("resourceAttributes", "ResourceAttributes"), 2: ("nonResourceAttributes", "NonResourceAttributes")},
    "ResourceAttributes": {i + 1: (name, "str") for i, name in enumerate(_ATTRIBUTES)},
    "NonResourceAttributes": {1: ("path", "str"), 2: ("verb", "str")},
    "SelfSubjectRulesReview": {1: ("metadata", "ObjectMeta"), 2: ("spec", "RulesSpec")},
    "RulesSpec": {1: ("namespace", "str")},
    "SelfSubjectReview": {1: ("metadata", "ObjectMeta")},
    "Eviction": {1: ("metadata", "ObjectMeta"), 2: ("deleteOptions", "DeleteOptions")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "int"),
        2: ("preconditions", "Preconditions"),
        4: ("propagationPolicy", "str"),
        5: ("dryRun", "[str]"),
    },
    "Preconditions": {1: ("uid", "str"), 2: ("resourceVersion", "str")},
}


def decode(body: bytes) -> Obj:
    """The object in a protobuf body; KubeError 415 for a kind that is only read as JSON here, 400 for a broken body."""
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        names = {number: value.decode() for number, value in _fields(envelope[1])}
        kind = names.get(2, "")
        if kind not in _MESSAGES:
            raise unsupported_media(["application/json"])
        return {"apiVersion": names.get(1, ""), "kind": kind, **_message(kind, envelope.get(2, b""))}
    except (IndexError, KeyError, ValueError, AttributeError):
        raise bad_request("the protobuf message cannot be read") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, integer or bytes) of a message; fixed-width fields do not occur in these types."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("truncated")
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            raise ValueError("wire type")


def _message(kind: str, data: bytes) -> Obj:
    known = _MESSAGES[kind]
    out: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in known:
            continue
        name, expression = known[number]
        if expression.startswith("{"):
            entry = dict(_fields(value))
            out.setdefault(name, {})[entry[1].decode()] = _scalar(expression[1:-1], entry.get(2, b""))
        elif expression.startswith("["):
            out.setdefault(name, []).append(value.decode())
        else:
            out[name] = _message(expression, value) if expression in _MESSAGES else _scalar(expression, value)
    return {k: v for k, v in out.items() if v != ""}


def _scalar(expression: str, value: Any) -> Any:
    if expression == "bytes":
        return base64.b64encode(value).decode()
    if expression == "str":
        return value.decode()
    return bool(value) if expression == "bool" else value
