"""The JSON Patch of the affinity lever, applied by a library that the lever does not use."""

from __future__ import annotations

import json

import pytest

from cockpit.errors import Impossible, Unreachable
from cockpit.levers.affinity_patch import OURS, RUN, Live, Part, guard, operations
from cockpit.model.cluster import Deployment
from cockpit.model.json import Json
from cockpit.rules.original import ORIGINAL, original
from tests.unit.levers.wire import FOREIGN, body, send


def test_a_patch_with_everything_present_tests_affinity_and_annotations() -> None:
    before = Part({"a": 1}, {ORIGINAL: "null", RUN: "one"})
    patch = operations("u-1", before, Part({"a": 2}, {ORIGINAL: "null", RUN: "two"}), bare=False)
    assert patch == [
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/spec/template/spec/affinity", "value": {"a": 1}},
        {"op": "test", "path": "/metadata/annotations/cutover-cockpit.dev~1original-affinity", "value": "null"},
        {"op": "test", "path": "/metadata/annotations/cutover-cockpit.dev~1run", "value": "one"},
        {"op": "replace", "path": "/spec/template/spec/affinity", "value": {"a": 2}},
        {"op": "replace", "path": "/metadata/annotations/cutover-cockpit.dev~1run", "value": "two"},
    ]


@pytest.mark.parametrize(
    ("affinity", "annotations", "guarded"),
    [
        (None, {FOREIGN: "1", ORIGINAL: "null"}, True),
        ({"a": 1}, None, True),
        ({"a": 1}, {FOREIGN: "1"}, True),
        ({"a": 1}, {FOREIGN: "1", ORIGINAL: "null"}, False),
        ({"a": 1}, {ORIGINAL: "null"}, False),
    ],
)
def test_the_version_is_tested_only_where_something_must_be_absent(
    affinity: Json, annotations: dict[str, str] | None, guarded: bool
) -> None:
    live = Live.parse(json.dumps(body(affinity, annotations)).encode())
    found = guard(live, Part({"a": 2}, {ORIGINAL: "null", RUN: "one"}))
    assert found == ([{"op": "test", "path": "/metadata/resourceVersion", "value": "7"}] if guarded else [])


def test_no_patch_ever_tests_for_null() -> None:
    for found in (None, {FOREIGN: "1"}):
        _, patch = send(body(None, found), Part({"a": 1}, {ORIGINAL: "null", RUN: "one"}))
        assert all(op["value"] is not None for op in patch if op["op"] == "test")


@pytest.mark.parametrize("damaged", ["{", "3", "[]", '"text"', "[" * 100_000])
def test_a_damaged_record_is_refused_with_a_way_out(damaged: str) -> None:
    with pytest.raises(Impossible, match="kubectl edit") as refusal:
        original(Deployment("shop", "web", "u-1", "7", 1, 1, 1, 1, 1, 1, 1, annotations={ORIGINAL: damaged}))
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"metadata": '])
def test_an_answer_that_is_no_json_says_so(raw: bytes) -> None:
    with pytest.raises(Unreachable, match="no Deployment"):
        Live.parse(raw)


def test_an_answer_without_any_of_the_fields_is_empty_rather_than_a_crash() -> None:
    for raw in (b"[]", b"null", b'{"metadata": [], "spec": {"template": 1}}', b'{"metadata": {"annotations": 3}}'):
        assert Live.parse(raw).part == Part(None)


def test_the_last_other_writer_of_the_affinity_is_named() -> None:
    owned: Json = {"f:spec": {"f:template": {"f:spec": {"f:affinity": {}}}}}
    world = body({"a": 1}, None)
    world["metadata"]["managedFields"] = [
        {"manager": "argocd", "time": "2026-01-02T00:00:00Z", "fieldsV1": owned},
        {"manager": "helm", "time": "2026-01-01T00:00:00Z", "fieldsV1": owned},
        {"manager": "kube-controller-manager", "time": "2026-01-09T00:00:00Z", "fieldsV1": {"f:status": {}}},
        {"manager": "cutover-cockpit", "time": "2026-01-08T00:00:00Z", "fieldsV1": owned},
    ]
    assert Live.parse(json.dumps(world).encode()).owner == "argocd"


def test_only_its_own_annotations_are_its_part() -> None:
    assert Part.of(None, {FOREIGN: "1", RUN: "r"}).annotations == {RUN: "r"}
    assert set(OURS) == {ORIGINAL, RUN}
