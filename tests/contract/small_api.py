"""A small HTTP server that misbehaves on demand, and the means to observe a source against it."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from cockpit.clock import ScaledClock
from cockpit.connections.kube import KubeClient
from cockpit.sources.base import Observation, Source

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def fast_clock(speed: float = 1000.0) -> ScaledClock:
    """A clock on which backoff takes milliseconds."""
    return ScaledClock(datetime(2026, 11, 22, 2, 0, tzinfo=UTC), time.monotonic(), speed)


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The URL of a server that gives every request to the handler."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def kubeconfig(folder: Path, server: str, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> Path:
    """A kubeconfig with the contexts `here` (current) and `there`."""
    path = folder / "kubeconfig"
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("here", "there")]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "secret-token"}}],
        "contexts": contexts,
    }
    path.write_text(json.dumps(document))
    return path


@asynccontextmanager
async def connected(folder: Path, handler: Handler) -> AsyncIterator[KubeClient]:
    """A client of a server with this handler."""
    async with serving(handler) as url:
        client = await KubeClient.connect(kubeconfig=kubeconfig(folder, url))
        try:
            yield client
        finally:
            await client.aclose()


async def collect(source: Source | Any, enough: Callable[[list[Observation]], bool], seconds: float = 15.0) -> list[Observation]:
    """What a source tells until it is enough."""
    told: list[Observation] = []
    async with asyncio.timeout(seconds), aclosing(cast("AsyncGenerator[Observation, None]", source.observe())) as observations:
        async for observation in observations:
            told.append(observation)
            if enough(told):
                break
    return told


def status(code: int, reason: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """A Kubernetes Status as an answer."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code, headers=headers)


def listing(items: list[dict[str, Any]], version: str = "10", more: str = "") -> web.Response:
    """A page of a list."""
    metadata = {"resourceVersion": version, **({"continue": more} if more else {})}
    return web.json_response({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items})


def line(type_: str, object_: dict[str, Any]) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": type_, "object": object_}).encode() + b"\n"


def bookmark(version: str) -> bytes:
    """A bookmark's line."""
    return line("BOOKMARK", {"kind": "Node", "metadata": {"resourceVersion": version, "creationTimestamp": None}})


async def stream(request: web.Request, *chunks: bytes, hold: bool = False, cut: bool = False) -> web.StreamResponse:
    """A watch's answer: the chunks, then silence (`hold`), a broken connection (`cut`) or a clean end."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for chunk in chunks:
        await response.write(chunk)
    if hold:
        await asyncio.sleep(60)
    if cut and request.transport:
        request.transport.abort()
    return response


def node(name: str, arch: str = "arm64", version: str = "5") -> dict[str, Any]:
    """A node on the wire."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version, "labels": {"kubernetes.io/arch": arch}},
        "status": {
            "nodeInfo": {"architecture": arch},
            "conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "58"},
        },
    }


def pod(name: str, namespace: str = "payments", node_name: str = "n1", labels: dict[str, str] | None = None) -> dict[str, Any]:
    """A running pod on the wire."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "resourceVersion": "6",
            "labels": labels or {"app": "payments"},
        },
        "spec": {
            "nodeName": node_name,
            "containers": [
                {
                    "name": "main",
                    "image": "registry.example.com/payments:1",
                    "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
                }
            ],
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
