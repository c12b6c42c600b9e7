"""Two embedded clusters that look alike, behind one address that leads to either of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from cockpit.connections.kube import KubeClient
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.authz import User
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from tests.unit.rehearsal.worlds import world
from tests.wire.proxy import Proxy

READING = ("GET", "HEAD", "OPTIONS")


@dataclass
class Cluster:
    """An embedded cluster: its port, the identity that it tells, and every request that was to change something."""

    port: int
    uid: str
    writes: list[str] = field(default_factory=list)


class Leading(Proxy):
    """An address that leads to the port `target`, and to `elsewhere` from its `after`th message on (None: never).

    What is open then is reset with that message unsent, or with `cuts` off goes on to where it always led.
    """

    def __init__(self, target: int, elsewhere: int) -> None:
        super().__init__(target)
        self.elsewhere = elsewhere
        self.messages = 0
        self.after: int | None = None
        self.cuts = True

    def asked(self) -> None:
        """Count it."""
        self.messages += 1
        if self.after is not None and self.messages > self.after:
            self.lead()

    async def stop(self) -> None:
        """With whatever was just being accepted or dialled."""
        for _ in range(5):
            await super().stop()
            await asyncio.gather(*self._dialling, return_exceptions=True)

    def lead(self) -> None:
        """Elsewhere from now on."""
        self.after, self.target = None, self.elsewhere
        for link in tuple(self.links) if self.cuts else ():
            link.reset()


@dataclass
class Pair:
    """The right cluster, the wrong one, and the address in front of them."""

    right: Cluster
    wrong: Cluster
    address: Leading
    kubeconfig: Path

    @asynccontextmanager
    async def client(self) -> AsyncIterator[KubeClient]:
        """Connected through the address, and pinned to the right cluster."""
        client = await KubeClient.connect(kubeconfig=self.kubeconfig)
        try:
            client.pin(await client.identity())
            yield client
        finally:
            await client.aclose()


@asynccontextmanager
async def pair(folder: Path, *, same_authority: bool = True) -> AsyncIterator[Pair]:
    """Both clusters have the same objects and users; with the `same_authority` TLS tells no difference either."""
    async with AsyncExitStack() as stack:
        certificates = make_certificates()
        right, authority = await cluster(stack, folder, world(seed=1, balanced=False).storage, certificates)
        wrong, _ = await cluster(
            stack, folder, world(seed=2, balanced=False).storage, certificates if same_authority else make_certificates()
        )
        address = Leading(right.port, wrong.port)
        await address.start()
        stack.push_async_callback(address.stop)
        path = folder / "kubeconfig"
        write_kubeconfig(path, f"https://127.0.0.1:{address.port}", authority, "payments")
        yield Pair(right, wrong, address, path)


async def cluster(
    stack: AsyncExitStack,
    folder: Path,
    storage: Storage,
    certificates: Certificates,
    users: Mapping[str, User] | None = None,
) -> tuple[Cluster, bytes]:
    """An API server around `storage`, and the authority that its certificate is checked with."""
    writes: list[str] = []

    @web.middleware
    async def audit(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        if request.method not in READING and "reviews" not in request.path:
            writes.append(f"{request.method} {request.path}")
        return await handler(request)

    app = make_app(storage, users)
    app.middlewares.insert(0, audit)
    serving = await serve(app, folder, certificates=certificates)
    stack.push_async_callback(serving.stop)
    uid = storage.get("namespaces", None, "kube-system")["metadata"]["uid"]
    return Cluster(urlsplit(serving.url).port or 0, uid, writes), serving.authority
