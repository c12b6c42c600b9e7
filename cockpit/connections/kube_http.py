"""HTTP towards an API server: connections by its access, and the lines of an answer that does not end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from cockpit.connections.unsought import spare
from cockpit.errors import Unreachable

if TYPE_CHECKING:
    from cockpit.connections.credentials import Access

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
WARM_SECONDS = 30.0
LINE_BYTES = 32 << 20


def client_of(access: Access, read: float, connect: float) -> httpx.AsyncClient:
    """A client with these time-outs, in seconds."""
    spare()
    return httpx.AsyncClient(
        base_url=access.server,
        verify=access.tls if access.tls is not None else False,
        proxy=access.proxy,
        trust_env=False,
        timeout=httpx.Timeout(read, connect=connect),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=WARM_SECONDS * 2),
        headers={"Accept": "application/json", "User-Agent": "cutover-cockpit", **_encoding(access.server)},
    )


def _encoding(server: str) -> dict[str, str]:
    # Compression pays over a network and costs on a loopback.
    host = urlsplit(server).hostname or ""
    return {"Accept-Encoding": "identity" if host == "localhost" or host.startswith("127.") else "gzip"}


async def lines(response: httpx.Response, what: str) -> AsyncGenerator[bytes, None]:
    """The lines of an answer as they come, empty ones left out; the last may be cut off. Unreachable for one without end."""
    rest = b""
    async for chunk in response.aiter_raw():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line
        if len(rest) > LINE_BYTES:
            raise Unreachable(f"{what}: one line of a watch is over {LINE_BYTES >> 20} MB")
    if rest.strip():
        yield rest
