"""A Kubernetes API server over plain HTTP: raw bytes out, JSON in, every failure a `cockpit.errors`.

The official client's models cost 40 times the time and 8 times the memory of decoding the bytes where they are needed, and it
sets no socket time-out; so only credentials come from it. Writes have lanes of their own, apart from what is read: a write never
waits for a read, nor for a handshake or a token. So has the pulse, which must not hang with what it is there to rescue.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec

from cockpit.connections.failures import plain_words, rejection
from cockpit.connections.kube_http import CONNECT_SECONDS, READ_SECONDS, WARM_SECONDS, client_of, encoding
from cockpit.connections.landing import Landing
from cockpit.connections.lanes import Lanes
from cockpit.connections.offers import Offers
from cockpit.connections.pinned import HURRIED_SECONDS, KUBE_SYSTEM, TRIES, Reconnecting, another, sealed, uid_of, unasked
from cockpit.connections.pool import Pool
from cockpit.connections.pulse import PATIENCE_SECONDS, Pulse
from cockpit.connections.reading import Reading
from cockpit.connections.renewal import Renewal, Say
from cockpit.connections.tidy import tidy
from cockpit.connections.wire import list_meta
from cockpit.errors import CockpitError, Refused, Unreachable, UsageError
from cockpit.model.json import Json
from cockpit.redact import told
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.connections.credentials import Access
    from cockpit.connections.ran import Ran

Params = Mapping[str, str]

REQUEST_SECONDS = 60.0
"""The longest that a whole request may take, however steadily bytes trickle in."""
WATCH_READ_SECONDS = 75.0
"""Longer than the minute between bookmarks: silence for so long means that the connection is dead."""
WATCH_SECONDS = 300
_NOTHING: Params = {}


class KubeClient:
    """An authenticated API server. All time-outs are wall time. Use from one event loop; close with `aclose`."""

    def __init__(self, access: Access) -> None:
        self.context = clean(access.context, 200)
        self.server = told(access.server, 200)
        self._access = access
        self._what = f"API server {self.server}"
        self._reader = Pool(lambda: client_of(access, READ_SECONDS, CONNECT_SECONDS))
        self._lanes = Lanes(lambda: client_of(access, READ_SECONDS, CONNECT_SECONDS))
        self._prober = Pool(lambda: client_of(access, PATIENCE_SECONDS, PATIENCE_SECONDS))
        self._warm: asyncio.Task[None] | None = None
        self._renewal = Renewal(access)
        self._reading = Reading(access, self._reader, self._headers, self._what)
        self.offers = Offers(lambda: self.get("/version"), encoding(access.server))
        """How lists are had best from this server."""
        self._pinned = ""
        self._landing = Landing()
        self.read_only = ""
        """Why nothing may be written here, so that no request that changes anything leaves; empty when it may."""
        self.pulse = Pulse(self._probe, self._leave_behind)
        """Whether the server answers at all; felt by whoever watches."""

    @classmethod
    async def connect(cls, context: str | None = None, kubeconfig: Path | None = None) -> KubeClient:
        """The client for a context (None: the current one), without asking the server anything yet.

        UsageError for an unknown context (lists those there are) or no kubeconfig, Unauthorized when credentials cannot be had.
        """
        access = await asyncio.to_thread(_open, context, kubeconfig)
        try:
            return cls(access)
        except (httpx.InvalidURL, ValueError) as error:
            raise UsageError(f"the kubeconfig names no address of a server: {told(access.server, 200)}") from error

    async def get(self, path: str, params: Params = _NOTHING) -> bytes:
        """The body of a GET; of an object only once a `patch` of it that is under way has ended."""
        await self._landing.clear(path)
        return await self._request(self._reader, "GET", path, params)

    async def look(self, path: str) -> bytes:
        """As `get`, for who is about to write: on a connection that is kept for writes, which is open already."""
        await self._landing.clear(path)
        async with self._lanes.one() as lane:
            return await self._request(lane, "GET", path, _NOTHING)

    async def pages(self, path: str, params: Params = _NOTHING, limit: int = 500) -> AsyncGenerator[bytes, None]:
        """A list in pages of up to `limit` objects. Gone when the server forgot the list's version half-way: start again."""
        asked = {**params, "limit": str(limit)}
        while True:
            page = await self._reading.page(path, asked, self.offers.encoding)
            try:
                token = list_meta(page).continue_
            except msgspec.DecodeError as error:
                raise Unreachable(f"{self._what}: its answer to a list is none ({clean(str(error), 200)})") from error
            yield page
            if not token:
                return
            asked["continue"] = token

    async def watch(self, path: str, params: Params = _NOTHING, *, accepted: bool = False) -> AsyncGenerator[bytes, None]:
        """The lines of a watch, one JSON object each, until the server ends it. The last one may be cut off with the stream.

        With `accepted` an empty line comes first, once the server has taken the watch: it may have nothing to tell for long.
        """
        async with aclosing(self.watched(path, params)) as found:
            async for lines in found:
                for line in lines or ([b""] if accepted else []):
                    yield line

    def watched(self, path: str, params: Params = _NOTHING) -> AsyncGenerator[list[bytes], None]:
        """The same, as many lines at a time as have come; first none, once the server has taken the watch."""
        asked = {"allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS), **params, "watch": "1"}
        return self._reading.watch(path, asked, WATCH_READ_SECONDS)

    @property
    def authority(self) -> str:
        """SHA-256 of the certificates that the kubeconfig has the server's own checked with; empty when it names none."""
        return self._access.authority

    @property
    def verifies(self) -> bool:
        """The server has to prove that it is who it is called, by a certificate."""
        return self._access.tls is not None and self._access.tls.verify_mode is ssl.CERT_REQUIRED

    async def identity(self) -> str:
        """The UID of the namespace kube-system: no two clusters have the same."""
        return uid_of(await self.get(KUBE_SYSTEM), self._what)

    def pin(self, uid: str) -> None:
        """Write to no cluster but the one with this identity, whatever the address leads to later on.

        From then on each write asks first and is sent where the answer came from: Refused, with nothing sent, when that is
        another cluster or cannot be told. One on the `way_back` is refused by another cluster alone.
        """
        self._pinned = uid

    async def sure(self) -> None:
        """Refused when what is read here comes from another cluster than the pinned one; nothing when that cannot be told."""
        if not self._pinned:
            return
        try:
            async with asyncio.timeout(HURRIED_SECONDS):
                found = await self.identity()
        except (CockpitError, TimeoutError):
            return
        if found != self._pinned:
            await self._reader.renew()
            raise another(self._what, self._pinned, found)

    async def patch(
        self,
        path: str,
        body: Json,
        content_type: str = "application/json-patch+json",
        params: Params = _NOTHING,
        *,
        way_back: bool = False,
    ) -> bytes:
        """The object after a PATCH. Conflict when a `test` of a JSON Patch fails. For `way_back` see `pin`.

        Once sent it is waited for, also by whoever was told to stop. What the other verbs write is compared and swapped: one that
        nobody waits for can do no harm.
        """
        return await self._write("PATCH", path, body, params, content_type, way_back=way_back)

    async def post(self, path: str, body: Json, params: Params = _NOTHING) -> bytes:
        """The answer to a POST that makes something."""
        return await self._write("POST", path, body, params)

    async def ask(self, path: str, body: Json) -> bytes:
        """The answer to a POST that keeps nothing, as reviews of access are."""
        return await self._reading.page(path, _NOTHING, self.offers.encoding, msgspec.json.encode(body))

    async def rehearse(self, path: str, body: Json) -> bytes:
        """The object that a POST would make: the server admits it, with its webhooks, and keeps nothing (`dryRun=All`)."""
        return await self._reading.page(path, {"dryRun": "All"}, self.offers.encoding, msgspec.json.encode(body))

    async def put(self, path: str, body: Json, params: Params = _NOTHING) -> bytes:
        """The object after a PUT. Conflict when the resourceVersion in `body` is no longer that of the object."""
        return await self._write("PUT", path, body, params)

    async def delete(self, path: str, body: Json, params: Params = _NOTHING) -> bytes:
        """The answer to a DELETE with these DeleteOptions. Conflict when one of their preconditions does not hold."""
        return await self._write("DELETE", path, body, params)

    async def execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> Ran:
        """Run a command in a container, without input and with bounded output. It needs get and create on pods/exec."""
        if self.read_only:
            raise Refused(f"nothing was run: {self.read_only}")
        module = await asyncio.to_thread(import_module, "cockpit.connections.kube_exec")  # aiohttp is 0.5 s of imports
        door = module.Door(self._access.server, self._headers(), self._access.tls, self._access.proxy)
        ran: Ran = await module.execute(door, f"/api/v1/namespaces/{namespace}/pods/{pod}/exec", container, command)
        return ran

    def keep_warm(self, say: Say | None = None) -> None:
        """Hold open connections for writes from now on: none costs a handshake. `say` hears of trouble with renewals."""
        self._renewal.say = say
        if self._warm is None:
            self._warm = asyncio.create_task(self._keep_warm(), name="kube-warm")

    async def aclose(self) -> None:
        """Close every connection."""
        self._reading.renew()
        await self._renewal.aclose()
        if self._warm:
            self._warm.cancel()
            with suppress(asyncio.CancelledError):
                await self._warm
        for pool in (self._reader, self._lanes, self._prober):
            await pool.aclose()

    async def _probe(self) -> None:
        await self._send(self._prober, "GET", "/version", _NOTHING, None, _NOTHING)

    async def _leave_behind(self) -> None:
        self._reading.renew()
        for pool in (self._reader, self._lanes):
            await pool.renew()

    async def _keep_warm(self) -> None:
        while True:
            await self._lanes.warm(self._greet)
            await asyncio.sleep(WARM_SECONDS)

    async def _greet(self, lane: Pool) -> None:
        # A way back that gets no answer in time goes out without one: no connection that waits for it may lead elsewhere.
        if not await self._is_pinned(lane, way_back=False):
            await self._request(lane, "GET", "/version", _NOTHING)

    async def _write(
        self, method: str, path: str, body: Json, params: Params, kind: str = "application/json", *, way_back: bool = False
    ) -> bytes:
        if self.read_only:
            raise Refused(f"nothing was sent: {self.read_only}")
        raw, extra = msgspec.json.encode(body), {"Content-Type": kind}
        for _ in range(TRIES):
            async with self._lanes.one() as lane:
                seal = await self._is_pinned(lane, way_back=way_back)
                request = self._request(lane, method, path, params, raw, extra, seal=seal)
                with suppress(Reconnecting):
                    return await (self._landing.write((path,), request) if method == "PATCH" else request)
        raise Unreachable(f"{self._what}: its connections break off before anything can be written; nothing was sent")

    async def _is_pinned(self, lane: Pool, *, way_back: bool) -> bool:
        """Whether the pinned cluster has just answered; False where nothing is pinned. Refused as `pin` says."""
        if not self._pinned:
            return False
        try:
            async with asyncio.timeout(HURRIED_SECONDS if way_back else None):
                found = uid_of(await self._request(lane, "GET", KUBE_SYSTEM, _NOTHING), self._what)
        except (CockpitError, TimeoutError) as error:
            if way_back:
                return False
            raise unasked(error) from error
        if found != self._pinned:
            await self._lanes.renew()
            raise another(self._what, self._pinned, found)
        return True

    async def _request(
        self,
        pool: Pool,
        method: str,
        path: str,
        params: Params,
        body: bytes | None = None,
        extra: Params = _NOTHING,
        *,
        seal: bool = False,
    ) -> bytes:
        response = await self._send(pool, method, path, params, body, extra, seal=seal)
        if response.status_code == 401 and await asyncio.to_thread(self._access.renew):
            # A refused request was not carried out, so even a write may be sent again.
            response = await self._send(pool, method, path, params, body, extra, seal=seal)
        if response.status_code >= 400:
            raise rejection(response.status_code, response.content, response.headers.get("Retry-After"))
        return response.content

    async def _send(
        self, pool: Pool, method: str, path: str, params: Params, body: bytes | None, extra: Params, *, seal: bool = False
    ) -> httpx.Response:
        headers = {**self._headers(), **extra}
        extensions = sealed(tidy()) if seal else tidy()
        with plain_words(self._what):
            async with asyncio.timeout(REQUEST_SECONDS), pool.client() as client:
                return await client.request(method, path, params=params, content=body, headers=headers, extensions=extensions)

    def _headers(self) -> dict[str, str]:
        self._renewal.start()
        return self._access.headers()


def _open(context: str | None, kubeconfig: Path | None) -> Access:
    from cockpit.connections.credentials import open_access  # 0.5 s of imports, off the event loop

    return open_access(context, kubeconfig)
