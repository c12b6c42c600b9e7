"""List, then watch: how a view of a Kubernetes collection is kept current.

The whole list is read, in pages or as a stream that goes over into the watch (see `cockpit.connections.offers`), then changes
from that version on. A watch that ends is resumed from the newest version heard of; a version that the server no longer has (410)
means listing again; any other fault is observed, waited out and tried again. After something that could not be understood nothing
is resumed from: it is listed again. A server that is lost ends list and watch at once, whatever their sockets still hope for.

Objects are decoded one at a time, and told as they come, as many as one turn of the event loop can bear. A list counts as read
only when all of it has come: of a stream, when the server says so (`k8s.io/initial-events-end`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from random import Random

import msgspec

from cockpit.clock import Clock
from cockpit.connections.decode import pieces
from cockpit.connections.kube import KubeClient
from cockpit.connections.wire import ListMeta
from cockpit.errors import CockpitError, Forbidden, Gone, Rejected
from cockpit.sources.base import Batch, Progress
from cockpit.sources.collection import STREAMED, Collection, sliced
from cockpit.sources.hearing import Hearing, Unstreamed, Unwatched, unstreamed
from cockpit.sources.pace import Backoff, rest

Batches = AsyncGenerator[Batch, None]
Params = Mapping[str, str]


class ListWatch:
    """Observes one collection for as long as it is iterated."""

    def __init__(self, kube: KubeClient, collection: Collection, clock: Clock, random: Random) -> None:
        self._kube = kube
        self._what = collection
        self._backoff = Backoff(clock, random)
        self._heard = Hearing(collection, clock, kube.server)
        self._at_fault = False
        self._in_pages = False
        """It may not be watched, so a list is no stream."""

    async def batches(self) -> Batches:
        """What the list holds, its end, then every change; `heard` for bookmarks; a fault before each attempt after a failure."""
        # Whoever begins to observe knows nothing yet.
        self._heard.version = ""
        async with self._kube.pulse.felt():
            while True:
                async with aclosing(self._attempt()) as batches:
                    async for batch in batches:
                        yield batch

    async def _attempt(self) -> Batches:
        try:
            async with aclosing(self._round()) as batches:
                async for batch in batches:
                    yield batch
        except Gone as error:
            # Usual after a pause, and in a list that took too long: what is known stays believable while it is listed again.
            self._heard.version = ""
            await rest(self._backoff, self._kube.pulse, error)
        except Unwatched:
            self._in_pages = True
        except Unstreamed:
            self._kube.offers.refuse()
        except CockpitError as error:
            self._at_fault = True
            yield self._heard.batch(fault=str(error))
            await rest(self._backoff, self._kube.pulse, error)

    async def _round(self) -> Batches:
        self._heard.understood, self._heard.keys = False, None
        async with aclosing(self._all()) as batches:
            async for batch in batches:
                yield batch
        yield self._heard.batch(heard=True)
        if not self._heard.understood:
            await rest(self._backoff, self._kube.pulse)

    async def _all(self) -> Batches:
        """The list, unless there is a version to go on from, and the watch until it ends."""
        how = [self._watch] if self._heard.version else [self._list, self._watch]
        if not self._heard.version and self._what.big and not self._in_pages and await self._streams():
            how = [self._stream]
        for part in how:
            async with aclosing(part()) as batches:
                async for batch in batches:
                    yield batch

    async def _streams(self) -> bool:
        async with self._kube.pulse.alive():
            return await self._kube.offers.watch_list()

    async def _list(self) -> Batches:
        keys: set[object] = set()
        version, expected = "", None
        async with aclosing(self._kube.pulse.during(self._kube.pages(self._what.path, self._what.params))) as pages:
            async for raw in pages:
                meta, objects = self._pieces(raw)
                version = meta.resource_version or version
                left = meta.remaining_item_count if meta.continue_ else 0
                expected = None if left is None else len(keys) + len(objects) + left
                for some in sliced(objects):
                    changes = self._decoded(some)
                    keys.update(changes)
                    yield self._heard.batch(changes, progress=Progress(len(keys), expected))
                    await asyncio.sleep(0)
        self._heard.version = version
        self._at_fault = False
        yield self._heard.batch(listed=frozenset(keys), progress=Progress(len(keys), len(keys)))

    async def _stream(self) -> Batches:
        """The list as a stream, which goes over into the watch."""
        # Only of a whole collection does the server say how much it holds.
        self._heard.stream(None if self._what.params else await self._count())
        try:
            async with aclosing(self._lines(STREAMED)) as batches:
                async for batch in batches:
                    yield batch
        except (Rejected, Forbidden) as error:
            if self._heard.keys is None:
                raise
            raise unstreamed(error) from None
        if self._heard.keys is not None:
            raise Unstreamed("the stream ended before the list had")

    async def _count(self) -> int | None:
        async with aclosing(self._kube.pulse.during(self._kube.pages(self._what.path, limit=1))) as pages:
            async for raw in pages:
                meta, objects = self._pieces(raw)
                left = meta.remaining_item_count if meta.continue_ else 0
                return None if left is None else len(objects) + left
        return None

    async def _watch(self) -> Batches:
        async with aclosing(self._lines({"resourceVersion": self._heard.version})) as batches:
            async for batch in batches:
                yield batch

    async def _lines(self, params: Params) -> Batches:
        asked = self._kube.watched(self._what.path, {**self._what.params, **params})
        async with aclosing(self._kube.pulse.during(asked)) as found:
            async for lines in found:
                if self._at_fault and self._heard.keys is None:
                    # Or a quiet collection would stay at fault until its next bookmark.
                    self._at_fault = False
                    yield self._heard.batch(heard=True)
                for some in sliced(lines):
                    batches, error = self._heard.told(some)
                    if self._heard.understood:
                        self._backoff.reset()
                    for batch in batches:
                        yield batch
                    if error:
                        raise error
                    if some is not lines:
                        await asyncio.sleep(0)

    def _pieces(self, raw: bytes) -> tuple[ListMeta, list[msgspec.Raw]]:
        try:
            return pieces(raw)
        except msgspec.DecodeError as error:
            raise self._heard.garbled(error) from error

    def _decoded(self, objects: Sequence[msgspec.Raw]) -> dict[object, object]:
        try:
            values = [self._what.decoder.one(raw) for raw in objects]
        except msgspec.DecodeError as error:
            raise self._heard.garbled(error) from error
        return {self._what.key(value): value for value in values}
