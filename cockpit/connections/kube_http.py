"""HTTP towards an API server: clients by its access, and the time-outs of all."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from cockpit.connections.unsought import spare

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
        headers={"Accept": "application/json", "User-Agent": "cutover-cockpit", "Accept-Encoding": encoding(access.server)},
    )


def encoding(server: str) -> str:
    """How answers are to be packed while nothing else is known: compression pays over a network and costs on a loopback."""
    host = urlsplit(server).hostname or ""
    return "identity" if host == "localhost" or host.startswith("127.") else "gzip"
