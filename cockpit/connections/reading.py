"""Lists and watches of an API server: pages as they are wanted, and the lines of a watch, as many at a time as have come.

Connections are kept for the next list or watch. Through a proxy it is httpx that reads; see `line` for why not always.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11
import httpx

from cockpit.connections.failures import plain_words, rejection
from cockpit.connections.kube_http import CONNECT_SECONDS, LINE_BYTES, READ_SECONDS, WARM_SECONDS
from cockpit.connections.line import Line, connected
from cockpit.connections.tidy import tidy
from cockpit.errors import Unreachable

if TYPE_CHECKING:
    from cockpit.connections.credentials import Access
    from cockpit.connections.pool import Pool

Params = Mapping[str, str]
Headers = dict[str, str]

PAGE_SECONDS = 60.0
"""The longest that a page may take, however steadily bytes trickle in."""
PAGE_BYTES = 256 << 20
HEAD_SECONDS = READ_SECONDS
"""Until the answer begins: a server that takes a watch says so at once."""
REFUSAL_BYTES = 1 << 20
INFLATED_BYTES = 256 << 10
"""The most that is unpacked in one go, whatever a few bytes unpack to."""
IDLE = 8
"""Connections that are kept for the next request."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    parts: Callable[[], AsyncGenerator[bytes, None]]


class Reading:
    """Reads from one server. Errors are those of `cockpit.errors`. Use from one event loop; close with `renew`."""

    def __init__(self, access: Access, pool: Pool, headers: Callable[[], Headers], what: str) -> None:
        self._access = access
        self._pool = pool
        self._headers = headers
        self._what = what
        self._idle: list[tuple[float, Line]] = []

    async def page(self, path: str, params: Params, encoding: str, body: bytes | None = None) -> bytes:
        """The answer to a GET, packed on its way as `encoding` says (`gzip` or `identity`); with a `body` of JSON to a POST.

        What is posted may be sent twice: it must be something that the server does not keep.
        """
        with plain_words(self._what):
            async with asyncio.timeout(PAGE_SECONDS):
                for again in (True, False):
                    async with self._asked(path, params, encoding, READ_SECONDS, body) as answer:
                        if answer.status < 400:
                            return await self._whole(answer, PAGE_BYTES)
                        refusal = await self._refusal(answer)
                    if not (again and answer.status == 401 and await asyncio.to_thread(self._access.renew)):
                        break
        raise refusal

    async def watch(self, path: str, params: Params, seconds: float) -> AsyncGenerator[list[bytes], None]:
        """The lines of a watch, as many as have come; first none, once the server has taken it. The last may be cut off.

        Silence for longer than `seconds` is Unreachable.
        """
        with plain_words(self._what):
            async with self._asked(path, params, "identity", seconds) as answer:
                if answer.status >= 400:
                    if answer.status == 401:
                        await asyncio.to_thread(self._access.renew)  # for the next attempt
                    raise await self._refusal(answer)
                yield []
                async with aclosing(self._lines(answer)) as found:
                    async for lines in found:
                        yield lines

    def renew(self) -> None:
        """Open new connections from now on: those that are idle now may be dead."""
        idle, self._idle = self._idle, []
        for _, line in idle:
            line.close()

    async def _lines(self, answer: _Answer) -> AsyncGenerator[list[bytes], None]:
        rest: list[bytes] = []
        held = 0
        async with aclosing(answer.parts()) as parts:
            async for part in parts:
                *whole, last = part.split(b"\n")
                if whole:
                    whole[0] = b"".join([*rest, whole[0]])
                    rest, held = [], 0
                    yield [line for line in whole if line]
                if last:
                    rest.append(last)
                    held += len(last)
                if held > LINE_BYTES:
                    raise Unreachable(f"{self._what}: one line of a watch is over {LINE_BYTES >> 20} MB")
        if last := b"".join(rest).strip():
            yield [last]

    async def _whole(self, answer: _Answer, most: int) -> bytes:
        found, size = [], 0
        async with aclosing(answer.parts()) as parts:
            async for part in parts:
                found.append(part)
                size += len(part)
                if size > most:
                    raise Unreachable(f"{self._what}: an answer is over {most >> 20} MB")
        return b"".join(found)

    async def _refusal(self, answer: _Answer) -> Exception:
        return rejection(answer.status, await self._whole(answer, REFUSAL_BYTES), answer.headers.get("retry-after"))

    @asynccontextmanager
    async def _asked(
        self, path: str, params: Params, encoding: str, seconds: float, body: bytes | None = None
    ) -> AsyncIterator[_Answer]:
        headers = {**self._headers(), "Accept-Encoding": encoding, **({"Content-Type": "application/json"} if body else {})}
        async with self._pool.client() as client:
            request = client.build_request("POST" if body else "GET", path, params=params, headers=headers, content=body)
            how = self._by_httpx if self._access.proxy else self._by_line
            async with how(client, request, seconds) as answer:
                yield answer

    @asynccontextmanager
    async def _by_httpx(self, client: httpx.AsyncClient, request: httpx.Request, seconds: float) -> AsyncIterator[_Answer]:
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, read=seconds)
        request.extensions = {"timeout": timeout.as_dict(), **tidy()}
        response = await client.send(request, stream=True)
        try:
            yield _Answer(response.status_code, response.headers, lambda: _unpacked(response))
        finally:
            await response.aclose()

    @asynccontextmanager
    async def _by_line(self, _: httpx.AsyncClient, request: httpx.Request, seconds: float) -> AsyncIterator[_Answer]:
        line, head = await self._answered(request, seconds)
        headers = httpx.Headers(head.headers.raw_items())
        try:
            yield _Answer(head.status_code, headers, lambda: _parts(line, headers, seconds))
        finally:
            if line.next() and len(self._idle) < IDLE:
                self._idle.append((time.monotonic(), line))
            else:
                line.close()

    async def _answered(self, request: httpx.Request, seconds: float) -> tuple[Line, h11.Response]:
        if line := self._kept():
            # The server may have closed it just now, and then it has not taken the request.
            with suppress(httpx.RemoteProtocolError, ConnectionError):
                return line, await _head(line, request, seconds)
        url, tls = request.url, self._access.tls
        line = await connected(url.host, url.port or (443 if tls else 80), tls, CONNECT_SECONDS)
        return line, await _head(line, request, seconds)

    def _kept(self) -> Line | None:
        while self._idle:
            since, line = self._idle.pop()
            if line.quiet and time.monotonic() - since < WARM_SECONDS:
                return line
            line.close()
        return None


async def _unpacked(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    async for part in response.aiter_bytes():
        yield part


async def _parts(line: Line, headers: Mapping[str, str], seconds: float) -> AsyncGenerator[bytes, None]:
    """The body as it comes, unpacked."""
    unpack = zlib.decompressobj(31) if headers.get("content-encoding") == "gzip" else None
    while part := await line.data(seconds):
        if unpack is None:
            yield part
            continue
        while part:
            try:
                plain = unpack.decompress(part, INFLATED_BYTES)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
            part = unpack.unconsumed_tail
            if plain:
                yield plain
            if part:
                await asyncio.sleep(0)


async def _head(line: Line, request: httpx.Request, seconds: float) -> h11.Response:
    try:
        return await line.ask(request, min(seconds, HEAD_SECONDS))
    except BaseException:
        line.close()
        raise
