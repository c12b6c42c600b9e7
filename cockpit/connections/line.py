"""One HTTP/1.1 connection that is asked and read from directly: h11 knows the protocol, asyncio has the bytes.

A general client hands each chunk of an answer through eight coroutines, and an API server sends a chunk for each change of a
watch: that was half the cost of a change. Here all that a socket held is had in one go, once per turn of the event loop. While
nobody takes what has come the socket is left alone, and the server has to wait.
"""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias, cast

import h11
import httpx

if TYPE_CHECKING:
    _Event: TypeAlias = h11.Data | h11.EndOfMessage | h11.Response | h11.InformationalResponse

HEAD_BYTES = 100 << 10
"""Of an answer's head; what httpcore allows."""
HELD_BYTES = 256 << 10
"""Beyond which the server has to wait."""
NEXT_ADDRESS_SECONDS = 0.25
"""How long a name's first address is waited for before the next is tried as well: RFC 8305, section 5."""


async def connected(host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> Line:
    """A connection. httpx.ConnectTimeout after `seconds` of wall time, httpx.ConnectError or OSError."""
    name = host if tls else None
    try:
        async with asyncio.timeout(seconds):
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(
                Line, host, port, ssl=tls, server_hostname=name, happy_eyeballs_delay=_delay(host)
            )
    except TimeoutError as error:
        raise httpx.ConnectTimeout("no connection in time") from error
    except UnicodeError as error:
        raise httpx.ConnectError("its name is none that can be looked up") from error
    except OSError as error:
        if error.errno is None and not isinstance(error, ssl.SSLError):
            raise httpx.ConnectError("none of its addresses takes a connection") from error
        raise
    return line


class Line(asyncio.Protocol):
    """An open connection, for one request after the other. What goes wrong is raised as httpx would, or as an OSError.

    `seconds` are those of wall time that may pass between any two parts of an answer.
    """

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._transport: asyncio.Transport | None = None
        self._held: list[bytes] = []
        self._size = 0
        self._waiting: asyncio.Future[None] | None = None
        self._over = False
        self._error: Exception | None = None

    @property
    def quiet(self) -> bool:
        """Open, between two requests, and with nothing come that nobody asked for."""
        return not self._over and not self._held and self._http.our_state is h11.IDLE and not self._http.trailing_data[0]

    async def ask(self, request: httpx.Request, seconds: float) -> h11.Response:
        """Send a request, whose body was read; the head of its answer."""
        body = (h11.Data(data=request.content),) if request.content else ()
        try:
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            self._send(head, *body, h11.EndOfMessage())
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        while not isinstance(event := self._event(), h11.Response):
            if event is None:
                await self._more(seconds)
        return event

    async def data(self, seconds: float) -> bytes:
        """What has come of the answer's body, as soon as something has; empty at its end."""
        found: list[bytes] = []
        while self._http.their_state is h11.SEND_BODY:
            event = self._event()
            if isinstance(event, h11.Data):
                found.append(bytes(event.data))
            elif event is None and found:
                break
            elif event is None:
                await self._more(seconds)
        return b"".join(found)

    def next(self) -> bool:
        """Make ready for the next request; False when this connection bears none."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return self.quiet

    def close(self) -> None:
        """Close it at once, whatever is under way."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Of asyncio."""
        self._held.append(data)
        self._size += len(data)
        if self._size > HELD_BYTES and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Of asyncio; it closes the connection then."""
        self._over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio."""
        self._over = True
        self._error = exc
        self._wake()

    def _send(self, *events: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        if self._transport is None or self._over:
            raise ConnectionResetError("the connection is closed")
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))

    def _event(self) -> _Event | None:
        """What comes next in the bytes at hand; None while it is not whole."""
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        if event is h11.NEED_DATA:
            return None
        if isinstance(event, h11.Data | h11.EndOfMessage | h11.Response | h11.InformationalResponse):
            return event
        raise httpx.RemoteProtocolError("the connection was closed, or turned into another protocol")

    async def _more(self, seconds: float) -> None:
        """Give h11 what has come; waits for it. The end where nothing more will come."""
        if not self._held and not self._over:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiting
            except TimeoutError as error:
                raise httpx.ReadTimeout("no answer in time") from error
            finally:
                self._waiting = None
        data = b"".join(self._held)
        if not data and self._error is not None:
            raise self._error
        self._held.clear()
        if self._size > HELD_BYTES and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._size = 0
        self._http.receive_data(data)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _delay(host: str) -> float | None:
    """None for what is one address."""
    try:
        ip_address(host)
    except ValueError:
        return NEXT_ADDRESS_SECONDS
    return None
