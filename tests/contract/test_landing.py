"""Requests that an API server or AWS does not answer, over sockets: who has to wait for them, and who must not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.connections.aws import Elb
from cockpit.model.playbook import Alb
from tests.contract.balancer import Faults, account, proxy
from tests.contract.small_api import connected

PATIENCE = 5.0
RECORD, DEPLOYMENT = "/api/v1/namespaces/p/configmaps/run", "/apis/apps/v1/namespaces/p/deployments/api"


class Silent:
    """An API server that does not answer what changes something until it is let go."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.order.append(f"{request.method} {request.path.rpartition('/')[2]}")
        if request.method not in ("GET", "HEAD"):
            self.asked.set()
            await self.go.wait()
            self.order.append("answered")
        return web.json_response({})


@pytest.mark.parametrize("verb", ["put", "post", "delete"])
async def test_nobody_waits_for_a_record_that_is_compared_and_swapped(tmp_path: Path, verb: str) -> None:
    server = Silent()
    async with connected(tmp_path, server.handle) as client:
        writing = asyncio.create_task(getattr(client, verb)(RECORD, {}))
        await asyncio.wait_for(server.asked.wait(), PATIENCE)
        writing.cancel()
        await asyncio.wait([writing], timeout=PATIENCE)
        assert writing.cancelled(), "the server is still silent"
        await asyncio.wait_for(client.get(RECORD), PATIENCE)
        assert "answered" not in server.order
        server.go.set()


async def test_a_patch_that_has_left_is_waited_for_by_whoever_reads_its_target_and_by_nobody_else(tmp_path: Path) -> None:
    server = Silent()
    async with connected(tmp_path, server.handle) as client:
        writing = asyncio.create_task(client.patch(DEPLOYMENT, []))
        await asyncio.wait_for(server.asked.wait(), PATIENCE)
        writing.cancel()
        reading = asyncio.create_task(client.get(DEPLOYMENT))
        await asyncio.wait_for(client.get(RECORD), PATIENCE)
        assert server.order == ["PATCH api", "GET run"]
        assert not writing.done()
        server.go.set()
        await asyncio.wait_for(reading, PATIENCE)
        await asyncio.wait([writing], timeout=PATIENCE)
    assert server.order == ["PATCH api", "GET run", "answered", "GET api"]
    assert writing.cancelled()


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


async def test_rules_are_read_once_what_was_sent_to_one_of_them_has_landed(
    balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    address, alb = balancer
    faults, go, asked = Faults(), asyncio.Event(), asyncio.Event()

    async def silent() -> None:
        asked.set()
        await go.wait()

    async with proxy(address, faults) as front:
        elb = await Elb.connect(replace(alb, endpoint_url=front))
        (arn,) = alb.rules
        (rule,) = await elb.rules((), alb.rules)
        faults.calls.clear()
        faults.first["ModifyRule"] = silent
        writing = asyncio.create_task(elb.modify(rule, rule.actions))
        await asyncio.wait_for(asked.wait(), PATIENCE)
        writing.cancel()
        reading = asyncio.create_task(elb.rules((), (arn,)))
        await asyncio.wait_for(elb.rules(alb.listeners, ()), PATIENCE)
        assert sorted(faults.calls[-2:]) == ["DescribeListeners", "DescribeTags"]
        assert not reading.done()
        go.set()
        await asyncio.wait_for(asyncio.gather(reading, writing, return_exceptions=True), PATIENCE)
        elb.close()
    assert sorted(faults.calls[-2:]) == ["DescribeRules", "DescribeTags"]


async def test_the_connection_that_is_kept_warm_is_asked_which_cluster_it_leads_to(tmp_path: Path) -> None:
    asked, paths = asyncio.Event(), list[str]()

    async def note(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        asked.set()
        return web.json_response({"metadata": {"uid": "another"}})

    async with connected(tmp_path, note) as client:
        client.pin("mine")
        client.keep_warm()
        await asyncio.wait_for(asked.wait(), PATIENCE)
        assert paths == ["/api/v1/namespaces/kube-system"]
