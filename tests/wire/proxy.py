"""A TCP proxy on loopback that fails in every way a network fails."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from enum import StrEnum


class Fault(StrEnum):
    NONE = "none"
    BLACK_HOLE = "black hole"
    """Whatever is sent disappears. A connection that was open meanwhile stays dead, as behind a firewall that forgot it."""
    RESET = "reset"
    """Every connection is reset, new ones too."""
    REFUSE = "refuse"
    """Nobody listens, and what was open is reset."""
    SLOW = "slow"
    """Answers arrive `DELAY` later than they were sent."""


DELAY = 2.0


class _Link(asyncio.Protocol):
    """One side of a connection: what it receives is sent by `other`."""

    def __init__(self, proxy: Proxy, answers: bool) -> None:
        self.proxy = proxy
        self.answers = answers
        self.dead = False
        self.other: _Link | None = None
        self.transport: asyncio.Transport | None = None
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.proxy.links.add(self)
        if not self.answers:
            self.proxy.accepted(self)

    def data_received(self, data: bytes) -> None:
        if not self.answers:
            self.proxy.asked()
        self.later(lambda: self.other.send(data) if self.other else None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.proxy.links.discard(self)
        self.later(lambda: self.other.close() if self.other else None)

    def later(self, what: Callable[[], object]) -> None:
        if self.dead:
            return
        loop = asyncio.get_running_loop()
        delay = DELAY if self.answers and self.proxy.fault is Fault.SLOW else 0.0
        # Never before what came earlier, and never at the same moment: the loop keeps no order among equals.
        self._due = max(self._due + 1e-6, loop.time() + delay)
        loop.call_at(self._due, what)

    def send(self, data: bytes) -> None:
        if self.transport and not self.dead and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self.transport and not self.dead:
            self.transport.close()

    def reset(self) -> None:
        if self.transport:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


class Proxy:
    """Forwards connections on `port` to `target`, a port of this machine, as the `fault` of the moment allows."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.fault = Fault.NONE
        self.links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._dialling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Link(self, False), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for link in tuple(self.links):
            link.reset()
        await asyncio.sleep(0)  # the loop tells each link that it is lost

    async def be(self, fault: Fault) -> None:
        """From now on there is this fault."""
        before, self.fault = self.fault, fault
        if fault is Fault.REFUSE:
            await self.stop()
        elif before is Fault.REFUSE:
            await self.start()
        if fault is Fault.BLACK_HOLE:
            self.swallow()
        for link in tuple(self.links) if fault is Fault.RESET else ():
            link.reset()

    def swallow(self) -> None:
        """The black hole, at this very moment."""
        self.fault = Fault.BLACK_HOLE
        for link in self.links:
            link.dead = True

    def asked(self) -> None:
        """Some more of a request has come and is about to go on."""

    def cut(self) -> None:
        """End every open connection in the middle of whatever it carries."""
        for link in tuple(self.links):
            link.close()

    def accepted(self, link: _Link) -> None:
        link.dead = self.fault is Fault.BLACK_HOLE
        if self.fault is Fault.RESET:
            link.reset()
        elif not link.dead:
            task = asyncio.create_task(self._dial(link))
            self._dialling.add(task)
            task.add_done_callback(self._dialling.discard)

    async def _dial(self, link: _Link) -> None:
        assert link.transport
        link.transport.pause_reading()
        try:
            _, onward = await asyncio.get_running_loop().create_connection(lambda: _Link(self, True), "127.0.0.1", self.target)
        except OSError:
            link.reset()
            return
        onward.other, link.other, onward.dead = link, onward, link.dead
        if not link.transport.is_closing():
            link.transport.resume_reading()
