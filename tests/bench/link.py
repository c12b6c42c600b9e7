"""A thin, long line: a TCP proxy on loopback that lets so many bits a second through and holds them for a while, each way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench.background import background, both

PIECE = 256
"""Bytes: about a packet of such a line; what is sent goes in pieces no larger."""
BUFFER = 16_384
"""Bytes that wait at its entrance before the sender is held up, as in a router: deep buffers would hide a chatty program."""


@dataclass
class Line:
    """100 kbit/s and 150 ms each way, unless told otherwise. Made by `thin`."""

    target: int
    bits: float = 100_000.0
    delay: float = 0.150
    port: int = 0
    carried: dict[str, int] = field(default_factory=lambda: {"there": 0, "back": 0})
    """Bytes let through, to the server and from it."""

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            to_client.transport.abort()
            return
        for writer in (to_client, to_server):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = (self._way("there", client, to_server), self._way("back", server, to_client))
        await both(*ways, writers=(to_client, to_server))

    async def _way(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes in at the line's rate, out a delay later."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.ensure_future(self._arrive(under_way, writer))
        free = 0.0
        try:
            while data := await reader.read(PIECE):
                free = max(free, loop.time()) + len(data) * 8 / self.bits
                self.carried[name] += len(data)
                under_way.put_nowait((free + self.delay, data))
                await asyncio.sleep(max(0.0, free - loop.time() - BUFFER * 8 / self.bits))
            await under_way.join()
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)

    async def _arrive(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(data)
            await writer.drain()
            under_way.task_done()


@contextmanager
def thin(target: int, bits: float = 100_000.0, delay: float = 0.150) -> Iterator[Line]:
    """A line to a port of this machine; cut on leaving."""
    line = Line(target, bits, delay)
    with background(line.serve) as server:
        line.port = server.port
        yield line
