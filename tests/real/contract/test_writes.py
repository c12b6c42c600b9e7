"""Writes: the three patches, their preconditions, dry runs, whole updates, and a Lease that is taken by comparing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.errors import Conflict, Rejected
from tests.real.api import Api, Obj, Refusal, path, until
from tests.real.contract.asked import APPS, DRY, JSON, LEASES, MERGE, STRATEGIC, TERMS, lease, op
from tests.real.contract.content import deployment
from tests.real.contract.servers import NAMESPACE

NAME = "written"
TARGET = f"{APPS}/deployments/{NAME}"
HIDDEN = "the server rejected our request due to an error in our request"
STALE = "the object has been modified; please apply your changes to the latest version and try again"
ARM = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}


@pytest.fixture
def written(api: Api) -> Iterator[Obj]:
    """A Deployment without pods: no controller writes to it in between, once it has a revision."""
    api.create("deployments", deployment(NAME, replicas=0))
    yield until("its controller is done", lambda: settled(api.get("deployments", NAMESPACE, NAME)), 30)
    api.delete("deployments", NAMESPACE, NAME)


def settled(found: Obj) -> Obj | None:
    said = {c["type"]: c["reason"] for c in found["status"].get("conditions", [])}
    done = said.get("Progressing") == "NewReplicaSetAvailable" and "Available" in said
    return found if done and found["status"].get("observedGeneration", 0) == found["metadata"]["generation"] else None


async def patched(kube: KubeClient, body: Any, media: str = JSON, **query: str) -> Obj:
    found: Obj = json.loads(await kube.patch(TARGET, body, media, query))
    return found


async def test_a_json_patch_with_true_tests_changes_what_it_says(kube: KubeClient, written: Obj) -> None:
    meta = written["metadata"]
    guards = [op("test", "/metadata/uid", meta["uid"]), op("test", "/metadata/resourceVersion", meta["resourceVersion"])]
    guards += [op("test", "/metadata/annotations/none", None), op("test", TERMS, _terms(written))]
    found = await patched(kube, [*guards, op("add", f"{TERMS}/0/matchExpressions/-", ARM)])
    assert _terms(found) == [{"matchExpressions": [*_terms(written)[0]["matchExpressions"], ARM]}]
    assert found["metadata"]["generation"] == meta["generation"] + 1
    assert found["metadata"]["resourceVersion"] != meta["resourceVersion"]


def _terms(obj: Obj) -> list[Obj]:
    affinity = obj["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    found: list[Obj] = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return found


@pytest.mark.parametrize(
    "guard",
    [
        op("test", "/metadata/uid", "x"),
        op("test", "/metadata/resourceVersion", "1"),
        op("test", "/spec/replicas", 7),
        op("test", "/spec/replicas", "0"),
        op("test", "/metadata/annotations/none", "x"),
        op("test", "/spec/none/none", None),
        op("test", f"{TERMS}/1", None),
        op("remove", "/metadata/annotations/none"),
        op("add", "/spec/none/none", 1),
        op("add", f"{TERMS}/7", {}),
    ],
    ids=json.dumps,
)
async def test_a_json_patch_that_does_not_apply_changes_nothing(kube: KubeClient, api: Api, written: Obj, guard: Obj) -> None:
    with pytest.raises(Conflict) as refused:
        await patched(kube, [op("replace", "/spec/paused", True), guard])
    assert (refused.value.status, refused.value.reason, str(refused.value)) == (422, "Invalid", HIDDEN)
    assert api.get("deployments", NAMESPACE, NAME) == written


async def test_a_failed_test_is_told_without_a_cause(api: Api, written: Obj) -> None:
    with pytest.raises(Refusal) as refused:
        api.ask("PATCH", path("deployments", NAMESPACE, NAME), [op("test", "/spec/replicas", 7)], headers={"Content-Type": JSON})
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": HIDDEN, "reason": "Invalid"}
    assert refused.value.status == {**body, "details": {}, "code": 422}
    assert written["spec"]["replicas"] == 0


async def test_replace_of_what_is_not_there_adds_it(kube: KubeClient, written: Obj) -> None:
    found = await patched(kube, [op("replace", "/metadata/annotations/example.com~1new", "1")], **DRY)
    assert found["metadata"]["annotations"] == {**written["metadata"]["annotations"], "example.com/new": "1"}


async def test_a_merge_patch_replaces_lists_and_removes_nulls(kube: KubeClient) -> None:
    pod = {"containers": [{"name": "only", "image": "registry.example.com/x:1"}], "affinity": None}
    found = await patched(kube, {"spec": {"template": {"spec": pod}}}, MERGE, **DRY)
    spec = found["spec"]["template"]["spec"]
    assert [c["name"] for c in spec["containers"]] == ["only"]
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "affinity" not in spec


async def test_a_strategic_patch_merges_lists_by_key_and_replaces_terms(kube: KubeClient, written: Obj) -> None:
    env = [{"name": "MODE", "value": "dry"}, {"name": "NEW", "value": "1"}]
    containers = [{"name": "main", "env": env}, {"name": "side", "image": "registry.example.com/x:1"}]
    terms = [{"matchExpressions": [ARM]}]
    node = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    pod = {"containers": containers, "affinity": {"nodeAffinity": node}}
    found = await patched(kube, {"spec": {"template": {"spec": pod}}}, STRATEGIC, **DRY)
    main, side = found["spec"]["template"]["spec"]["containers"]
    assert (main["name"], side["name"]) == ("main", "side")
    assert main["image"] == written["spec"]["template"]["spec"]["containers"][0]["image"]
    assert [(e["name"], e["value"]) for e in main["env"]] == [("MODE", "dry"), ("NEW", "1"), ("REGION", "ap-south-1")]
    assert _terms(found) == terms
    preferred = found["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred[0]["weight"] == 50


async def test_what_a_strategic_patch_adds_comes_first(kube: KubeClient) -> None:
    pod = {"containers": [{"name": "side", "image": "registry.example.com/x:1"}]}
    found = await patched(kube, {"spec": {"template": {"spec": pod}}}, STRATEGIC, **DRY)
    assert [c["name"] for c in found["spec"]["template"]["spec"]["containers"]] == ["side", "main"]


@pytest.fixture(autouse=True)
def _there(written: Obj) -> None:
    """Every test has the Deployment."""


async def test_a_dry_run_answers_as_if_and_keeps_nothing(kube: KubeClient, api: Api, written: Obj) -> None:
    found = await patched(kube, {"spec": {"replicas": 3}}, MERGE, **DRY)
    meta, before = found["metadata"], written["metadata"]
    assert found["spec"]["replicas"] == 3
    assert (meta["generation"], meta["resourceVersion"]) == (before["generation"] + 1, before["resourceVersion"])
    assert api.get("deployments", NAMESPACE, NAME) == written


async def test_annotations_of_a_deployment_count_as_its_generation(kube: KubeClient, written: Obj) -> None:
    found = await patched(kube, {"metadata": {"annotations": {"example.com/note": "1"}}}, MERGE, **DRY)
    assert found["metadata"]["generation"] == written["metadata"]["generation"] + 1
    labelled = await patched(kube, {"metadata": {"labels": {"note": "1"}}}, MERGE, **DRY)
    assert labelled["metadata"]["generation"] == written["metadata"]["generation"]


async def test_a_patch_that_changes_nothing_keeps_the_version(kube: KubeClient, written: Obj) -> None:
    found = await patched(kube, {"spec": {"replicas": written["spec"]["replicas"]}}, MERGE)
    assert found["metadata"]["resourceVersion"] == written["metadata"]["resourceVersion"]


@pytest.mark.parametrize("media", [MERGE, STRATEGIC])
async def test_a_patch_for_another_version_is_a_conflict(kube: KubeClient, media: str) -> None:
    with pytest.raises(Conflict) as refused:
        await patched(kube, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 3}}, media)
    words = f'Operation cannot be fulfilled on deployments.apps "{NAME}": {STALE}'
    assert (refused.value.status, refused.value.reason, str(refused.value)) == (409, "Conflict", words)


async def test_another_uid_is_refused_and_is_no_conflict(kube: KubeClient) -> None:
    with pytest.raises(Rejected) as refused:
        await patched(kube, {"metadata": {"uid": "x"}}, MERGE)
    assert not isinstance(refused.value, Conflict)
    words = f'Deployment.apps "{NAME}" is invalid: metadata.uid: Invalid value: "x": field is immutable'
    assert (refused.value.status, str(refused.value)) == (422, words)


def test_an_update_compares_versions(api: Api, written: Obj) -> None:
    where = path("deployments", NAMESPACE, NAME)
    stale = {**written, "metadata": {**written["metadata"], "resourceVersion": "1"}}
    with pytest.raises(Refusal) as refused:
        api.ask("PUT", where, stale)
    assert (refused.value.code, refused.value.status["details"]) == (409, {"name": NAME, "group": "apps", "kind": "deployments"})
    free = {**stale, "metadata": {**stale["metadata"], "resourceVersion": "0"}, "spec": {**written["spec"], "paused": True}}
    assert api.ask("PUT", where, free)["spec"]["paused"] is True


def test_a_lease_is_taken_by_comparing_and_by_one_only(api: Api) -> None:
    first = api.create("leases", lease("lock", holderIdentity="a", renewTime="2026-11-22T02:00:00.000000Z"))
    try:
        with pytest.raises(Refusal) as again:
            api.create("leases", lease("lock", holderIdentity="b"))
        assert (again.value.code, again.value.status["reason"]) == (409, "AlreadyExists")
        taken = {**first, "spec": {**first["spec"], "holderIdentity": "b", "leaseTransitions": 1}}
        second = api.ask("PUT", f"{LEASES}/lock", taken)
        assert (second["spec"]["holderIdentity"], second["spec"]["renewTime"]) == ("b", "2026-11-22T02:00:00.000000Z")
        with pytest.raises(Refusal) as late:
            api.ask("PUT", f"{LEASES}/lock", {**first, "spec": {**first["spec"], "holderIdentity": "c"}})
        words = f'Operation cannot be fulfilled on leases.coordination.k8s.io "lock": {STALE}'
        assert (late.value.code, late.value.status["message"]) == (409, words)
        blind = {**first, "metadata": {"name": "lock", "namespace": NAMESPACE}}
        with pytest.raises(Refusal) as unversioned:
            api.ask("PUT", f"{LEASES}/lock", blind)
        assert (unversioned.value.code, unversioned.value.status["reason"]) == (422, "Invalid")
        assert api.get("leases", NAMESPACE, "lock") == second
    finally:
        api.delete("leases", NAMESPACE, "lock")


def test_a_lease_that_is_put_where_there_is_none_is_made(api: Api) -> None:
    answer = api.raw("PUT", f"{LEASES}/made", json=lease("made"), params=DRY)
    assert (answer.status_code, answer.json()["spec"]) == (201, {})


def test_with_a_body_a_deletion_does_not_look_at_its_query(api: Api) -> None:
    api.create("leases", lease("gone"))
    assert api.raw("DELETE", f"{LEASES}/gone", params=DRY).status_code == 200
    assert api.get("leases", NAMESPACE, "gone")["metadata"]["name"] == "gone"
    body = {"propagationPolicy": "Background"}
    assert api.raw("DELETE", f"{LEASES}/gone", params=DRY, json=body).status_code == 200
    assert api.raw("GET", f"{LEASES}/gone").status_code == 404, "the dry run was overlooked"
