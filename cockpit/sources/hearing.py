"""What the lines of a watch say, all of a network chunk at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from cockpit.clock import Clock
from cockpit.connections.failures import Status, rejection
from cockpit.connections.wire import WatchEvent, versioned, watch_event
from cockpit.errors import CockpitError, Forbidden, Gone, Rejected, Throttled
from cockpit.sources.base import GONE, Batch, Progress
from cockpit.sources.collection import Collection
from cockpit.text import clean


class Garbled(CockpitError):
    """The server's answer could not be understood."""


class Unstreamed(CockpitError):
    """The server has no watch-lists: it refused one, or took it for any watch."""


class Unwatched(Unstreamed):
    """Who asks may not watch this collection, and perhaps list it all the same."""


def unstreamed(error: Rejected | Forbidden) -> CockpitError:
    """What the refusal of a watch-list means: Unstreamed, or the error itself where it says nothing of watch-lists."""
    if isinstance(error, Forbidden):
        return Unwatched(str(error))
    if not 400 <= error.status < 500 or isinstance(error, Throttled | Gone):
        return error
    return Unstreamed(str(error))


def ends_list(line: bytes) -> bool:
    """Whether a line of a watch-list that is no object ends the list; the error that it tells, DecodeError for what is neither.

    Unstreamed for a bookmark that comes before: the server has taken the watch-list for any watch.
    """
    event = _no_error(line)
    if event.type != "BOOKMARK":
        raise msgspec.DecodeError("no line of a watch")
    if not versioned(event.object).ends_list:
        raise Unstreamed("a bookmark came before the end of the list")
    return True


def _no_error(line: bytes) -> WatchEvent:
    event = watch_event(line)
    if event.type == "ERROR":
        status = msgspec.json.decode(event.object, type=Status)
        raise rejection(status.code or 500, bytes(event.object))
    return event


@dataclass(slots=True)
class Hearing:
    """What has been heard of one collection."""

    what: Collection
    clock: Clock
    server: str
    version: str = ""
    """Where to go on from; empty when nothing may be resumed from."""
    understood: bool = False
    """Something was, of the watch under way."""
    keys: set[object] | None = None
    """Of a list that is being streamed."""
    expected: int | None = None
    _changes: dict[object, object] = field(default_factory=dict)

    def stream(self, expected: int | None) -> None:
        """A list is to come as a stream, of so many objects (None: not known)."""
        self.keys, self.expected = set(), expected

    def told(self, lines: Sequence[bytes]) -> tuple[list[Batch], CockpitError | None]:
        """What the lines say, up to one that is an error or cannot be understood, and that error."""
        batches: list[Batch] = []
        error: CockpitError | None = None
        try:
            for line in lines:
                if change := self.what.decoder.changed(line):
                    self._change(*change)
                else:
                    self._other(line, batches)
        except msgspec.DecodeError as found:
            self.version = ""
            error = self.garbled(found)
        except CockpitError as found:
            error = found
        if self._changes:
            batches.append(self.batch(self._flushed(), progress=self._progress()))
        return batches, error

    def batch(
        self,
        changes: dict[object, object] | None = None,
        listed: frozenset[object] | None = None,
        progress: Progress | None = None,
        *,
        heard: bool = False,
        fault: str = "",
    ) -> Batch:
        """What is told now."""
        return Batch(self.what.source, self.clock.monotonic(), changes or {}, listed, heard, fault, progress)

    def garbled(self, error: Exception) -> CockpitError:
        """The error for an answer that is not what was asked for."""
        return Garbled(f"API server {self.server} gave an answer that is no {self.what.source}: {clean(str(error), 200)}")

    def _change(self, kind: str, version: str, value: object) -> None:
        key = self.what.key(value)
        gone = kind == "DELETED"
        self._changes[key] = GONE if gone else value
        self.understood = True
        if self.keys is None:
            self.version = version or self.version
        elif gone:
            self.keys.discard(key)
        else:
            self.keys.add(key)

    def _other(self, line: bytes, batches: list[Batch]) -> None:
        event = _no_error(line)
        mark = versioned(event.object)
        if event.type != "BOOKMARK":
            # Whatever else may happen to an object, this is how it is now; and what is no object says here why.
            self._change(event.type, mark.metadata.resource_version, self.what.decoder.one(event.object))
            return
        if self.keys is not None:
            if not mark.ends_list:
                raise Unstreamed("a bookmark came before the end of the list")
            batches.append(self._ended(self.keys))
        self.understood = True
        self.version = mark.metadata.resource_version or self.version
        batches.append(self.batch(self._flushed(), heard=True))

    def _ended(self, keys: set[object]) -> Batch:
        self.keys = None
        return self.batch(self._flushed(), frozenset(keys), Progress(len(keys), len(keys)))

    def _flushed(self) -> dict[object, object]:
        changes, self._changes = self._changes, {}
        return changes

    def _progress(self) -> Progress | None:
        if self.keys is None:
            return None
        read = len(self.keys)
        return Progress(read, None if self.expected is None else max(read, self.expected))
