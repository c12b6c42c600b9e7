"""The ConfigMap that holds a run's record: read, watched, and written only over the version that was read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar
from urllib.parse import quote

import msgspec

from cockpit.clock import Clock
from cockpit.connections.failures import Status, rejection
from cockpit.connections.kube import KubeClient
from cockpit.connections.wire import WatchEvent, list_meta, watch_event
from cockpit.errors import CockpitError, Gone, NotFound, Unreachable
from cockpit.model.json import Json
from cockpit.sources.pace import Backoff, rest
from cockpit.text import clean

PREFIX = "cutover-cockpit-"
LABELS: dict[str, Json] = {"app.kubernetes.io/managed-by": "cutover-cockpit"}
T = TypeVar("T")
_DIGITS = 12
"""More than any epoch has."""


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class _ConfigMap(msgspec.Struct):
    metadata: _Meta
    data: dict[str, str] | None = None


class _Page(msgspec.Struct):
    items: list[_ConfigMap] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The texts of a ConfigMap by key, and the version that they were read at."""

    texts: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def epoch(self) -> int:
        """The epoch of the controls that it was written under; 0 when it names none."""
        text = self.texts.get("epoch", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0

    @property
    def holder(self) -> str:
        """Who has written it, in words."""
        return clean(self.texts.get("holder", ""), 200) or "somebody else"


class Document:
    """The ConfigMap `cutover-cockpit-<name>` in `namespace`."""

    def __init__(self, kube: KubeClient, namespace: str, name: str) -> None:
        self.name = f"{PREFIX}{name}"
        self.namespace = namespace
        self._kube = kube
        self._folder = f"/api/v1/namespaces/{quote(namespace, safe='')}/configmaps"
        self._path = f"{self._folder}/{quote(self.name, safe='')}"

    async def read(self) -> Stored | None:
        """What it holds now; None when there is none. Unreachable, Unauthorized, Throttled."""
        try:
            return _stored(await self._kube.get(self._path))
        except NotFound:
            return None

    async def write(self, texts: Mapping[str, str], over: Stored | None) -> Stored:
        """Put `texts` there in place of what `over` was; None: where nothing was. Conflict when somebody else has written since.

        NotFound when it has been deleted since. Unreachable may mean that it was written all the same.
        """
        meta: dict[str, Json] = {"name": self.name, "namespace": self.namespace, "labels": LABELS}
        body: dict[str, Json] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(texts)}
        if over is None:
            return _stored(await self._kube.post(self._folder, body))
        meta["resourceVersion"] = over.version
        return _stored(await self._kube.put(self._path, body))

    async def watch(self, clock: Clock, random: Random) -> AsyncGenerator[Stored | CockpitError | None, None]:
        """What it holds, now and whenever that changes (None: there is none), or why that is not known at the moment. Endless."""
        backoff = Backoff(clock, random)
        async with self._kube.pulse.felt():
            while True:
                error: CockpitError | None = None
                try:
                    async with aclosing(self._round(backoff)) as found:
                        async for one in found:
                            yield one
                except Gone:
                    pass  # usual after a pause: listed again
                except CockpitError as fault:
                    error = fault
                    yield fault
                await rest(backoff, self._kube.pulse, error)

    async def _round(self, backoff: Backoff) -> AsyncGenerator[Stored | None, None]:
        """The list, then the watch until the server ends it."""
        asked = {"fieldSelector": f"metadata.name={self.name}"}
        raw = await self._kube.get(self._folder, asked)
        page = _decoded(raw, _Page)
        items = [_of(item) for item in page.items or () if item.metadata.name == self.name]
        yield items[0] if items else None
        version = list_meta(raw).resource_version
        watched = self._kube.pulse.during(self._kube.watch(self._folder, {**asked, "resourceVersion": version}))
        async with aclosing(watched) as lines:
            async for line in lines:
                event = _event(line)
                backoff.reset()
                if event.type == "DELETED":
                    yield None
                elif event.type != "BOOKMARK":
                    yield _stored(bytes(event.object))


def _event(line: bytes) -> WatchEvent:
    try:
        event = watch_event(line)
        if event.type == "ERROR":
            status = msgspec.json.decode(event.object, type=Status)
            raise rejection(status.code or 500, bytes(event.object))
    except msgspec.DecodeError as error:
        raise Unreachable(f"what the API server sent is no change of a ConfigMap: {clean(str(error), 200)}") from None
    return event


def _stored(raw: bytes) -> Stored:
    return _of(_decoded(raw, _ConfigMap))


def _of(found: _ConfigMap) -> Stored:
    return Stored(found.data or {}, found.metadata.resource_version)


def _decoded(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(f"what the API server sent is no ConfigMap: {clean(str(error), 200)}") from None
