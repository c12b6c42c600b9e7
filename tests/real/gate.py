"""What stands before a real registry: it wants tokens, and refuses at first; and a clock for whoever waits."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from aiohttp import web

from tests.contract.small_api import serving
from tests.real.test_registry import PASSWORD, USER


@dataclass
class HastyClock:
    """Whoever sleeps wakes at once, that much later."""

    speed: float = 1.0
    elapsed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)


@dataclass
class Gate:
    """Stands before the registry: wants a token for what is private, and refuses at first what is limited."""

    upstream: str
    refusals: int = 0
    retry_after: str = "7"
    anonymous: bool = False
    url: str = ""
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return self._token(request)
        self.asked.append(f"{request.method} {request.path}")
        if self.refusals:
            self.refusals -= 1
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.json_response({"errors": [{"code": "TOOMANYREQUESTS"}]}, status=429, headers=headers)
        if request.headers.get("Authorization") != "Bearer secret-token":
            scope = f"repository:{request.path.split('/')[2]}:pull"
            challenge = f'Bearer realm="{self.url}/token",service="here",scope="{scope}"'
            return web.json_response({}, status=401, headers={"WWW-Authenticate": challenge})
        async with httpx.AsyncClient(timeout=20.0) as client:
            headers = {"Accept": request.headers.get("Accept", "*/*")}
            answer = await client.request(request.method, f"http://{self.upstream}{request.path}", headers=headers)
        kept = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "docker-content-digest")}
        return web.Response(status=answer.status_code, body=answer.content, headers=kept)

    def _token(self, request: web.Request) -> web.Response:
        known = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if not self.anonymous and request.headers.get("Authorization") != known:
            return web.json_response({}, status=401)
        return web.json_response({"token": "secret-token", "expires_in": 300})


@asynccontextmanager
async def gate(upstream: str, **how: Any) -> AsyncIterator[Gate]:
    made = Gate(upstream, **how)
    async with serving(made) as made.url:
        yield made
