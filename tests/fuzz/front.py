"""Counting fronts on real sockets: what a cockpit sends to a server passes through one, and is kept if it changes anything."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from cockpit.rehearsal.client import Ready
from cockpit.rehearsal.kube.tls import Certificates, make_certificates

HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"})
REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")
"""POSTs that keep nothing: a server answers who one is and what one may."""
Mutates = Callable[[web.Request, bytes], bool]


def kube(request: web.Request, body: bytes) -> bool:
    """Everything but reading; an exec begins with a GET and is no reading."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return request.path.endswith(("/exec", "/attach", "/portforward")) or "/proxy" in request.path
    return not request.path.endswith(REVIEWS)


def aws(request: web.Request, body: bytes) -> bool:
    """Whatever is not called Describe, Get or List, in the query protocol or by a target header."""
    action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    action = action or request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return not action.startswith(("Describe", "Get", "List"))


def metrics(request: web.Request, body: bytes) -> bool:
    """Prometheus takes a long query as a POST, and nothing else here."""
    return not request.path.endswith(("/query", "/query_range"))


def registry(request: web.Request, body: bytes) -> bool:
    """Pulling is GET and HEAD."""
    return request.method not in ("GET", "HEAD")


class Front:
    """Stands before the server at `upstream`: passes everything on as it came."""

    def __init__(self, name: str, upstream: str, mutates: Mutates) -> None:
        self.name = name
        self.seen: Counter[str] = Counter()
        """Requests by method."""
        self.reviews = 0
        self.mutating: list[str] = []
        """`PATCH /apis/...?dryRun=All`, and for AWS its action."""
        self.url = ""
        self._upstream = upstream
        self._mutates = mutates
        self._session: aiohttp.ClientSession | None = None

    async def start(self, stack: AsyncExitStack, certificates: Certificates | None, folder: Path) -> None:
        """Listen on a free port; `stack` ends it."""
        connector = aiohttp.TCPConnector(ssl=False, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(None))
        stack.push_async_callback(self._session.close)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificates.context(folder) if certificates else None).start()
        self.url = f"{'https' if certificates else 'http'}://127.0.0.1:{runner.addresses[0][1]}"

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._count(request, body)
        if "upgrade" in request.headers.get("Connection", "").lower():
            return web.Response(status=403, text="no upgrades here")
        assert self._session
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP}
        target = URL(self._upstream + request.raw_path, encoded=True)
        async with self._session.request(request.method, target, headers=headers, data=body, allow_redirects=False) as got:
            answer = web.StreamResponse(status=got.status, headers={k: v for k, v in got.headers.items() if k.lower() not in HOP})
            await answer.prepare(request)
            with suppress(ConnectionResetError):  # whoever asked has gone
                async for chunk in self.body(request, got):
                    await answer.write(chunk)
                await answer.write_eof()
            return answer

    async def body(self, request: web.Request, got: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The answer's body, piece by piece as it comes."""
        async for chunk in got.content.iter_any():
            yield chunk

    def _count(self, request: web.Request, body: bytes) -> None:
        self.seen[request.method] += 1
        self.reviews += request.path.endswith(REVIEWS)
        if self._mutates(request, body):
            action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0] if self.name == "aws" else request.raw_path
            self.mutating.append(f"{request.method} {action}")


class Fronts:
    """All fronts of one cockpit, with the kubeconfig and the playbook that lead to them."""

    def __init__(self, kubeconfig: Path, playbook: Path, fronts: dict[str, Front]) -> None:
        self.kubeconfig = kubeconfig
        self.playbook = playbook
        self.fronts = fronts

    @property
    def mutating(self) -> list[str]:
        """Every request that would change something, whoever it was sent to."""
        return [request for front in self.fronts.values() for request in front.mutating]

    @property
    def seen(self) -> dict[str, dict[str, int]]:
        """Requests by server and method."""
        return {name: dict(front.seen) for name, front in self.fronts.items()}


@asynccontextmanager
async def fronted(ready: Ready, folder: Path, kind: type[Front] = Front) -> AsyncIterator[Fronts]:
    """Fronts of a kind before every server of a world; `folder` is there and private."""
    config = yaml.safe_load(ready.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    servers = {"kube": (cluster["server"], kube), "metrics": (ready.prometheus_url, metrics)}
    servers |= {"aws": (ready.aws_endpoint_url, aws)} if ready.aws_endpoint_url else {}
    servers |= {"registry": (ready.registry_url, registry)}
    certificates = make_certificates()
    fronts = {name: kind(name, url, mutates) for name, (url, mutates) in servers.items()}
    async with AsyncExitStack() as stack:
        for front in fronts.values():
            await front.start(stack, certificates if front.name == "kube" else None, folder)
        cluster |= {"server": fronts["kube"].url, "certificate-authority-data": base64.b64encode(certificates.authority).decode()}
        text = ready.playbook.read_text()
        for name, (url, _) in servers.items():
            text = text.replace(f"127.0.0.1:{urlsplit(url).port}", f"127.0.0.1:{urlsplit(fronts[name].url).port}")
        (folder / "kubeconfig").write_text(yaml.safe_dump(config))
        (folder / "playbook.yaml").write_text(text)
        yield Fronts(folder / "kubeconfig", folder / "playbook.yaml", fronts)
