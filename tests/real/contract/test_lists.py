"""Lists: pages, selectors, and what the cockpit's decoders make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cockpit.connections import decode
from cockpit.connections.kube import KubeClient
from cockpit.connections.wire import list_meta
from cockpit.errors import Rejected
from tests.real.api import Api
from tests.real.contract.asked import APPS, CONFIGS, LEASES, PODS, lease
from tests.real.contract.content import CONFIGS as COUNT
from tests.real.contract.content import WEB
from tests.real.contract.servers import NAMESPACE

EVENTS = "involvedObject.kind=Deployment,type=Normal"


@pytest.fixture
def leases(api: Api) -> Iterator[list[str]]:
    """A collection that no controller writes to."""
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        api.create("leases", lease(name, holderIdentity=name))
    yield names
    for name in names:
        api.delete("leases", NAMESPACE, name)


def names_of(page: bytes) -> list[str]:
    return [item["metadata"]["name"] for item in json.loads(page)["items"]]


async def test_pages_hold_together_at_one_version(kube: KubeClient, api: Api, leases: list[str]) -> None:
    pages: list[bytes] = []
    async for page in kube.pages(LEASES, limit=2):
        pages.append(page)
        # What is written between two pages belongs to a later version than theirs.
        api.merge("leases", NAMESPACE, leases[4], {"spec": {"holderIdentity": f"page {len(pages)}"}})
    metas = [list_meta(page) for page in pages]
    assert [names_of(page) for page in pages] == [leases[:2], leases[2:4], leases[4:]]
    assert len({meta.resource_version for meta in metas}) == 1
    assert [meta.remaining_item_count for meta in metas] == [3, 1, None]
    assert [bool(meta.continue_) for meta in metas] == [True, True, False]
    assert json.loads(pages[2])["items"][0]["spec"]["holderIdentity"] == leases[4]


async def test_with_a_selector_nobody_counts_what_remains(kube: KubeClient) -> None:
    page = await kube.get(CONFIGS, {"limit": "2", "labelSelector": "tier=odd"})
    meta = list_meta(page)
    assert (names_of(page), meta.remaining_item_count, bool(meta.continue_)) == (["c-1", "c-3"], None, True)


async def test_a_list_from_the_cache_is_served_whole(kube: KubeClient) -> None:
    page = await kube.get(CONFIGS, {"limit": "2", "labelSelector": "tier", "resourceVersion": "0"})
    assert (len(names_of(page)), list_meta(page).continue_) == (COUNT, "")


@pytest.mark.parametrize(
    ("selector", "numbers"),
    [
        ("tier=odd", [1, 3, 5]),
        ("tier==odd,number!=3", [1, 5]),
        ("tier in (odd, none)", [1, 3, 5]),
        ("tier,tier notin (odd)", [0, 2, 4, 6]),
        ("tier,!none", [0, 1, 2, 3, 4, 5, 6]),
        ("number>4", [5, 6]),
        ("number<1", [0]),
        (" tier = odd , number = 1 ", [1]),
    ],
)
async def test_label_selectors(kube: KubeClient, selector: str, numbers: list[int]) -> None:
    assert names_of(await kube.get(CONFIGS, {"labelSelector": selector})) == [f"c-{n}" for n in numbers]


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("tier in odd", "unable to parse requirement: found 'odd' expected: '('"),
        ("-x=1", 'unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of'),
        ("tier=-x", 'unable to parse requirement: values[0][tier]: Invalid value: "-x": a valid label must be'),
        ("tier>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators"),
        ("tier=a,", "found '', expected: identifier after ','"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
    ],
)
async def test_selectors_that_are_none(kube: KubeClient, selector: str, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        await kube.get(CONFIGS, {"labelSelector": selector})
    assert (refused.value.status, refused.value.reason) == (400, "BadRequest")
    assert str(refused.value).startswith(words)


async def test_field_selectors(kube: KubeClient) -> None:
    assert names_of(await kube.get(CONFIGS, {"fieldSelector": "metadata.name=c-3"})) == ["c-3"]
    alive = "status.phase!=Succeeded,status.phase!=Failed,spec.nodeName!="
    assert len(names_of(await kube.get(PODS, {"fieldSelector": alive, "labelSelector": f"app={WEB}"}))) == 2
    for none in ("spec.nodeName=", "spec.hostNetwork=true", "status.phase=Failed"):
        assert names_of(await kube.get(PODS, {"fieldSelector": none})) == []


@pytest.mark.parametrize(
    ("path", "selector", "words"),
    [
        (PODS, "spec.foo=1", "field label not supported: spec.foo"),
        (f"{APPS}/replicasets", "status.replicas=2", '"status.replicas" is not a known field selector: only "metadata.name", '),
        (PODS, "x", "invalid selector: 'x'; can't understand 'x'"),
    ],
)
async def test_field_selectors_that_are_none(kube: KubeClient, path: str, selector: str, words: str) -> None:
    with pytest.raises(Rejected) as refused:
        await kube.get(path, {"fieldSelector": selector})
    assert (refused.value.status, refused.value.reason) == (400, "BadRequest")
    assert str(refused.value).startswith(words)


async def test_events_as_the_cockpit_selects_them(kube: KubeClient) -> None:
    page = decode.EVENTS.page(await kube.get(f"/api/v1/namespaces/{NAMESPACE}/events", {"fieldSelector": EVENTS}))
    assert {(event.reason, event.regarding) for event in page.items} == {("ScalingReplicaSet", f"Deployment/{WEB}")}
    assert page.items[0].message.startswith(f"Scaled up replica set {WEB}-")


async def test_pods_as_the_cockpit_reads_them(kube: KubeClient) -> None:
    pods = decode.PODS.page(await kube.get(PODS, {"labelSelector": f"app={WEB}"})).items
    nodes = {node.name: node for node in decode.NODES.page(await kube.get("/api/v1/nodes")).items}
    assert [(p.phase, p.ready, p.terminating, p.unschedulable) for p in pods] == [("Running", True, False, "")] * 2
    for pod in pods:
        (container,) = pod.containers
        assert (container.name, container.ready, container.restarts, container.message) == ("main", True, 0, "")
        assert container.image == f"registry.example.com/contract/{WEB}:1.0.0"
        assert "@sha256:" in container.image_id
        assert (pod.requests.cpu_milli, pod.requests.memory_bytes) == (50, 64 << 20)
        assert pod.owner.startswith(f"ReplicaSet/{WEB}-")
        assert nodes[pod.node].arch == "amd64", "as the Deployment prefers"
        assert pod.labels["app"] == WEB


async def test_a_deployment_as_the_cockpit_reads_it(kube: KubeClient) -> None:
    (found,) = decode.DEPLOYMENTS.page(await kube.get(f"{APPS}/deployments", {"fieldSelector": f"metadata.name={WEB}"})).items
    counts = (found.replicas, found.total, found.updated, found.ready, found.available)
    assert (found.name, counts, found.paused) == (WEB, (2, 2, 2, 2, 2), False)
    assert found.observed_generation == found.generation
    said = {c.type: (c.status, c.reason) for c in found.conditions}
    assert said == {"Available": ("True", "MinimumReplicasAvailable"), "Progressing": ("True", "NewReplicaSetAvailable")}
