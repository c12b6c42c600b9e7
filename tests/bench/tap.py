"""A tap between a client and a server on loopback: what was asked, when it was answered, and on demand 410 Gone for watches.

It understands of HTTP/1.1 only where a request begins: bodies go through as they are. A request's answer is the first that the
server sends after it, which is so as long as nobody pipelines (neither kubectl, nor the AWS CLI, nor the cockpit does).
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench.background import background, both

_HEAD = re.compile(rb"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/1\.[01]\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_CHUNK = 1 << 16
_GONE = json.dumps(
    {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "too old resource version",
        "reason": "Expired",
        "code": 410,
    }
).encode()


@dataclass(slots=True)
class Asked:
    """A request. Moments are of the machine's monotonic clock; `answered` is 0 and `status` too until there is an answer."""

    method: str
    path: str
    began: float
    answered: float = 0.0
    status: int = 0
    body: bytes = b""

    @property
    def is_watch(self) -> bool:
        """It lasts until one side ends it."""
        return "watch=" in self.path and "watch=false" not in self.path and "watch=0" not in self.path

    @property
    def resumes(self) -> bool:
        """A watch that goes on from a version that it has seen."""
        found = re.search(r"[?&]resourceVersion=(\d+)", self.path)
        return self.is_watch and "sendInitialEvents=true" not in self.path and found is not None and found[1] != "0"


@dataclass(slots=True)
class Requests:
    """Takes a client's bytes and says where requests begin and what is in them."""

    rest: bytes = b""
    left: int = 0
    """So many bytes of the last one's body are still to come."""
    last: Asked | None = None

    def feed(self, data: bytes) -> Iterator[Asked]:
        """The requests whose heads end in these bytes."""
        self.rest += data
        while self.rest:
            if self.left:
                taken, self.rest = self.rest[: self.left], self.rest[self.left :]
                self.left -= len(taken)
                if self.last is not None:
                    self.last.body += taken
                continue
            head, ends, after = self.rest.partition(b"\r\n\r\n")
            if not ends:
                return
            found, length = _HEAD.match(head + b"\r\n"), _LENGTH.search(head)
            self.rest, self.left = after, int(length[1]) if length else 0
            if found:
                self.last = Asked(found["method"].decode(), found["path"].decode(), time.monotonic())
                yield self.last


@dataclass
class Tap:
    """Forwards connections on `port` to `target`. Made by `tapped`."""

    target: int
    inside: ssl.SSLContext | None
    """With which it serves; None: without TLS."""
    outside: ssl.SSLContext | None
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    gone: set[str] = field(default_factory=set)
    """Paths whose next watch that goes on is refused."""
    refused: list[Asked] = field(default_factory=list)
    _watches: dict[asyncio.StreamWriter, Asked] = field(default_factory=dict)

    def forget(self, loop: asyncio.AbstractEventLoop) -> int:
        """End every watch, and refuse to go on with any of them once: the server has forgotten. How many there were."""

        def cut() -> int:
            ended = [(writer, one) for writer, one in self._watches.items() if not writer.is_closing()]
            for writer, one in ended:
                self.gone.add(one.path.partition("?")[0])
                writer.transport.abort()
            return len(ended)

        return asyncio.run_coroutine_threadsafe(_called(cut), loop).result()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, until one side ends it."""
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self.target, ssl=self.outside)
        except OSError:
            to_client.transport.abort()
            return
        waiting: list[Asked] = []
        ways = (self._ask(client, to_server, to_client, waiting), self._answer(server, to_client, waiting))
        try:
            await both(*ways, writers=(to_client, to_server))
        finally:
            self._watches.pop(to_client, None)

    async def _ask(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        to_client: asyncio.StreamWriter,
        waiting: list[Asked],
    ) -> None:
        requests = Requests()
        while data := await client.read(_CHUNK):
            for one in requests.feed(data):
                self.asked.append(one)
                path = one.path.partition("?")[0]
                if one.resumes and path in self.gone:
                    self.gone.discard(path)
                    self._refuse(one, to_client)
                    return
                waiting.append(one)
                if one.is_watch:
                    self._watches[to_client] = one
            to_server.write(data)
            await to_server.drain()

    def _refuse(self, one: Asked, to_client: asyncio.StreamWriter) -> None:
        one.status, one.answered = 410, time.monotonic()
        self.refused.append(one)
        head = f"HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nContent-Length: {len(_GONE)}\r\nConnection: close\r\n\r\n"
        to_client.write(head.encode() + _GONE)

    async def _answer(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, waiting: list[Asked]) -> None:
        while data := await server.read(_CHUNK):
            if waiting and (found := _STATUS.match(data)):
                one = waiting.pop(0)
                one.answered, one.status = time.monotonic(), int(found[1])
            to_client.write(data)
            await to_client.drain()


async def _called(what: Callable[[], int]) -> int:
    return what()


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap at work on a thread of its own."""

    tap: Tap
    loop: asyncio.AbstractEventLoop

    def forget(self) -> int:
        """As `Tap.forget`."""
        return self.tap.forget(self.loop)


@contextmanager
def tapped(target: int, inside: ssl.SSLContext | None = None, outside: ssl.SSLContext | None = None) -> Iterator[Tapped]:
    """A tap before a port of this machine, ended on leaving."""
    tap = Tap(target, inside, outside)
    with background(tap.serve, inside) as server:
        tap.port = server.port
        yield Tapped(tap, server.loop)
