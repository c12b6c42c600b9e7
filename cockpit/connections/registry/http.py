"""One registry over HTTP: manifests and blobs as bytes, authenticated, bounded in time and size, checked by digest.

Source: OCI distribution-spec, "Pulling manifests" and "Pulling blobs".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import msgspec

from cockpit.connections.failures import plain_words
from cockpit.connections.registry.auth import Login, Tokens, address, host_of, loopback, seconds
from cockpit.connections.registry.credentials import Credentials
from cockpit.connections.registry.documents import ACCEPT, digest_of, old_schema, refused, verify
from cockpit.connections.registry.trust import Trust
from cockpit.errors import CockpitError, NotFound, Rejected, Throttled, Unauthorized, Unreachable
from cockpit.model.image import DIGEST, DOCKER_HUB
from cockpit.redact import told
from cockpit.text import clean

CONNECT_SECONDS = 4.0
READ_SECONDS = 8.0
REQUEST_SECONDS = 20.0
"""Wall seconds; the last is for a whole request, redirects included, however steadily bytes trickle in."""
MANIFEST_BYTES = 4 << 20
"""What distribution's own limit is."""
BLOB_BYTES = 8 << 20
TOKEN_BYTES = 1 << 20
MOST_REDIRECTS = 3
_SCHEMA_1 = "docker.distribution.manifest.v1+"
_HUB_ENDPOINT = "https://registry-1.docker.io"
_MOVED = (301, 302, 303, 307, 308)
_Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest's bytes with what they are: their digest, and the type that the registry gave."""

    body: bytes
    digest: str
    content_type: str


class _Fault(msgspec.Struct):
    code: str | None = ""
    message: str | None = ""


class _Faults(msgspec.Struct):
    errors: list[_Fault] | None = None


class RegistryHost:
    """A registry at `endpoint`, or where its name says. Use from one event loop; close with `aclose`."""

    def __init__(self, name: str, endpoint: str | None, credentials: Credentials, trust: Trust | None = None) -> None:
        self.name = name
        self._endpoint = (endpoint or _usual(name)).rstrip("/")
        # Like a mirror in containerd: it is told for whom it stands in, and gets the credentials of its own name, no others.
        self._mirror = {"ns": name} if endpoint else {}
        parts = address(self._endpoint)
        if parts is None:
            raise Rejected(f"registry {clean(name, 200)} has no address that can be asked", status=400, reason="reference")
        self._local = loopback(parts.host)
        plain = parts.scheme == "http"
        account = parts.netloc.decode() if endpoint else name
        trusted = not plain or self._local
        self._tokens = Tokens(name, self._token, lambda again: _login(credentials, account, again, trusted=trusted), plain=plain)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            trust_env=not self._local,
            verify=(trust or Trust()).context(environment=not self._local),
            auth=_no_auth,
            headers={"User-Agent": "cutover-cockpit", "Accept-Encoding": "identity"},
        )

    async def manifest(self, repository: str, version: str) -> Fetched:
        """The manifest or index that a tag or digest names. NotFound, Unauthorized, Throttled, Unreachable, Rejected."""
        path = f"/v2/{repository}/manifests/{version}"
        response, body = await self._get(repository, path, {"Accept": ACCEPT}, MANIFEST_BYTES)
        if _SCHEMA_1 in response.headers.get("Content-Type", ""):
            raise old_schema()  # its digest is of a part of its bytes
        if DIGEST.fullmatch(version):
            verify(body, version)
            digest = version
        else:
            digest = digest_of(body)
            claimed = response.headers.get("Docker-Content-Digest", "")
            if claimed.startswith("sha256:") and claimed != digest:
                raise refused("its bytes do not have the digest that the registry tells")
        return Fetched(body, digest, response.headers.get("Content-Type", ""))

    async def blob(self, repository: str, digest: str) -> bytes:
        """The bytes of a small blob, as a configuration is."""
        if not DIGEST.fullmatch(digest):
            raise refused("it names a blob by no digest that can be checked")
        _, body = await self._get(repository, f"/v2/{repository}/blobs/{digest}", {}, BLOB_BYTES)
        verify(body, digest)
        return body

    async def has_blob(self, repository: str, digest: str) -> bool | None:
        """Whether a blob is there; None when the registry would not say. Unauthorized, Throttled, Unreachable."""
        try:
            await self._get(repository, f"/v2/{repository}/blobs/{digest}", {}, TOKEN_BYTES, method="HEAD")
        except NotFound:
            return False
        except Throttled:
            raise
        except Rejected:
            return await self._opens(repository, digest)
        return True

    async def _opens(self, repository: str, digest: str) -> bool | None:
        """The same by GET, for registries that refuse HEAD: the answer is closed before its bytes are read."""
        try:
            async with self.stream(repository, digest):
                return True
        except NotFound:
            return False
        except Throttled:
            raise
        except Rejected:
            return None

    @asynccontextmanager
    async def stream(self, repository: str, digest: str) -> AsyncGenerator[httpx.Response, None]:
        """A blob's answer, open, with its bytes still to be read and to be checked against the digest by whoever reads them."""
        response, _ = await self._get(repository, f"/v2/{repository}/blobs/{digest}", {}, None)
        try:
            yield response
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _get(
        self, repository: str, path: str, headers: _Headers, limit: int | None, method: str = "GET"
    ) -> tuple[httpx.Response, bytes]:
        known = self._tokens.header(repository)
        for attempt in range(3):
            sent = {**headers, **({"Authorization": known} if known else {})}
            request = self._client.build_request(method, self._endpoint + path, params=self._mirror, headers=sent)
            response, body = await self._follow(request, limit)
            if response.status_code != 401 or attempt == 2:
                break
            # Once because no token was sent or it has expired, once more because the password may have changed.
            known = await self._tokens.answer(repository, response.headers.get_list("WWW-Authenticate"), again=attempt > 0)
        there = method == "HEAD" and response.status_code in _MOVED
        if response.status_code != 200 and not there:
            raise self._refusal(response, body, path.removeprefix("/v2/"))
        return response, body

    async def _follow(self, request: httpx.Request, limit: int | None) -> tuple[httpx.Response, bytes]:
        """The answer at the end of redirects, which only a blob's storage has a reason to give.

        That a blob is stored somewhere answers a HEAD: the signed address is good for GET only.
        """
        with plain_words(f"registry {self.name}"):
            async with asyncio.timeout(REQUEST_SECONDS):
                for _ in range(MOST_REDIRECTS + 1):
                    response, body = await self._once(request, limit)
                    if response.status_code not in _MOVED or request.method == "HEAD":
                        return response, body
                    request = self._moved(request, response.headers.get("Location", ""))
        raise Unreachable(f"registry {self.name} sends from one place to the next")

    def _moved(self, before: httpx.Request, location: str) -> httpx.Request:
        # The address holds a signature: no part of it but the host may be said.
        try:
            url = address(str(before.url.join(location)))
        except (httpx.InvalidURL, ValueError):
            url = None
        if url is None:
            raise Unreachable(f"registry {self.name} redirects to what is no address")
        lower = url.scheme == "http" and before.url.scheme != "http"
        if url.scheme not in ("http", "https") or lower or url.userinfo:
            raise Unreachable(f"registry {self.name} redirects to an address that is not safe ({host_of(str(url)) or 'no host'})")
        headers = {"Accept": before.headers["Accept"]} if "Accept" in before.headers else {}
        same = (url.scheme, url.host, url.port) == (before.url.scheme, before.url.host, before.url.port)
        if same and "Authorization" in before.headers:
            headers["Authorization"] = before.headers["Authorization"]
        return self._client.build_request("GET", url, headers=headers)

    async def _once(self, request: httpx.Request, limit: int | None) -> tuple[httpx.Response, bytes]:
        """An answer, closed, with at most `limit` bytes of a body; without a limit one of 200 stays open and unread."""
        opened = False
        try:
            response = await self._client.send(request, stream=True, follow_redirects=False)
        except UnicodeError:  # httpx reads where an answer would redirect to, whether or not it is to follow
            raise Unreachable(f"registry {self.name} redirects to what is no address") from None
        try:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise refused("its answer is compressed, which was not asked for")
            if opened := limit is None and response.status_code == 200:
                return response, b""
            return response, await _read(response, TOKEN_BYTES if limit is None else limit)
        finally:
            if not opened:
                await response.aclose()

    async def _token(self, request: httpx.Request) -> tuple[int, bytes, httpx.Headers]:
        with plain_words(f"registry {self.name}'s token server {host_of(str(request.url))}"):
            async with asyncio.timeout(REQUEST_SECONDS):
                response, body = await self._once(request, TOKEN_BYTES)
        return response.status_code, body, response.headers

    def _refusal(self, response: httpx.Response, body: bytes, what: str) -> CockpitError:
        status, code, said = response.status_code, *_said(body)
        words = f"registry {self.name}: {said or f'HTTP {status}'}"
        if status in (401, 403):
            return Unauthorized(f"registry {self.name} refuses to show {clean(what, 200)}: log in (docker login {self.name})")
        if status == 429 or (status == 503 and seconds(response.headers) is not None):
            wait = seconds(response.headers)
            return Throttled(f"registry {self.name} asks to wait", status=status, reason=code, retry_after=wait)
        if status == 404:
            return NotFound(f"registry {self.name} does not have {clean(what, 200)}", status=404, reason=code)
        if status >= 500:
            return Unreachable(words)
        return Rejected(words, status=status, reason=code)


async def _read(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise refused(f"its answer is over {limit >> 20} MB")
    return bytes(body)


def _usual(name: str) -> str:
    if name == DOCKER_HUB:
        return _HUB_ENDPOINT
    return f"{'http' if loopback(name.rpartition(':')[0] or name) else 'https'}://{name}"


def _login(credentials: Credentials, account: str, again: bool, *, trusted: bool) -> Login:
    # Whoever listens on the way could read what is sent without TLS.
    return credentials.login(account, again=again) if trusted else Login()


def _no_auth(request: httpx.Request) -> httpx.Request:
    return request


def _said(body: bytes) -> tuple[str, str]:
    try:
        faults = msgspec.json.decode(body, type=_Faults).errors
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        faults = None
    first = faults[0] if faults else _Fault()
    return told(first.code or "", 60), told(" ".join(filter(None, (first.code, first.message))), 200)
