"""Answers of the embedded API server that were once another's: each was asked of a real 1.36 server, in the same words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cockpit.rehearsal.kube.patch import JSON_PATCH, MERGE_PATCH
from tests.unit.rehearsal.kube_client import APPS, CORE, TARGET, World, running
from tests.unit.rehearsal.small_world import NAMESPACE

LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
Obj = dict[str, Any]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as found:
        yield found


def said(answer: httpx.Response) -> tuple[int, str, str]:
    status = answer.json()
    return answer.status_code, status.get("reason", ""), status["message"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            {"resourceVersion": "x"},
            'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
        ),
        (
            {"fieldSelector": "spec.replicas=1"},
            '"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
async def test_a_list_that_cannot_be_understood(world: World, query: dict[str, str], message: str) -> None:
    assert said(await world.http.get(f"{APPS}/deployments", params=query)) == (400, "BadRequest", message)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            {"resourceVersionMatch": "Exact"},
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            {"resourceVersionMatch": "Junk", "resourceVersion": "1"},
            'Unsupported value: "Junk": supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            {"watch": "1", "sendInitialEvents": "true"},
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
    ],
)
async def test_options_of_a_list_that_do_not_go_together(world: World, query: dict[str, str], why: str) -> None:
    answer = await world.http.get(f"{APPS}/deployments", params=query)
    assert said(answer) == (422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: {why}')
    assert answer.json()["details"]["causes"][0]["field"] == "resourceVersionMatch"


async def test_a_negative_limit_is_none(world: World) -> None:
    found = await world.get("/api/v1/nodes", limit="-1")
    assert (len(found["items"]), "continue" in found["metadata"]) == (2, False)


async def test_a_version_that_is_not_there_yet(world: World) -> None:
    for path in (TARGET, f"{APPS}/deployments"):
        answer = await world.http.get(path, params={"resourceVersion": "99999999"})
        assert (answer.status_code, answer.json()["reason"], answer.headers["Retry-After"]) == (504, "Timeout", "1")
    watched = await world.http.get(
        f"{APPS}/deployments", params={"watch": "1", "resourceVersion": "99999999", "timeoutSeconds": "1"}
    )
    assert (watched.status_code, watched.content) == (200, b"")


async def test_a_group_that_is_not_served_is_no_page(world: World) -> None:
    answer = await world.http.get("/apis/metrics.k8s.io/v1beta1/nodes")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.parametrize("time", ["2026-11-22T02:00:00Z", "2026-11-22T02:00:00.1Z", "2026-11-22T02:00:00.123456", "soon"])
async def test_a_lease_renewed_at_no_microtime_is_refused(world: World, time: str) -> None:
    answer = await world.http.post(LEASES, json={"metadata": {"name": "controls"}, "spec": {"renewTime": time}})
    assert answer.status_code == 400
    start = f'Lease in version "v1" cannot be handled as a Lease: parsing time "{time}" as "2006-01-02T15:04:05.000000Z07:00": '
    assert answer.json()["message"].startswith(start + "cannot parse")


async def test_a_patch_to_no_microtime_is_invalid(world: World) -> None:
    lease = {"metadata": {"name": "controls"}, "spec": {"renewTime": "2026-11-22T02:00:00.123456Z"}}
    assert (await world.http.post(LEASES, json=lease)).status_code == 201
    refused = await world.patch(f"{LEASES}/controls", {"spec": {"renewTime": "2026-11-22T02:00:00Z"}}, MERGE_PATCH)
    assert refused.status_code == 422
    assert 'cannot parse "Z" as ".000000"' in refused.json()["message"]


async def test_what_a_deletion_expects_and_does_not_find(world: World) -> None:
    uid = (await world.get(TARGET))["metadata"]["uid"]
    refused = await world.http.request("DELETE", TARGET, json={"preconditions": {"uid": "other"}})
    why = f"the UID in the precondition (other) does not match the UID in record ({uid})"
    assert refused.status_code == 409
    assert refused.json()["message"].startswith(
        f'Operation cannot be fulfilled on Deployment.apps "payments-api": {why}. The object might have been deleted'
    )


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ({"dryRun": "Some"}, 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
        ({"fieldManager": "x" * 129}, "fieldManager: Too long: may not be more than 128 bytes"),
    ],
)
async def test_options_of_a_patch(world: World, query: dict[str, str], cause: str) -> None:
    assert said(await world.patch(TARGET, [], JSON_PATCH, **query)) == (
        422,
        "Invalid",
        f'PatchOptions.meta.k8s.io "" is invalid: {cause}',
    )


async def test_an_unknown_field_in_a_strict_patch_is_the_patchs_fault(world: World) -> None:
    refused = await world.patch(TARGET, [{"op": "add", "path": "/spec/foo", "value": 1}], JSON_PATCH, fieldValidation="Strict")
    assert refused.status_code == 422
    assert refused.json()["message"].endswith('strict decoding error: unknown field "spec.foo"')


async def test_a_patch_of_an_unknown_type(world: World) -> None:
    assert said(await world.patch(TARGET, {}, "text/plain")) == (415, "UnsupportedMediaType", "415: Unsupported Media Type")


@pytest.mark.parametrize("key", ["a b", "-a", "Prefix Space/a", "example.com/", "x" * 64])
async def test_keys_of_annotations_and_labels(world: World, key: str) -> None:
    for where in ("annotations", "labels"):
        refused = await world.patch(TARGET, {"metadata": {where: {key: "1"}}}, MERGE_PATCH)
        assert (refused.status_code, refused.json()["details"]["causes"][0]["field"]) == (422, f"metadata.{where}")
    kept = await world.patch(TARGET, {"metadata": {"annotations": {"Example.com/Owner_1": "ana"}}}, MERGE_PATCH)
    assert kept.status_code == 200


async def test_keys_of_a_config_map(world: World) -> None:
    body = {"metadata": {"name": "c"}, "data": {"a b": "1"}}
    refused = await world.http.post(f"{CORE}/configmaps", json=body)
    assert (refused.status_code, refused.json()["details"]["causes"][0]["field"]) == (422, "data[a b]")


async def test_an_event_about_another_namespace(world: World) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "other"}, "reason": "R", "message": "m", "type": "Normal"}
    refused = await world.http.post(f"{CORE}/events", json=event)
    why = 'Event "e" is invalid: involvedObject.namespace: Invalid value: "other": does not match event.namespace'
    assert said(refused) == (422, "Invalid", why)


async def test_an_immutable_selector(world: World) -> None:
    refused = await world.patch(TARGET, {"spec": {"selector": {"matchLabels": {"app": "other"}}}}, MERGE_PATCH)
    assert 'spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable' in refused.json()["message"]


async def test_an_access_review_of_nothing(world: World) -> None:
    refused = await world.http.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json={"spec": {}})
    why = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
    assert said(refused) == (422, "Invalid", f'.authorization.k8s.io "" is invalid: spec.resourceAttributes: {why}')


def pod(name: str, container: Obj, **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "x:1", **container}], **spec}}


async def created(world: World, body: Obj) -> Obj:
    answer = await world.http.post(f"{CORE}/pods", json=body)
    assert answer.status_code == 201, answer.text
    container: Obj = answer.json()["spec"]["containers"][0]
    return container


async def test_requests_above_their_limits_and_quantities_that_are_none(world: World) -> None:
    over = pod("p", {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}})
    refused = await world.http.post(f"{CORE}/pods", json=over)
    assert refused.status_code == 422
    assert 'Invalid value: "2": must be less than or equal to cpu limit of 1' in refused.json()["message"]
    none = await world.http.post(f"{CORE}/pods", json=pod("p", {"resources": {"requests": {"cpu": "2x"}}}))
    assert (none.status_code, "quantities must match the regular expression" in none.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("image", "policy"), [("x", "Always"), ("h:5000/x", "Always"), ("x:latest", "Always"), ("x:1", "IfNotPresent")]
)
async def test_the_policy_of_pulling_follows_the_tag(world: World, image: str, policy: str) -> None:
    assert (await created(world, pod("p", {"image": image})))["imagePullPolicy"] == policy


async def test_a_port_of_a_pod_on_the_hosts_network_is_the_hosts(world: World) -> None:
    ports = [{"containerPort": 8080}]
    assert (await created(world, pod("p", {"ports": ports}, hostNetwork=True)))["ports"][0]["hostPort"] == 8080
    assert "hostPort" not in (await created(world, pod("q", {"ports": ports})))["ports"][0]


async def test_a_budget_refuses_without_saying_when_to_come_back(world: World) -> None:
    budget = world.storage.get("poddisruptionbudgets", NAMESPACE, "payments-api")
    status = {**budget["status"], "disruptionsAllowed": 0}
    world.storage.update("poddisruptionbudgets", {**budget, "status": status}, status_only=True)
    name = (await world.get(f"{CORE}/pods"))["items"][0]["metadata"]["name"]
    refused = await world.http.post(f"{CORE}/pods/{name}/eviction", json={"metadata": {"name": name}})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, False)
    assert refused.json()["details"]["causes"][0]["reason"] == "DisruptionBudget"


async def test_a_watch_from_a_forgotten_version_says_which(world: World) -> None:
    world.storage.expire_watches()
    await world.patch(TARGET, {"spec": {"replicas": 3}}, MERGE_PATCH)
    world.storage.compact()
    query = {"watch": "1", "resourceVersion": "1", "timeoutSeconds": "1"}
    answer = await world.http.get(f"{APPS}/deployments", params=query)
    assert answer.status_code == 200
    event = json.loads(answer.text)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")
