"""A registry over a real socket that can want a token or a password, redirect its blobs, and misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from cockpit.connections.registry.client import RegistryClient
from cockpit.rehearsal.images import Build
from cockpit.rehearsal.registry_content import pushed
from tests.contract.small_api import serving

USER, PASSWORD = "robot", "hunter2-secret"
IDENTITY = "identity-token-secret"
TOKEN = "bearer-token-secret"
SECRETS = (PASSWORD, IDENTITY, TOKEN, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "signature-secret")

HOST = "registry.example.com"
NAME = "payments/api"


@asynccontextmanager
async def client(at: Bench) -> AsyncIterator[RegistryClient]:
    """A client for which the bench is HOST."""
    made = RegistryClient({HOST: at.url})
    try:
        yield made
    finally:
        await made.aclose()


def basic() -> str:
    """The header of the one user."""
    return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass
class Bench:
    """What it holds: manifests and blobs by `repository/version`. `wants` is "", "basic" or "bearer"."""

    wants: str = ""
    anonymous: bool = True
    """The token server gives tokens to anybody."""
    url: str = ""
    storage: str = ""
    """Where blobs are redirected to, when not empty."""
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    fault: Callable[[web.Request], web.Response | None] = lambda _: None
    realm: str = ""
    expires_in: object = 300
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(path, Authorization) of each."""

    def push(self, repository: str, tag: str, build: Build) -> str:
        """Push an image; returns its digest."""
        made = pushed(f"{repository}:{tag}", build)
        self.manifests |= {f"{repository}/{digest}": held for digest, held in made.manifests.items()}
        self.blobs |= {f"{repository}/{digest}": held for digest, held in made.blobs.items()}
        self.manifests[f"{repository}/{tag}"] = made.manifests[made.digest]
        return made.digest

    def put(self, repository: str, version: str, document: Any, media: str) -> str:
        """Put any manifest under a tag or digest; returns its true digest."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        self.manifests[f"{repository}/{version}"] = self.manifests[f"{repository}/{digest}"] = media, body
        return digest

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, request.headers.get("Authorization", "")))
        if (fault := self.fault(request)) is not None:
            return fault
        if request.path == "/token":
            return await self._token(request)
        if request.path.startswith("/stored/"):
            return self._stored(request)
        if not self._let_in(request):
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401, headers=self._challenge(request))
        _, _, rest = request.path.partition("/v2/")
        for kind, held in (("manifests", self.manifests), ("blobs", self.blobs)):
            repository, middle, version = rest.partition(f"/{kind}/")
            if middle and (found := held.get(f"{repository}/{version}")):
                if kind == "blobs" and self.storage:
                    return web.Response(
                        status=307, headers={"Location": f"{self.storage}/stored/{version}?X-Sig=signature-secret"}
                    )
                return web.Response(body=found[1], headers={"Content-Type": found[0]})
        return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "unknown"}]}, status=404)

    def _challenge(self, request: web.Request) -> dict[str, str]:
        if self.wants == "basic":
            return {"WWW-Authenticate": 'Basic realm="registry"'}
        name = request.path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0]
        realm = self.realm or f"{self.url}/token"
        return {"WWW-Authenticate": f'Bearer realm="{realm}",service="registry.example.com",scope="repository:{name}:pull"'}

    def _let_in(self, request: web.Request) -> bool:
        sent = request.headers.get("Authorization", "")
        return {"": True, "basic": sent == basic(), "bearer": sent == f"Bearer {TOKEN}"}[self.wants]

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = form if request.method == "POST" else request.query
        known = request.headers.get("Authorization") == basic() or form.get("refresh_token") == IDENTITY
        if not (known or self.anonymous) or not str(asked.get("scope", "")).endswith(":pull"):
            return web.json_response({"details": "incorrect username or password"}, status=401)
        return web.json_response({"token": TOKEN, "expires_in": self.expires_in})

    def _stored(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="only one auth mechanism allowed")
        digest = request.path.removeprefix("/stored/")
        held = next(body for key, (_, body) in self.blobs.items() if key.endswith(digest))
        return web.Response(body=held)


@asynccontextmanager
async def bench(**how: Any) -> AsyncIterator[Bench]:
    """A bench that is served."""
    made = Bench(**how)
    async with serving(made) as made.url:
        yield made
