"""HTTP connections that can be left behind all at once, since one that has gone dead looks like any idle one."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx


class Pool:
    """Hands out the newest of its clients. Requests under way on one that was left behind are let end. Close with `aclose`."""

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._client = make()
        self._users: Counter[httpx.AsyncClient] = Counter()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """The client for one request."""
        client = self._client
        self._users[client] += 1
        try:
            yield client
        finally:
            self._users[client] -= 1
            if not self._users[client]:
                del self._users[client]
                if client is not self._client:
                    await client.aclose()

    async def renew(self) -> None:
        """Open new connections from now on: those that are idle now may be dead."""
        old, self._client = self._client, self._make()
        if old not in self._users:
            await old.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for client in {self._client, *self._users}:
            await client.aclose()
