"""What a start asks, in which order and over how many connections, counted by the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.assembly import Options, launch
from cockpit.playbook.loader import find
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from tests.unit.rehearsal.worlds import world

PATIENCE = 30.0
NODES = "GET /api/v1/nodes"
FIRST = ("GET /apis/apps/v1/daemonsets", "GET /apis/apps/v1/namespaces/payments/deployments")
REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
REQUESTS, HANDSHAKES = 90, 32
"""At most, until every source has been heard: measured, with a third more for retries and for what comes at the same time."""


async def test_lists_are_under_way_before_the_preflight_asks_and_a_start_takes_few_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    seen: list[str] = []
    ports: set[int] = set()

    @web.middleware
    async def note(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        assert request.transport
        seen.append(f"{request.method} {request.path}")
        ports.add(request.transport.get_extra_info("peername")[1])
        return await handler(request)

    app = make_app(world(balanced=False).storage)
    app.middlewares.insert(0, note)
    served = await serve(app, tmp_path)
    write_kubeconfig(tmp_path / "config", served.url, served.authority, "payments")
    playbook = tmp_path / "payments-api.yaml"
    text = find("affinity-only").read_text().replace("ledger-worker", "payments-api")
    playbook.write_text(text.replace("http://prometheus.monitoring:9090", "http://127.0.0.1:9"))
    flight = await launch(playbook, Options(kubeconfig=tmp_path / "config", context="rehearsal"))
    try:
        await asyncio.wait_for(flight.synced.wait(), PATIENCE)
        requests, handshakes = len(seen), len(ports)
    finally:
        await flight.close()
        await served.stop()
    assert min(seen.index(first) for first in FIRST) < seen.index(REVIEW)
    assert seen.count(NODES) <= 3, "one list, one watch, and the preflight's look"
    assert requests <= REQUESTS
    assert handshakes <= HANDSHAKES
