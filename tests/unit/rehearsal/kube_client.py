"""A served small world and an HTTP client for it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cockpit.clock import Clock, ManualClock
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.faults import Faults
from cockpit.rehearsal.kube.hooks import Hooks
from cockpit.rehearsal.kube.patch import JSON_PATCH
from cockpit.rehearsal.kube.server import Serving, serve
from cockpit.rehearsal.kube.storage import Storage
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE, small_world

CORE = f"/api/v1/namespaces/{NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
TARGET = f"{APPS}/deployments/{DEPLOYMENT}"


@dataclass(frozen=True, slots=True)
class World:
    storage: Storage
    http: httpx.AsyncClient
    serving: Serving

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        response = await self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def patch(self, path: str, patch: object, media: str = JSON_PATCH, **query: str) -> httpx.Response:
        return await self.http.patch(path, json=patch, headers={"Content-Type": media}, params=query)


@asynccontextmanager
async def running(
    folder: Path, *, clock: Clock | None = None, faults: Faults | None = None, hooks: Hooks | None = None, user: str = "operator"
) -> AsyncIterator[World]:
    storage = small_world(clock or ManualClock())
    serving = await serve(make_app(storage, faults=faults, hooks=hooks), folder)
    context = ssl.create_default_context(cadata=serving.authority.decode())
    headers = as_user(user)
    try:
        async with httpx.AsyncClient(base_url=serving.url, verify=context, headers=headers, trust_env=False) as http:
            yield World(storage, http, serving)
    finally:
        await serving.stop()


def as_user(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
