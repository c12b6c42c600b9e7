"""Lists and watches over raw sockets: servers that close, pack, break off, or send without end."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from cockpit.connections import kube_http, reading
from cockpit.connections.kube import KubeClient
from cockpit.errors import Gone, Throttled, Unreachable
from tests.contract.small_api import kubeconfig

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""Answers a request line."""
EMPTY = b'{"metadata":{"resourceVersion":"7"},"items":[]}'


class Server:
    """A server that gives each request line to `answer`, and counts its connections."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head)
                await self.answer(head.split("\r\n")[0], writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(folder: Path, answer: Answer) -> AsyncIterator[tuple[KubeClient, Server]]:
    """A client of such a server."""
    server = Server(answer)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = await KubeClient.connect(kubeconfig=kubeconfig(folder, f"http://127.0.0.1:{port}"))
    try:
        yield client, server
    finally:
        await client.aclose()
        listening.close()
        await listening.wait_closed()


def told(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    rows = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(rows).encode() + b"\r\n\r\n" + body


def always(answer: bytes, *, close: bool = False) -> Answer:
    async def send(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if close:
            await writer.drain()
            writer.close()

    return send


async def page(client: KubeClient) -> bytes:
    async with aclosing(client.pages("/api/v1/nodes")) as pages:
        return await anext(pages)


async def watched(lines: AsyncGenerator[list[bytes], None]) -> list[bytes]:
    async with aclosing(lines):
        return [line async for some in lines for line in some]


async def test_a_connection_is_kept_for_the_next_list(tmp_path: Path) -> None:
    async with serving(tmp_path, always(told(EMPTY))) as (client, server):
        assert [await page(client) for _ in range(3)] == [EMPTY] * 3
    assert server.connections == 1
    assert "authorization: bearer secret-token" in server.requests[0].lower()


@pytest.mark.parametrize("header", ["X: y", "Connection: close"], ids=["unannounced", "announced"])
async def test_a_connection_that_the_server_closed_is_left_behind(tmp_path: Path, header: str) -> None:
    async with serving(tmp_path, always(told(EMPTY, "200 OK", header), close=True)) as (client, server):
        assert [await page(client) for _ in range(3)] == [EMPTY] * 3
    assert server.connections == 3


async def test_a_server_that_is_lost_is_not_asked_on_the_connections_from_before(tmp_path: Path) -> None:
    async with serving(tmp_path, always(told(EMPTY))) as (client, server):
        await page(client)
        await client._leave_behind()
        await page(client)
    assert server.connections == 2


async def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    body = EMPTY.replace(b"[]", b"[" + b",".join([b'{"metadata":{"name":"x"}}'] * 50_000) + b"]")
    packed = gzip.compress(body)
    assert len(packed) < len(body) / 100
    async with serving(tmp_path, always(told(packed, "200 OK", "Content-Encoding: gzip"))) as (client, _):
        assert await page(client) == body


@pytest.mark.parametrize(
    "answer",
    [
        told(EMPTY)[:-5],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        told(b"this was never packed", "200 OK", "Content-Encoding: gzip"),
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 200",
        b"",
    ],
    ids=["cut off", "no chunk", "not packed", "no HTTP", "half a head", "nothing"],
)
async def test_what_is_no_answer_is_told_with_the_servers_name(tmp_path: Path, answer: bytes) -> None:
    async with serving(tmp_path, always(answer, close=True)) as (client, _):
        with pytest.raises(Unreachable, match=client.server):
            await page(client)


async def test_a_refusal_is_what_it_is(tmp_path: Path) -> None:
    gone = told(b'{"code":410,"message":"too old"}', "410 Gone")
    slow = told(b'{"code":429,"message":"slowly"}', "429 Too Many", "Retry-After: 3")
    answers = [gone, slow, gone]

    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    async with serving(tmp_path, answer) as (client, _):
        with pytest.raises(Gone):
            await page(client)
        with pytest.raises(Throttled) as throttled:
            await page(client)
        with pytest.raises(Gone):
            await watched(client.watched("/api/v1/nodes"))
    assert throttled.value.retry_after == 3


async def test_an_answer_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_BYTES", 100_000)

    async def flood(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 50_000)
            await writer.drain()

    async with serving(tmp_path, flood) as (client, _):
        with pytest.raises(Unreachable, match="over"):
            await page(client)


async def test_a_line_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINE_BYTES", 100_000)

    async def flood(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 50_000)
            await writer.drain()

    async with serving(tmp_path, flood) as (client, _):
        with pytest.raises(Unreachable, match="one line"):
            await watched(client.watched("/api/v1/nodes"))
    assert kube_http.LINE_BYTES > 1 << 20


async def test_lines_come_whole_however_they_were_sent_and_as_many_as_there_are(tmp_path: Path) -> None:
    text = b"".join(b'{"type":"ADDED","object":{"n":%d}}\n' % number for number in range(1_000))

    async def trickle(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for begin in range(0, len(text), 700):
            writer.write(b"%x\r\n%s\r\n" % (len(text[begin : begin + 700]), text[begin : begin + 700]))
        writer.write(b"0\r\n\r\n")

    turns = 0
    async with serving(tmp_path, trickle) as (client, _):
        found = []
        async with aclosing(client.watched("/api/v1/nodes")) as lines:
            async for some in lines:
                turns += 1
                found += some
    assert b"".join(line + b"\n" for line in found) == text
    assert turns < 50, "one wake-up for what has come, not one for each change"


async def test_who_does_not_take_is_not_sent_more_than_is_held(tmp_path: Path) -> None:
    sent = 0

    async def flood(_: str, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 64 << 20:
            writer.write(b"x" * 1023 + b"\n")
            sent += 1024
            await writer.drain()

    async with serving(tmp_path, flood) as (client, _), aclosing(client.watched("/api/v1/nodes")) as lines:
        await anext(lines)
        stalled = -1
        while stalled != sent:
            stalled = sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert sent < 32 << 20, "what sockets hold, and HELD_BYTES"


async def test_through_a_proxy_lists_and_watches_are_read_too(tmp_path: Path) -> None:
    answers = [told(gzip.compress(EMPTY), "200 OK", "Content-Encoding: gzip"), told(b'{"n":1}\n{"n":2}\n')]

    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    proxy = Server(answer)
    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    there = {"proxy-url": f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"}
    client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, "http://api.example.com", cluster=there))
    try:
        assert await page(client) == EMPTY
        assert await watched(client.watched("/api/v1/nodes")) == [b'{"n":1}', b'{"n":2}']
    finally:
        await client.aclose()
        listening.close()
        await listening.wait_closed()
    assert [head.split(" ")[1].split("?")[0] for head in proxy.requests] == ["http://api.example.com/api/v1/nodes"] * 2
