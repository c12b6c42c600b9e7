"""A Python package index, asked for the files of a package. Bounded in time and size; nothing is downloaded but lists of files.

Sources: PEP 691 (the simple API as JSON), PEP 503 (as HTML), PEP 592 (yanked files).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from cockpit.audit.lockfiles.entries import Listed
from cockpit.clock import Clock, WallClock
from cockpit.connections.failures import plain_words
from cockpit.errors import CockpitError, NotFound, Rejected, Throttled, Unauthorized, Unreachable, UsageError
from cockpit.redact import know_url, told
from cockpit.rules.portability.wheels import normal
from cockpit.text import clean

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
REQUEST_SECONDS = 40.0
"""Wall seconds; the last for one package's whole list."""
MOST_BYTES = 24 << 20
"""Of one answer, unpacked. Packages with thousands of files have a few megabytes."""
MOST_FILES = 50_000
TRIES = 3
AGAIN_SECONDS = 1.0
LONGEST_WAIT = 20.0
MOST_REDIRECTS = 3
_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"


class _File(msgspec.Struct):
    filename: str
    hashes: dict[str, str] = {}
    yanked: bool | str = False


class _Project(msgspec.Struct):
    files: list[_File] = []


class Index:
    """The simple API at `url`, which names the folder of all packages. UsageError when that is no address."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        know_url(url)
        self._clock = clock or WallClock()
        self._url = url.rstrip("/")
        try:
            parts = urlsplit(url)
            self.host = parts.hostname or ""
        except ValueError:
            parts, self.host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not self.host:
            raise UsageError(f"{told(url, 120)} is no package index; write its simple API's address, https://host/path/simple")
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={"User-Agent": "cutover-cockpit", "Accept": _ACCEPT},
            follow_redirects=True,
            max_redirects=MOST_REDIRECTS,
        )
        self._failed = 0
        self._down: CockpitError | None = None

    async def __aenter__(self) -> Index:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def files(self, name: str) -> tuple[Listed, ...]:
        """Every file of a package. NotFound, Unauthorized, Throttled, Unreachable, Rejected.

        An index that fails to answer several times in a row is not asked again: a thousand packages would wait one by one.
        """
        for attempt in range(TRIES):
            if self._down:
                raise self._down
            try:
                found = await self._files(name)
            except Throttled as error:
                if attempt == TRIES - 1:
                    raise
                wait = error.retry_after if error.retry_after is not None else AGAIN_SECONDS * 2**attempt
                await self._clock.sleep(min(LONGEST_WAIT, max(0.0, wait)))
            except Unreachable as error:
                self._failed += 1
                self._down = error if self._failed >= TRIES else None
                raise
            else:
                self._failed = 0
                return found
        raise AssertionError("unreachable: the last try raises")

    async def _files(self, name: str) -> tuple[Listed, ...]:
        with _plain_words(self.host):
            async with (
                asyncio.timeout(REQUEST_SECONDS),
                self._client.stream("GET", f"{self._url}/{normal(name)}/") as response,
            ):
                self._refuse(response, name)
                body = bytearray()
                async for chunk in response.aiter_bytes(1 << 16):
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise Rejected(
                            f"package index {self.host}: its list for {name} is over {MOST_BYTES >> 20} MB", status=200
                        )
                kind = response.headers.get("Content-Type", "")
        files = _decoded(bytes(body), kind, self.host)
        return tuple(Listed(clean(one.filename, 500), one.sha256, one.yanked) for one in files[:MOST_FILES])

    def _refuse(self, response: httpx.Response, name: str) -> None:
        status, who = response.status_code, f"package index {self.host}"
        if status == 200:
            return
        if status == 404:
            raise NotFound(f"{who} does not have {name}", status=404)
        if status in (401, 403):
            raise Unauthorized(f"{who} refuses to show {name}: put a login into the address or into ~/.netrc")
        if status == 429 or (status == 503 and "Retry-After" in response.headers):
            text = response.headers.get("Retry-After", "")
            raise Throttled(f"{who} asks to wait", status=status, retry_after=float(text) if text.isdecimal() else None)
        raise Rejected(f"{who}: HTTP {status} for {name}", status=status)


@contextmanager
def _plain_words(host: str) -> Iterator[None]:
    with plain_words(f"package index {clean(host, 200)}"):
        try:
            yield
        except (httpx.TooManyRedirects, UnicodeError):
            raise Unreachable(f"package index {host} sends from one place to the next") from None


def _decoded(body: bytes, kind: str, host: str) -> list[Listed]:
    if "json" not in kind:
        page = _Page()
        page.feed(body.decode("utf-8", "replace"))
        return page.files
    try:
        project = msgspec.json.decode(body, type=_Project)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected(f"package index {host} answers with what is no list of files (PEP 691)", status=200) from None
    return [Listed(one.filename, one.hashes.get("sha256", "").lower(), bool(one.yanked)) for one in project.files]


class _Page(HTMLParser):
    """The links of a PEP 503 page: the file's name is the end of the address, its digest the fragment."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Listed] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link."""
        found = dict(attrs)
        if tag != "a" or not found.get("href") or len(self.files) >= MOST_FILES:
            return
        address, _, fragment = str(found["href"]).partition("#")
        name = unquote(address.partition("?")[0].rpartition("/")[2])
        digest = fragment.removeprefix("sha256=").lower() if fragment.startswith("sha256=") else ""
        self.files.append(Listed(name, digest, "data-yanked" in found))
