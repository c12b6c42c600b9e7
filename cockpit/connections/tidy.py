"""Closing a socket whose TLS handshake was cancelled: httpcore 1.0 closes it on failures, but not on cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]


def tidy() -> dict[str, Trace]:
    """Extensions for one request of httpx."""
    opened: list[Any] = []

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            opened.append(info["return_value"])
        elif event == "connection.start_tls.failed" and isinstance(info["exception"], asyncio.CancelledError):
            with suppress(Exception):
                await opened[-1].aclose()

    return {"trace": trace}
