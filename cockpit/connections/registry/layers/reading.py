"""The layers of an image, streamed from its registry through the scan: bytes come on the event loop, the work is on a thread."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from typing import cast

import httpx

from cockpit.connections.failures import plain_words
from cockpit.connections.registry.documents import refused
from cockpit.connections.registry.http import RegistryHost
from cockpit.connections.registry.layers.chains import Chains, Seen
from cockpit.connections.registry.layers.scan import scan_layer
from cockpit.connections.registry.layers.source import Budget, Source
from cockpit.model.builds import Blob
from cockpit.model.layers import Native

CHUNK = 1 << 18
MOST_BYTES = 64 << 30
"""Unpacked, of all layers of an image, and what jars in them unpack to."""
MOST_FILES = 3_000_000
LAYER_BYTES = 32 << 30
LAYER_SECONDS, BYTES_A_SECOND, MOST_SECONDS = 60.0, 1 << 20, 3600.0
"""Wall time for a layer: a minute, and more for a large one as long as it comes at some speed."""


async def read_layers(
    host: RegistryHost, repository: str, layers: tuple[Blob, ...], chains: Chains
) -> tuple[tuple[Native, ...], tuple[str, ...]]:
    """The native code that is visible above all layers, and what of them could not be read.

    Rejected when bytes do not have the digest that the manifest names; NotFound, Unauthorized, Throttled, Unreachable.
    """
    digests = tuple(layer.digest for layer in layers)
    async with chains.turns:
        done, seen = chains.longest(digests)
        budget = Budget(MOST_BYTES, MOST_FILES)
        for at in range(done, len(layers)):
            seen = await _layer(host, repository, layers[at], seen, budget)
            if budget.left >= 0 and budget.files >= 0:
                chains.keep(digests[: at + 1], seen)
    return tuple(native for found in seen.files.values() for native in found), seen.unread


async def _layer(host: RegistryHost, repository: str, layer: Blob, below: Seen, budget: Budget) -> Seen:
    if layer.size > LAYER_BYTES:
        raise refused(f"a layer of it is over {LAYER_BYTES >> 30} GB")
    seconds = min(MOST_SECONDS, LAYER_SECONDS + layer.size / BYTES_A_SECOND)
    with plain_words(f"registry {host.name}"):
        async with host.stream(repository, layer.digest) as response, asyncio.timeout(seconds):
            stream = _Stream(response, layer)

            def work() -> Seen:
                source = Source(stream.fill)
                seen = scan_layer(source, below, budget)
                source.drain()
                stream.check()
                return seen

            working = asyncio.get_running_loop().run_in_executor(None, work)
            try:
                return await asyncio.shield(working)
            finally:
                budget.stopped = not working.done()  # a chunk of a few kilobytes can hold gigabytes
                await stream.stop(working)


class _Stream:
    """An answer's bytes for a thread, counted and hashed as they go by."""

    def __init__(self, response: httpx.Response, layer: Blob) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks = cast(AsyncGenerator[bytes, None], response.aiter_raw(CHUNK))
        self._digest = layer.digest
        self._hash = hashlib.new(layer.digest.partition(":")[0])
        self._left = layer.size
        self._waiting: Future[bytes] | None = None
        self._stopped = False

    def fill(self) -> bytes:
        """The next chunk, b"" at the end. Blocks: for the thread."""
        if self._stopped:
            raise InterruptedError
        self._waiting = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        chunk = self._waiting.result()
        self._hash.update(chunk)
        self._left -= len(chunk)
        if self._left < 0:
            raise refused("a layer of it is longer than its manifest says")
        return chunk

    def check(self) -> None:
        """Rejected unless everything came."""
        if f"{self._hash.name}:{self._hash.hexdigest()}" != self._digest:
            raise refused(f"the bytes of a layer do not have its digest {self._digest}")

    async def stop(self, working: asyncio.Future[Seen]) -> None:
        """Let the thread come to its end, and wait for that: it must not read what is being closed."""
        self._stopped = True
        if not working.done():
            if self._waiting is not None:
                self._waiting.cancel()
            await asyncio.wait([working])
            working.exception()
        await self._chunks.aclose()

    async def _next(self) -> bytes:
        return await anext(self._chunks, b"")
