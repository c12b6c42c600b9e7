"""The Swagger document as protobuf (gnostic's openapi.v2.Document), the only form in which kubectl before 1.27 reads it.

Field numbers are those of gnostic's OpenAPIv2.proto; only the fields that `openapi.v2` fills are written.
"""

from __future__ import annotations

from functools import cache

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.negotiate import encode
from cockpit.rehearsal.kube.openapi import GVK, v2

MEDIA = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
MEDIA_OLD = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_VERBS = {"put": 3, "delete": 5, "patch": 8}


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _true(field: int) -> bytes:
    return _varint(field << 3) + b"\x01"


def _named(field: int, name: str, value: bytes) -> bytes:
    return _bytes(field, _bytes(1, name) + _bytes(2, value))


def _extension(field: int, name: str, value: object) -> bytes:
    """A vendor extension: an Any that holds YAML (JSON is YAML)."""
    return _named(field, name, _bytes(2, encode(value)))


def _schema(schema: Obj) -> bytes:
    out = b""
    if "$ref" in schema:
        return _bytes(1, schema["$ref"])
    if "format" in schema:
        out += _bytes(2, schema["format"])
    if "description" in schema:
        out += _bytes(4, schema["description"])
    if "additionalProperties" in schema:
        out += _bytes(21, _bytes(1, _schema(schema["additionalProperties"])))
    if "type" in schema:
        out += _bytes(22, _bytes(1, schema["type"]))
    if "items" in schema:
        out += _bytes(23, _bytes(1, _schema(schema["items"])))
    if schema.get("properties"):
        out += _bytes(25, b"".join(_named(1, name, _schema(inner)) for name, inner in schema["properties"].items()))
    if GVK in schema:
        out += _extension(31, GVK, schema[GVK])
    return out


def _parameter(parameter: Obj) -> bytes:
    """A ParametersItem holding a query parameter."""
    query = _bytes(2, "query") + _bytes(4, parameter["name"]) + _bytes(6, parameter["type"]) + _true(20)
    return _bytes(1, _bytes(2, _bytes(3, query)))


def _operation(operation: Obj) -> bytes:
    out = b"".join(_bytes(8, _parameter(p)) for p in operation["parameters"])
    out += _bytes(9, b"".join(_named(1, code, _bytes(1, _bytes(1, "OK"))) for code in operation["responses"]))
    return out + _extension(13, GVK, operation[GVK])


@cache
def v2_protobuf() -> bytes:
    """The document of `openapi.v2` as protobuf."""
    document = v2()
    info = _bytes(1, document["info"]["title"]) + _bytes(2, document["info"]["version"])
    paths = b"".join(
        _named(2, path, b"".join(_bytes(_VERBS[verb], _operation(op)) for verb, op in item.items()))
        for path, item in document["paths"].items()
    )
    definitions = b"".join(_named(1, name, _schema(schema)) for name, schema in document["definitions"].items())
    return _bytes(1, document["swagger"]) + _bytes(2, info) + _bytes(8, paths) + _bytes(9, definitions)
