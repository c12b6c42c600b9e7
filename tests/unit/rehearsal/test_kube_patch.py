from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.patch import ACCEPTED, JSON_PATCH, apply_patch, json_patch, merge_patch
from cockpit.rehearsal.kube.strategic import merge

POD_SPEC: dict[str, Any] = {
    "containers": [
        {"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}], "args": ["-v"]},
        {"name": "b", "image": "b:1"},
    ],
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "volumes": [{"name": "v", "emptyDir": {}}],
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def test_containers_and_env_merge_by_name() -> None:
    patch = {"containers": [{"name": "a", "image": "a:2", "env": [{"name": "Y", "value": "2"}]}]}
    merged = merge("PodSpec", POD_SPEC, patch)
    assert [c["image"] for c in merged["containers"]] == ["a:2", "b:1"]
    assert merged["containers"][0]["env"] == [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]


@pytest.mark.parametrize(("name", "value"), [("tolerations", [{"operator": "Exists"}]), ("containers", [])])
def test_atomic_lists_are_replaced_and_empty_merges_change_nothing(name: str, value: list[Any]) -> None:
    merged = merge("PodSpec", POD_SPEC, {name: value})
    assert merged[name] == (value or POD_SPEC[name])


def test_affinity_terms_are_atomic() -> None:
    old = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
    new = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "b", "operator": "Exists"}]}]}
    assert merge("NodeSelector", old, new) == new


def test_directives_delete_replace_and_order() -> None:
    assert [c["name"] for c in merge("PodSpec", POD_SPEC, {"containers": [{"name": "a", "$patch": "delete"}]})["containers"]] == [
        "b"
    ]
    replaced = merge("PodSpec", POD_SPEC, {"containers": [{"$patch": "replace"}, {"name": "c"}]})
    assert replaced["containers"] == [{"name": "c"}]
    ordered = merge("PodSpec", POD_SPEC, {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})
    assert [c["name"] for c in ordered["containers"]] == ["b", "a"]
    kept = merge(
        "DeploymentStrategy", {"type": "RollingUpdate", "rollingUpdate": {}}, {"$retainKeys": ["type"], "type": "Recreate"}
    )
    assert kept == {"type": "Recreate"}


def test_conditions_merge_by_type() -> None:
    old = {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Disk", "status": "False"}]}
    merged = merge("NodeStatus", old, {"conditions": [{"type": "Ready", "status": "False"}]})
    assert [(c["type"], c["status"]) for c in merged["conditions"]] == [("Ready", "False"), ("Disk", "False")]


def test_json_patch_is_all_or_nothing() -> None:
    old = {"a": {"b": 1}}
    with pytest.raises(KubeError) as refused:
        json_patch(old, [{"op": "replace", "path": "/a/b", "value": 2}, {"op": "test", "path": "/a/b", "value": 1}])
    assert (refused.value.code, refused.value.reason, old) == (422, "Invalid", {"a": {"b": 1}})
    assert refused.value.message == "the server rejected our request due to an error in our request"


def test_a_test_for_null_holds_for_what_is_absent() -> None:
    assert json_patch({"a": {}}, [{"op": "test", "path": "/a/b", "value": None}, {"op": "add", "path": "/a/b", "value": 1}]) == {
        "a": {"b": 1}
    }
    with pytest.raises(KubeError):
        json_patch({}, [{"op": "test", "path": "/a/b", "value": None}])


@pytest.mark.parametrize(
    ("media", "body", "code"),
    [(m, b"{nonsense", 400) for m in ACCEPTED]
    + [
        (JSON_PATCH, b'{"op":"add"}', 400),
        (JSON_PATCH, b'[{"op":"nope","path":"/a"}]', 422),
        (JSON_PATCH, b'[{"op":"remove","path":"/a/b/c"}]', 422),
        ("application/xml", b"", 415),
    ],
)
def test_bad_patches(media: str, body: bytes, code: int) -> None:
    with pytest.raises(KubeError) as refused:
        apply_patch("Deployment", {"metadata": {}}, media, body)
    assert refused.value.code == code


@given(old=_JSON, new=st.dictionaries(st.text(max_size=3), _JSON, max_size=3))
def test_merge_patch_leaves_no_null_and_applies_once(old: Any, new: dict[str, Any]) -> None:
    once = merge_patch(old, new)
    assert merge_patch(once, new) == once
    assert all(once[k] is not None for k in new if k in once)
    assert json.loads(json.dumps(once)) == once
