"""How lists are had best from one server: found out once, by facts.

A watch-list (`sendInitialEvents`) streams objects one by one: neither side ever holds a page of them, and the list goes over
into the watch. It costs the server less, too. But watch streams are not compressed before Kubernetes 1.37, while lists over 128
KB are: over a thin or distant network eight times fewer bytes matter more, so there it is gzip pages of 500.

Watch-lists are on by default in Kubernetes 1.32, off in 1.33, on from 1.34, and anybody may switch them. A server that knows them
and has them off refuses one at once, so that is simply tried; the first refusal is the last, and from then on it is pages. One
that is older might take it for any watch, which shows late, so its version is asked first. How far away a server is, is measured:
an address of this machine may be a tunnel around the world.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import msgspec

from cockpit.errors import CockpitError

NEAR_SECONDS = 0.02
"""An answer that takes longer comes over a network that is worth compressing for."""
LOCAL_SECONDS = 0.1
"""The same for an address of this machine: only a tunnel is slower, or a machine that is very busy."""
ASKED = 3
"""So often: the first answer had to open a connection, and others may have kept this process waiting. The quickest counts."""
HOPELESS = 8.0
"""So many times as slow as a near one, and asking again would tell nothing else."""
_STREAMED = (1, 27)
"""Since then a server knows what a watch-list is."""
_PACKED = (1, 37)


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


def version_of(raw: bytes) -> tuple[int, int]:
    """Major and minor version of a Kubernetes server's /version; (0, 0) for anything else."""
    try:
        found = re.match(r"v?(\d{1,3})\.(\d{1,3})", msgspec.json.decode(raw, type=_Version).git_version)
    except msgspec.DecodeError:
        return 0, 0
    return (int(found[1]), int(found[2])) if found else (0, 0)


def streams(version: tuple[int, int], *, near: bool) -> bool:
    """Whether a stream is best from a server of this version, at this distance, if it has streams."""
    return version >= _STREAMED and (near or version >= _PACKED)


class Offers:
    """What one server offers; `ask` gets its /version, `encoding` is for as long as nobody has. Use from one event loop."""

    def __init__(self, ask: Callable[[], Awaitable[bytes]], encoding: str) -> None:
        self._ask = ask
        self._encoding = encoding
        self._near_seconds = LOCAL_SECONDS if encoding == "identity" else NEAR_SECONDS
        self._lock = asyncio.Lock()
        self._known: tuple[tuple[int, int], float] | None = None
        self._refused = False

    async def watch_list(self) -> bool:
        """Lists are to be streamed, unless that is refused. Asks the server the first time; False while it cannot be asked."""
        if self._refused:
            return False
        async with self._lock:
            if self._known is None:
                try:
                    self._known = await self._probe()
                except CockpitError:
                    return False
        version, seconds = self._known
        return streams(version, near=seconds <= self._near_seconds) and not self._refused

    @property
    def encoding(self) -> str:
        """How pages are to be packed: compression pays over a network and costs on a loopback."""
        if self._known is None:
            return self._encoding
        return "identity" if self._known[1] <= self._near_seconds else "gzip"

    def refuse(self) -> None:
        """The server does not stream lists after all."""
        self._refused = True

    async def _probe(self) -> tuple[tuple[int, int], float]:
        raw, seconds = await self._timed()
        for _ in range(ASKED - 1):
            if seconds <= self._near_seconds or seconds > self._near_seconds * HOPELESS:
                break
            raw, again = await self._timed()
            seconds = min(seconds, again)
        return version_of(raw), seconds

    async def _timed(self) -> tuple[bytes, float]:
        began = time.monotonic()
        return await self._ask(), time.monotonic() - began
