"""List, then watch: how a view of a Kubernetes collection is kept current.

The whole list is read in pages, then changes from that version on. A watch that ends is resumed from the newest version heard of;
a version that the server no longer has (410) means listing again; any other fault is observed, waited out and tried again. After
something that could not be understood nothing is resumed from: it is listed again. A server that is lost ends list and watch at
once, whatever their sockets still hope for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import msgspec

from cockpit.clock import Clock
from cockpit.connections.decode import Page
from cockpit.connections.failures import Status, rejection
from cockpit.connections.kube import KubeClient
from cockpit.connections.wire import versioned, watch_event
from cockpit.errors import CockpitError, Gone
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import Backoff, rest
from cockpit.text import clean

Observations = AsyncGenerator[Observation, None]


class Decoder(Protocol):
    """Bytes to model objects; msgspec.DecodeError when they are none."""

    def page(self, raw: bytes) -> Page[Any]:
        """A page of a list."""
        ...

    def one(self, raw: bytes | msgspec.Raw) -> Any:
        """One object."""
        ...


@dataclass(frozen=True, slots=True)
class Collection:
    """What to list and watch, how to decode it, and the key of each object."""

    source: SourceName
    path: str
    decoder: Decoder
    key: Callable[[Any], str]
    params: Mapping[str, str]


def by_name(value: Any) -> str:
    """The key of cluster-wide objects."""
    return str(value.name)


def by_namespace(value: Any) -> str:
    """The key of namespaced objects, `namespace/name`."""
    return f"{value.namespace}/{value.name}"


class _Garbled(CockpitError):
    """The server's answer could not be understood."""


class ListWatch:
    """Observes one collection for as long as it is iterated."""

    def __init__(self, kube: KubeClient, collection: Collection, clock: Clock, random: Random) -> None:
        self._kube = kube
        self._what = collection
        self._clock = clock
        self._backoff = Backoff(clock, random)
        self._version = ""
        self._at_fault = False
        self._heard = False

    async def observe(self) -> Observations:
        """UPSERTs of the list, LISTED, then every change; HEARD for bookmarks; FAULT before each new attempt after a failure."""
        # Whoever begins to observe knows nothing yet.
        self._version = ""
        async with self._kube.pulse.felt():
            while True:
                async with aclosing(self._attempt()) as observations:
                    async for observation in observations:
                        yield observation

    async def _attempt(self) -> Observations:
        try:
            async with aclosing(self._round()) as observations:
                async for observation in observations:
                    yield observation
        except Gone as error:
            # Usual after a pause, and in a list that took too long: what is known stays believable while it is listed again.
            self._version = ""
            await rest(self._backoff, self._kube.pulse, error)
        except CockpitError as error:
            self._at_fault = True
            yield self._observation(Kind.FAULT, why=str(error))
            await rest(self._backoff, self._kube.pulse, error)

    async def _round(self) -> Observations:
        if not self._version:
            async with aclosing(self._list()) as listed:
                async for observation in listed:
                    yield observation
        self._heard = False
        async with aclosing(self._watch()) as changes:
            async for observation in changes:
                yield observation
        yield self._observation(Kind.HEARD)
        if not self._heard:
            await rest(self._backoff, self._kube.pulse)

    async def _list(self) -> Observations:
        keys: set[object] = set()
        version = ""
        async with aclosing(self._kube.pulse.during(self._kube.pages(self._what.path, self._what.params))) as pages:
            async for raw in pages:
                page = self._page(raw)
                version = page.resource_version or version
                at = self._clock.monotonic()
                for value in page.items:
                    key = self._what.key(value)
                    keys.add(key)
                    yield Observation(self._what.source, Kind.UPSERT, at, key, value)
        self._version = version
        self._at_fault = False
        yield Observation(self._what.source, Kind.LISTED, self._clock.monotonic(), keys=frozenset(keys))

    async def _watch(self) -> Observations:
        params = {**self._what.params, "resourceVersion": self._version}
        asked = self._kube.watch(self._what.path, params, accepted=True)
        async with aclosing(self._kube.pulse.during(asked)) as lines:
            async for line in lines:
                if line:
                    yield self._change(line)
                elif self._at_fault:
                    # Or a quiet collection would stay at fault until its next bookmark.
                    self._at_fault = False
                    yield self._observation(Kind.HEARD)

    def _page(self, raw: bytes) -> Page[Any]:
        try:
            return self._what.decoder.page(raw)
        except msgspec.DecodeError as error:
            raise self._garbled(error) from error

    def _change(self, line: bytes) -> Observation:
        try:
            event = watch_event(line)
            if event.type == "ERROR":
                raise _told(event.object)
            version = versioned(event.object).metadata.resource_version
            observation = self._observation(Kind.HEARD) if event.type == "BOOKMARK" else self._object(event.type, event.object)
        except msgspec.DecodeError as error:
            self._version = ""
            raise self._garbled(error) from error
        self._version = version or self._version
        self._heard = True
        self._backoff.reset()
        return observation

    def _object(self, type_: str, raw: msgspec.Raw) -> Observation:
        value = self._what.decoder.one(raw)
        kind = Kind.DELETE if type_ == "DELETED" else Kind.UPSERT
        return self._observation(kind, self._what.key(value), value)

    def _observation(self, kind: Kind, key: object = None, value: object = None, why: str = "") -> Observation:
        return Observation(self._what.source, kind, self._clock.monotonic(), key, value, why=why)

    def _garbled(self, error: Exception) -> CockpitError:
        return _Garbled(f"API server {self._kube.server} gave an answer that is no {self._what.source}: {clean(str(error), 200)}")


def _told(raw: msgspec.Raw) -> CockpitError:
    status = msgspec.json.decode(raw, type=Status)
    return rejection(status.code or 500, bytes(raw))
