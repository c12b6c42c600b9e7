from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import ManualClock
from cockpit.rehearsal.kube import writes
from cockpit.rehearsal.kube.call import Call, request_info
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.patch import MERGE_PATCH, STRATEGIC_PATCH
from cockpit.rehearsal.kube.resources import served as served_kind
from tests.unit.rehearsal.kube_client import CORE, TARGET, World, running
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE, small_world

AFFINITY = "/spec/template/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution"
_FIELDS = (
    "replicas",
    "selector",
    "template",
    "spec",
    "metadata",
    "containers",
    "name",
    "affinity",
    "nodeAffinity",
    "strategy",
    "tolerations",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
    "matchExpressions",
    "operator",
    "values",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/args",
    "env",
    "labels",
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as served:
        yield served


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4)


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize(
    ("media", "patch"),
    [
        ("application/json-patch+json", [{"op": "replace", "path": f"{AFFINITY}/0/weight", "value": 80}]),
        (MERGE_PATCH, {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}),
        (STRATEGIC_PATCH, {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "x:2"}]}}}}),
    ],
)
async def test_patches_count_a_generation_unless_dry(world: World, media: str, patch: Any, dry: bool) -> None:
    before = await world.get(TARGET)
    query = {"dryRun": "All"} if dry else {}
    answer = await world.patch(TARGET, patch, media, fieldManager="tests", **query)
    assert answer.status_code == 200
    shown, after = answer.json(), await world.get(TARGET)
    assert shown["spec"] != before["spec"]
    assert shown["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert [m["manager"] for m in shown["metadata"]["managedFields"]] == ["tests"]
    assert after == (before if dry else shown)


async def test_a_patch_that_is_undone_gives_the_same_spec(world: World) -> None:
    before = await world.get(TARGET)
    old = before["spec"]["template"]["spec"]["affinity"]
    path = "/spec/template/spec/affinity"
    new: dict[str, Any] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]}}
    }
    for was, becomes in ((old, new), (None, old)):
        test = [{"op": "test", "path": path, "value": was}] if was else []
        assert (await world.patch(TARGET, [*test, {"op": "replace", "path": path, "value": becomes}])).status_code == 200
    assert (await world.get(TARGET))["spec"] == before["spec"]


async def test_a_patch_with_a_stale_version_is_a_conflict_and_one_with_another_uid_is_invalid(world: World) -> None:
    for field, value, refusal in (("resourceVersion", "1", (409, "Conflict")), ("uid", "0000", (422, "Invalid"))):
        refused = await world.patch(TARGET, {"metadata": {field: value}, "spec": {"replicas": 3}}, MERGE_PATCH)
        assert (refused.status_code, refused.json()["reason"]) == refusal


async def test_a_json_patch_test_that_fails_is_invalid(world: World) -> None:
    refused = await world.patch(TARGET, [{"op": "test", "path": "/metadata/uid", "value": "other"}])
    status = refused.json()
    assert (refused.status_code, status["reason"], status["details"]) == (422, "Invalid", {})
    assert status["message"] == "the server rejected our request due to an error in our request"


async def test_an_invalid_patch_changes_nothing(world: World) -> None:
    before = await world.get(TARGET)
    refused = await world.patch(TARGET, [{"op": "replace", "path": f"{AFFINITY}/0/weight", "value": 0}])
    assert refused.status_code == 422
    assert refused.json()["message"].startswith(f'Deployment.apps "{DEPLOYMENT}" is invalid: spec.template.spec.affinity')
    assert await world.get(TARGET) == before


@pytest.mark.parametrize(
    ("media", "body", "code"),
    [
        ("application/json-patch+json", "{", 400),
        (MERGE_PATCH, "[]", 400),
        ("application/apply-patch+yaml", "{}", 415),
        ("text/plain", "", 415),
    ],
)
async def test_patches_that_cannot_be_read(world: World, media: str, body: str, code: int) -> None:
    refused = await world.http.patch(TARGET, content=body, headers={"Content-Type": media})
    assert (refused.status_code, refused.json()["code"]) == (code, code)


async def test_status_and_spec_are_kept_apart(world: World) -> None:
    both = {"spec": {"replicas": 7}, "status": {"replicas": 7}}
    main = (await world.patch(TARGET, both, MERGE_PATCH)).json()
    assert (main["spec"]["replicas"], main["status"]["replicas"]) == (7, 2)
    both = {"spec": {"replicas": 9}, "status": {"replicas": 9}}
    status = (await world.patch(f"{TARGET}/status", both, MERGE_PATCH)).json()
    assert (status["spec"]["replicas"], status["status"]["replicas"]) == (7, 9)
    assert status["metadata"]["generation"] == main["metadata"]["generation"] == 2


async def test_a_lease_is_won_by_comparing_versions(world: World) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
    lease = {"metadata": {"name": "controls"}, "spec": {"holderIdentity": "ana", "leaseDurationSeconds": 15}}
    made = await world.http.post(path, json=lease)
    assert made.status_code == 201
    assert (await world.http.post(path, json=lease)).json()["message"] == 'leases.coordination.k8s.io "controls" already exists'
    taken = {**made.json(), "spec": {"holderIdentity": "bo", "leaseDurationSeconds": 15}}
    assert (await world.http.put(f"{path}/controls", json=taken)).status_code == 200
    refused = await world.http.put(f"{path}/controls", json=taken)
    assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")
    unversioned = await world.http.put(f"{path}/controls", json=lease)
    assert unversioned.status_code == 422
    assert "metadata.resourceVersion: Invalid value: 0: must be specified for an update" in unversioned.json()["message"]


async def test_create_and_delete_honour_dry_run_and_preconditions(world: World) -> None:
    settings = {"metadata": {"generateName": "run-"}, "data": {"phase": "canary-5"}}
    dry = await world.http.post(f"{CORE}/configmaps", json=settings, params={"dryRun": "All"})
    assert dry.status_code == 201 and "resourceVersion" not in dry.json()["metadata"]
    assert (await world.get(f"{CORE}/configmaps"))["items"] == []
    made = (await world.http.post(f"{CORE}/configmaps", json=settings)).json()
    path = f"{CORE}/configmaps/{made['metadata']['name']}"
    refused = await world.http.request("DELETE", path, json={"preconditions": {"uid": "other"}})
    assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")
    await world.http.request("DELETE", path, json={"dryRun": ["All"]})
    assert (await world.http.get(path)).status_code == 200
    gone = await world.http.request("DELETE", path, json={"preconditions": {"uid": made["metadata"]["uid"]}})
    assert (gone.json()["status"], (await world.http.get(path)).status_code) == ("Success", 404)


async def test_writes_at_once_are_serialized(world: World) -> None:
    obj = await world.get(TARGET)
    changed = [{**obj, "spec": {**obj["spec"], "replicas": 10 + i}} for i in range(8)]
    answers = await asyncio.gather(*(world.http.put(TARGET, json=c) for c in changed))
    assert sorted(a.status_code for a in answers) == [200] + [409] * 7


@given(patch=st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3), _nested, max_leaves=12))
@pytest.mark.parametrize("media", [MERGE_PATCH, STRATEGIC_PATCH])
def test_no_patch_breaks_the_server(media: str, patch: Any) -> None:
    storage = small_world(ManualClock())
    info = request_info("PATCH", TARGET, {}, "operator")
    call = Call(served_kind("apps", "v1", "deployments"), info, body=json.dumps({"spec": patch}).encode(), media=media)
    before = storage.resource_version
    try:
        writes.patch(storage, call)
    except KubeError as refused:
        # A real server takes a bad directive for a fault of its own.
        assert refused.code in (400, 422) or (refused.code, refused.reason) == (500, "")
        assert storage.resource_version == before
