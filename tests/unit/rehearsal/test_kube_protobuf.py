from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.rehearsal.kube import protobuf
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.openapi import v2
from cockpit.rehearsal.kube.openapi_proto import v2_protobuf


def _text(field: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return bytes([field << 3 | 2, len(data)]) + data


def _body(kind: str, message: bytes) -> bytes:
    return b"k8s\x00" + _text(1, _text(1, "v1") + _text(2, kind)) + _text(2, message) + _text(3, "") + _text(4, "")


def test_a_review_is_read() -> None:
    attributes = _text(1, "payments") + _text(2, "patch") + _text(3, "apps") + _text(5, "deployments") + _text(7, "")
    read = protobuf.decode(_body("SelfSubjectAccessReview", _text(1, b"") + _text(2, _text(1, attributes))))
    wanted = {"namespace": "payments", "verb": "patch", "group": "apps", "resource": "deployments"}
    assert (read["kind"], read["spec"]) == ("SelfSubjectAccessReview", {"resourceAttributes": wanted})


def test_maps_lists_and_numbers_are_read() -> None:
    config = (
        _text(1, _text(1, "cm"))
        + _text(2, _text(1, "k") + _text(2, "v"))
        + _text(3, _text(1, "b") + _text(2, b"\xff"))
        + b"\x20\x01"
    )
    read = protobuf.decode(_body("ConfigMap", config))
    assert read == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cm"},
        "data": {"k": "v"},
        "binaryData": {"b": "/w=="},
        "immutable": True,
    }
    eviction = protobuf.decode(_body("Eviction", _text(2, b"\x08\x1e" + _text(5, "All"))))
    assert eviction["deleteOptions"] == {"gracePeriodSeconds": 30, "dryRun": ["All"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{}", 400), (b"k8s\x00\x0a\xff", 400), (_body("Deployment", b""), 415), (_body("ConfigMap", b"\x0a\x09x"), 400)],
)
def test_what_cannot_be_read(body: bytes, code: int) -> None:
    with pytest.raises(KubeError) as refused:
        protobuf.decode(body)
    assert refused.value.code == code


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + value]
            at += value
        else:
            yield tag >> 3, value


def test_the_swagger_document_says_that_deployments_can_be_dry_run() -> None:
    document = dict(_fields(v2_protobuf()))
    assert document[1] == b"2.0"
    paths = [dict(_fields(path)) for _, path in _fields(document[8])]
    items = {p[1].decode(): dict(_fields(p[2])) for p in paths}
    assert set(items) == set(v2()["paths"])
    patch = list(_fields(items["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"][8]))
    queries = [dict(_fields(dict(_fields(dict(_fields(dict(_fields(v))[1]))[2]))[3])) for n, v in patch if n == 8]
    assert b"dryRun" in [q[4] for q in queries]
    extensions = [dict(_fields(v)) for n, v in patch if n == 13]
    assert dict(_fields(extensions[0][2]))[2] == b'{"group":"apps","kind":"Deployment","version":"v1"}'
