from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from cockpit.rehearsal.kube.errors import KubeError, conflict
from cockpit.rehearsal.kube.faults import Dropped, RequestInfo
from cockpit.rehearsal.kube.patch import MERGE_PATCH
from tests.unit.rehearsal.kube_client import APPS, CORE, TARGET, World, as_user, running
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE, pod


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as served:
        yield served


async def test_pages_are_of_one_moment(world: World) -> None:
    for i in range(5):
        world.storage.create("pods", pod(f"extra-{i}", "ip-10-0-0-2"))
    first = await world.get(f"{CORE}/pods", limit="3")
    world.storage.delete("pods", NAMESPACE, "extra-4")
    world.storage.create("pods", pod("zz-later", "ip-10-0-0-2"))
    second = await world.get(f"{CORE}/pods", limit="3", **{"continue": first["metadata"]["continue"]})
    third = await world.get(f"{CORE}/pods", limit="3", **{"continue": second["metadata"]["continue"]})
    names = [p["metadata"]["name"] for page in (first, second, third) for p in page["items"]]
    assert [page["metadata"].get("remainingItemCount") for page in (first, second, third)] == [4, 1, None]
    assert len({page["metadata"]["resourceVersion"] for page in (first, second, third)}) == 1
    assert "extra-4" in names and "zz-later" not in names and len(names) == 7
    assert all("kind" not in item for item in first["items"])


async def test_an_expired_continue_offers_an_inconsistent_one(world: World) -> None:
    first = await world.get(f"{CORE}/pods", limit="1")
    world.storage.create("pods", pod("zz-later", "n"))
    world.storage.compact()
    query = {"limit": "5", "continue": first["metadata"]["continue"]}
    refused = await world.http.get(f"{CORE}/pods", params=query)
    status = refused.json()
    assert (refused.status_code, status["reason"], status["code"]) == (410, "Expired", 410)
    assert status["message"].startswith("The provided continue parameter is too old to display a consistent list result.")
    rest = await world.get(f"{CORE}/pods", limit="5", **{"continue": status["metadata"]["continue"]})
    assert [p["metadata"]["name"] for p in rest["items"]][-1] == "zz-later"


async def test_resource_version_zero_ignores_the_limit(world: World) -> None:
    whole = await world.get(f"{CORE}/pods", limit="1", resourceVersion="0")
    assert len(whole["items"]) == 2


async def test_a_version_of_the_future_times_out(world: World) -> None:
    refused = await world.http.get(f"{CORE}/pods", params={"resourceVersion": "999999"})
    assert refused.status_code == 504
    assert "Too large resource version: 999999" in refused.json()["message"]


async def test_selectors_and_label_columns(world: World) -> None:
    by_node = await world.get("/api/v1/pods", fieldSelector="spec.nodeName=ip-10-0-0-1,status.phase!=Failed")
    assert len(by_node["items"]) == 2
    assert (await world.get("/api/v1/nodes", labelSelector="kubernetes.io/arch in (arm64)"))["items"][0]["metadata"][
        "name"
    ] == "ip-10-0-0-2"
    refused = await world.http.get("/api/v1/pods", params={"fieldSelector": "spec.colour=red"})
    assert (refused.status_code, refused.json()["message"]) == (400, "field label not supported: spec.colour")


async def test_forms(world: World) -> None:
    table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    found = (await world.http.get("/api/v1/nodes", headers={"Accept": table})).json()
    assert found["kind"] == "Table"
    assert [c["name"] for c in found["columnDefinitions"]][:5] == ["Name", "Status", "Roles", "Age", "Version"]
    assert found["rows"][1]["object"]["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    items = (await world.http.get("/api/v1/nodes", headers={"Accept": partial})).json()["items"]
    assert [set(item) for item in items] == [{"kind", "apiVersion", "metadata"}] * 2
    assert (await world.http.get("/api/v1/nodes", headers={"Accept": "text/html"})).status_code == 406


async def test_large_lists_are_gzipped_only_when_asked(world: World) -> None:
    for i in range(120):
        world.storage.create("pods", pod(f"extra-{i}", "n"))
    plain = await world.http.get("/api/v1/pods", headers={"Accept-Encoding": "identity"})
    async with world.http.stream("GET", "/api/v1/pods", headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
        assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content


async def test_events_have_two_shapes(world: World) -> None:
    new = (await world.get(f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events", fieldSelector="regarding.kind=Pod"))["items"]
    old = (await world.get(f"{CORE}/events", fieldSelector="reason=Started"))["items"]
    assert (new[0]["regarding"], new[0]["note"]) == (old[0]["involvedObject"], old[0]["message"])


async def test_eviction_respects_the_budget(world: World) -> None:
    names = [p["metadata"]["name"] for p in (await world.get(f"{CORE}/pods"))["items"]]
    answers = [await world.http.post(f"{CORE}/pods/{name}/eviction", json={"metadata": {"name": name}}) for name in names]
    assert [a.status_code for a in answers] == [201, 429]
    refused = answers[1].json()
    assert (refused["reason"], refused["message"]) == (
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    assert [p["metadata"]["name"] for p in (await world.get(f"{CORE}/pods"))["items"]] == names[1:]


async def test_scale(world: World) -> None:
    found = await world.get(f"{TARGET}/scale")
    assert (found["spec"], found["status"]) == ({"replicas": 2}, {"replicas": 2, "selector": f"app={DEPLOYMENT}"})
    scaled = await world.http.put(f"{TARGET}/scale", json={**found, "spec": {"replicas": 5}})
    assert (scaled.json()["spec"], (await world.get(TARGET))["spec"]["replicas"]) == ({"replicas": 5}, 5)
    assert (await world.http.put(f"{TARGET}/scale", json={**found, "spec": {"replicas": 6}})).status_code == 409


async def test_who_may_do_what(world: World) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    spec = {"resourceAttributes": {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": NAMESPACE}}
    for user, allowed in (("operator", True), ("observer", False)):
        review = await world.http.post(path, json={"spec": spec}, headers=as_user(user))
        assert (review.status_code, review.json()["status"]["allowed"]) == (201, allowed)
    refused = await world.http.patch(TARGET, json={}, headers={**as_user("observer"), "Content-Type": MERGE_PATCH})
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        f'deployments.apps "{DEPLOYMENT}" is forbidden: User "observer" cannot patch resource "deployments" in API group "apps" '
        f'in the namespace "{NAMESPACE}"',
    )
    nodes = await world.http.delete("/api/v1/nodes/ip-10-0-0-1", headers=as_user("observer"))
    assert nodes.json()["message"].endswith('cannot delete resource "nodes" in API group "" at the cluster scope')
    for token in ("expired", "stranger"):
        assert (await world.http.get("/api/v1/nodes", headers=as_user(token))).status_code == 401


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/flowers", 404),
        ("/apis/nope/v1", 404),
        ("/api/v1/nodes/nope", 404),
        (f"{APPS}/deployments/x/nope", 404),
        ("/nope", 404),
    ],
)
async def test_what_is_not_there(world: World, path: str, code: int) -> None:
    assert (await world.http.get(path)).status_code == code


async def test_documents(world: World) -> None:
    assert (await world.http.get("/readyz")).text == "ok"
    assert (await world.get("/version"))["major"] == "1"
    listed = {r["name"]: r for r in (await world.get("/apis/apps/v1"))["resources"]}
    assert listed["deployments"]["shortNames"] == ["deploy"] and "deployments/scale" in listed
    index = await world.get("/openapi/v3")
    document = await world.get(index["paths"]["apis/apps/v1"]["serverRelativeURL"])
    assert "io.k8s.api.core.v1.Deployment" in document["components"]["schemas"]


class Scripted:
    """Raises what is in the script, one request after the other."""

    def __init__(self, *script: Exception) -> None:
        self.script, self.seen = list(script), list[RequestInfo]()

    async def before(self, request: RequestInfo) -> None:
        self.seen.append(request)
        if self.script:
            raise self.script.pop(0)


async def test_faults_become_answers_or_cut_the_line(tmp_path: Path) -> None:
    busy = KubeError(429, "TooManyRequests", "too many requests, please try again later", retry_after=2)
    faults = Scripted(conflict("deployments", "apps", DEPLOYMENT), busy, Dropped())
    async with running(tmp_path, faults=faults) as world:
        assert (await world.patch(TARGET, [])).json()["reason"] == "Conflict"
        assert (await world.http.get(TARGET)).headers["Retry-After"] == "2"
        with pytest.raises(httpx.TransportError):
            await world.http.get(TARGET)
        assert (await world.http.get(TARGET)).status_code == 200
    first = faults.seen[0]
    assert (first.verb, first.group, first.resource, first.namespace, first.name) == (
        "patch",
        "apps",
        "deployments",
        NAMESPACE,
        DEPLOYMENT,
    )


class Kubelet:
    graceful = True

    def log(self, pod: dict[str, Any], container: str, previous: bool) -> str | None:
        return None if previous else f"{container}: one\n{container}: two\n"

    def execute(self, pod: dict[str, Any], container: str, command: Sequence[str]) -> tuple[int, bytes]:
        return 0, f"{container}: {' '.join(command)}\n".encode()


async def test_with_a_kubelet_pods_terminate_and_logs_come_from_it(tmp_path: Path) -> None:
    async with running(tmp_path, hooks=Kubelet()) as world:
        name = (await world.get(f"{CORE}/pods"))["items"][0]["metadata"]["name"]
        assert (await world.http.get(f"{CORE}/pods/{name}/log", params={"tailLines": "1"})).text == "api: two\n"
        assert (await world.http.get(f"{CORE}/pods/{name}/log", params={"previous": "true"})).status_code == 400
        marked = (await world.http.delete(f"{CORE}/pods/{name}")).json()
        assert marked["metadata"]["deletionTimestamp"] == "2026-11-22T02:00:30Z"
        assert (await world.http.get(f"{CORE}/pods/{name}")).status_code == 200
        world.storage.delete("pods", NAMESPACE, name)
        assert (await world.http.get(f"{CORE}/pods/{name}")).status_code == 404
