"""Watches: history first, then what comes, with bookmarks, in-stream 410 and selectors that objects enter and leave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from heapq import merge
from itertools import islice

from cockpit.clock import Clock
from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.errors import Cause, KubeError, Obj, bad_options, expired
from cockpit.rehearsal.kube.history import Change, Held, Version
from cockpit.rehearsal.kube.listing import bare_version, number
from cockpit.rehearsal.kube.negotiate import As, encode, one
from cockpit.rehearsal.kube.selectors import Selector
from cockpit.rehearsal.kube.storage import Storage

BOOKMARK_SECONDS = 10.0
"""Clock seconds between bookmarks, within the wall seconds of `BOOKMARK_WALL`."""
BOOKMARK_WALL = (0.1, 30.0)
_CHUNK = 128 * 1024
"""Bytes after which the present objects are sent on."""
_BATCH = 500
"""Changes that are read at once: a watcher that lags behind is not answered from memory all at a time."""


class Hub:
    """Wakes the watches of a resource when something of it changes."""

    def __init__(self, storage: Storage) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.closing = False
        storage.listen(self._changed)
        for resource, bulk in storage.bulk.items():
            bulk.listen(partial(self._wake, resource))

    def _changed(self, kind: str, resource: str, _: Obj) -> None:
        if kind == "EXPIRED":
            self.wake_all()
        self._wake(resource)

    def _wake(self, resource: str) -> None:
        for event in self._waiting.get(resource, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake every watch."""
        for events in self._waiting.values():
            for event in events:
                event.set()

    def close(self) -> None:
        """End every watch."""
        self.closing = True
        self.wake_all()

    def enter(self, resource: str) -> asyncio.Event:
        """A new event that is set at each change of the resource."""
        event = asyncio.Event()
        self._waiting.setdefault(resource, set()).add(event)
        return event

    def leave(self, resource: str, event: asyncio.Event) -> None:
        """Forget an event."""
        self._waiting[resource].discard(event)


def line(kind: str, body: bytes) -> bytes:
    """One line of a watch stream."""
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"


def bookmark_interval(clock: Clock) -> float:
    """Wall seconds between bookmarks."""
    low, high = BOOKMARK_WALL
    return min(max(BOOKMARK_SECONDS / float(getattr(clock, "speed", 1.0)), low), high)


class Watch:
    """One watch: an iteration over chunks of lines until its time is up, its history is gone or the server closes."""

    def __init__(self, storage: Storage, hub: Hub, call: Call) -> None:
        self._storage, self._hub, self._call = storage, hub, call
        self._selector: Selector = call.selector
        self._namespace = call.info.namespace
        self._bulk = storage.bulk.get(call.kind.name)
        self._chosen = self._bulk.choose(self._namespace, self._selector) if self._bulk is not None else None
        self._bookmarks = call.query.get("allowWatchBookmarks", "") in ("true", "1")
        self._timeout = number(call.query.get("timeoutSeconds") or "0") or random.uniform(1800, 3600)
        self._epoch = storage.watch_epoch
        self._initial, self._cursor = self._start()
        self._titled = False

    def _start(self) -> tuple[bool, int]:
        """Whether to begin with the present objects, and the resource version to go on from."""
        query = self._call.query
        text, current = query.get("resourceVersion", ""), self._storage.resource_version
        wanted = bare_version(text)
        if query.get("sendInitialEvents", "") == "true":
            if query.get("resourceVersionMatch") != "NotOlderThan":
                why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
                raise bad_options("ListOptions", Cause("FieldValueForbidden", why, "resourceVersionMatch"))
            return True, current
        return (True, current) if wanted == 0 else (False, wanted)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The stream's lines, several at a time; the last may be an ERROR."""
        woken = self._hub.enter(self._call.kind.name)
        loop = asyncio.get_running_loop()
        ends, rhythm = loop.time() + self._timeout, bookmark_interval(self._storage.clock)
        marked = loop.time()
        try:
            for lines in self._first():
                yield lines
                await asyncio.sleep(0)
            while loop.time() < ends and not self._hub.closing:
                woken.clear()
                lines, more = self._next()
                if lines:
                    yield lines
                due = marked + rhythm if self._bookmarks else ends
                if self._bookmarks and loop.time() >= due:
                    marked = loop.time()
                    yield self._bookmark()
                    continue
                if more:
                    await asyncio.sleep(0)
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(due, ends)):
                        await woken.wait()
        except KubeError as error:
            yield line("ERROR", encode(error.status()))
        finally:
            self._hub.leave(self._call.kind.name, woken)

    def _first(self) -> Iterator[bytes]:
        """The present objects, if they are asked for. A first chunk comes at once: it tells that the watch stands."""
        if not self._initial:
            yield b""
            return
        lines: list[bytes] = []
        size = 0
        for held in self._present():
            lines.append(line("ADDED", self._encode(held)))
            size += len(lines[-1])
            if size > _CHUNK:
                yield b"".join(lines)
                lines, size = [], 0
        if self._call.query.get("sendInitialEvents") == "true" and self._bookmarks:
            lines.append(self._bookmark({"k8s.io/initial-events-end": "true"}))
        yield b"".join(lines)

    def _present(self) -> Iterator[Held]:
        versions = self._storage.versions(self._call.kind.name, self._namespace or None)
        own: Iterator[Held] = (v for v in versions if self._selector.matches(v.obj))
        if self._bulk is None or self._chosen is None:
            return own
        return merge(own, self._bulk.list(self._cursor, self._chosen, None), key=lambda held: held.key)

    def _next(self) -> tuple[bytes, bool]:
        """What has happened since the cursor, and whether there is more; KubeError 410 when that is no longer known."""
        if self._storage.watch_epoch != self._epoch:
            raise expired(f"too old resource version: {self._cursor} ({self._storage.resource_version})")
        changes: Iterator[Change] = iter(self._storage.since(self._call.kind.name, self._cursor))
        if self._bulk is not None and self._chosen is not None:
            more = self._bulk.since(self._cursor, self._chosen)
            changes = merge(changes, more, key=lambda change: change.number)
        batch = list(islice(changes, _BATCH))
        full = len(batch) == _BATCH
        self._cursor = batch[-1].number if full else max(self._cursor, self._storage.resource_version)
        return b"".join(self._event(change) for change in batch), full

    def _event(self, change: Change) -> bytes:
        if self._namespace and change.new.namespace != self._namespace:
            return b""
        if self._selector.empty:
            return line(change.type, self._encode(change.new))
        before = change.old is not None and self._selector.matches(change.old.brief)
        after = change.type != "DELETED" and self._selector.matches(change.new.brief)
        if after:
            return line("MODIFIED" if before else "ADDED", self._encode(change.new))
        return line("DELETED", self._encode(_leaving(change))) if before else b""

    def _encode(self, version: Held) -> bytes:
        # A watch of Tables tells the columns once.
        titled, self._titled = self._titled, True
        return one(self._call.kind, version, self._call.form, self._storage.clock.now(), header=not titled)

    def _bookmark(self, annotations: dict[str, str] | None = None) -> bytes:
        kind = self._call.kind
        meta: Obj = {"resourceVersion": str(self._cursor)}
        if annotations:
            meta["annotations"] = annotations
        body: Obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
        if self._call.form.kind is As.TABLE:
            row = {"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}}
            body = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": str(self._cursor)}}
            body |= {"columnDefinitions": [], "rows": [row]}
        return line("BOOKMARK", encode(body))


def _leaving(change: Change) -> Held:
    """What a watcher sees go: the last state it knew, with the version of the change."""
    if change.type == "DELETED" or change.old is None:
        return change.new
    old = change.old.obj
    obj = {**old, "metadata": {**old["metadata"], "resourceVersion": str(change.number)}}
    return Version(change.old.namespace, change.old.name, change.number, obj)
