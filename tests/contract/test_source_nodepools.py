"""NodePools where there are some, and whether writes are permitted, over real sockets."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from cockpit.connections.permits import REVIEWS
from cockpit.model.arch import ARCH_LABEL, Arch
from cockpit.model.nodepool import NodePool
from cockpit.model.snapshot import SourceName
from cockpit.rules.readiness.provisioning import gives, spent
from cockpit.sources.access import access_source, patches
from cockpit.sources.base import Kind, Observation
from cockpit.sources.nodepools import API, node_pools_source
from tests.contract.small_api import collect, connected, fast_clock, listing, status
from tests.factories import PLAYBOOK

POOL: dict[str, Any] = {
    "metadata": {"name": "general", "resourceVersion": "7"},
    "spec": {
        "template": {
            "metadata": {"labels": {"team": "payments"}},
            "spec": {
                "requirements": [{"key": ARCH_LABEL, "operator": "In", "values": ["amd64"], "minValues": 1}],
                "taints": [{"key": "dedicated", "effect": "NoSchedule"}],
            },
        },
        "disruption": {
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": "30s",
            "budgets": [
                {"nodes": "10%"},
                {"nodes": "0", "schedule": "@daily", "duration": "8h"},
                {"nodes": "0", "reasons": ["Empty"]},
            ],
        },
        "limits": {"cpu": 64, "memory": "256Gi"},
    },
    "status": {"resources": {"cpu": "64", "nodes": "8"}, "conditions": [{"type": "Ready", "status": "True"}]},
}


class Karpenter:
    """An API server that has NodePools, has them not, or does not let them be listed."""

    def __init__(self, *pools: dict[str, Any], there: bool = True, allowed: bool = True) -> None:
        self.pools = list(pools)
        self.there = there
        self.allowed = allowed
        self.asked: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if not self.there:
            return status(404, "NotFound", "the server could not find the requested resource")
        if request.path == API:
            return web.json_response({"kind": "APIResourceList", "resources": [{"name": "nodeclaims"}, {"name": "nodepools"}]})
        return listing(self.pools) if self.allowed else status(403, "Forbidden", "nodepools.karpenter.sh is forbidden")


def listed(told: list[Observation]) -> bool:
    return any(o.kind is Kind.LISTED for o in told)


async def test_node_pools_are_told_with_what_they_may_make_and_take_away(tmp_path: Path) -> None:
    async with connected(tmp_path, Karpenter(POOL)) as kube:
        told = await collect(node_pools_source(kube, fast_clock(), Random(1)), listed)
    pool = told[0].value
    assert isinstance(pool, NodePool)
    assert (pool.name, pool.ready, pool.budgets, pool.after) == ("general", True, ("10%",), "30s")
    assert (gives(pool, Arch.AMD64), gives(pool, Arch.ARM64), spent(pool)) == (True, False, "cpu 64")
    assert (pool.labels, pool.taints[0].key) == ({"team": "payments"}, "dedicated")


async def test_a_cluster_without_karpenter_has_none_and_that_is_no_fault(tmp_path: Path) -> None:
    server = Karpenter(there=False)
    async with connected(tmp_path, server) as kube:
        told = await collect(node_pools_source(kube, fast_clock(), Random(1)), listed)
    assert [o.kind for o in told] == [Kind.LISTED]
    assert set(server.asked) == {API}


async def test_node_pools_that_may_not_be_listed_are_a_fault_until_they_may(tmp_path: Path) -> None:
    server = Karpenter(POOL, allowed=False)

    def enough(told: list[Observation]) -> bool:
        server.allowed = server.allowed or told[-1].kind is Kind.FAULT
        return listed(told)

    async with connected(tmp_path, server) as kube:
        told = await collect(node_pools_source(kube, fast_clock(), Random(1)), enough)
    assert told[0].kind is Kind.FAULT
    assert "forbidden" in told[0].why
    assert told[-2].key == "general"


async def test_an_answer_that_is_none_is_a_fault(tmp_path: Path) -> None:
    async def garbled(request: web.Request) -> web.StreamResponse:
        return web.json_response({"resources": 7})

    async with connected(tmp_path, garbled) as kube:
        told = await collect(node_pools_source(kube, fast_clock(), Random(1)), lambda told: bool(told))
    assert "cannot be read" in told[0].why


async def test_a_write_that_is_not_permitted_is_told_by_its_lever_and_that_it_is_again(tmp_path: Path) -> None:
    reviews: list[dict[str, Any]] = []

    async def reviewed(request: web.Request) -> web.StreamResponse:
        assert (request.method, request.path) == ("POST", REVIEWS)
        reviews.append((await request.json())["spec"]["resourceAttributes"])
        return web.json_response({"status": {"allowed": len(reviews) > 1}}, status=201)

    async with connected(tmp_path, reviewed) as kube:
        source = access_source(kube, patches(PLAYBOOK), fast_clock(), Random(1))
        told = await collect(source, lambda told: sum(o.kind is Kind.LISTED for o in told) == 2)
    assert source.names == (SourceName.ACCESS,)
    assert [(o.key, o.value) for o in told if o.kind is Kind.UPSERT] == [
        ("affinity", "patch deployments.apps in namespace payments")
    ]
    assert told[-1].keys == frozenset()
    assert reviews[0] == {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "payments"}
