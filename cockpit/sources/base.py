"""What every source is: an endless stream of observations, each with its own time.

Reconnecting, backoff and the cleaning of outside text live in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from itertools import islice
from typing import Final, Protocol, runtime_checkable

from cockpit.model.snapshot import Snapshot, SourceName


class Kind(StrEnum):
    """What an observation says."""

    UPSERT = "UPSERT"
    """`value` is now what `key` holds."""
    DELETE = "DELETE"
    """`key` is gone."""
    LISTED = "LISTED"
    """A full list has ended: `keys` is all there is; every other key is gone. The source is LIVE from here."""
    HEARD = "HEARD"
    """The server was heard from (a bookmark, an unchanged poll): still LIVE."""
    FAULT = "FAULT"
    """The server could not be asked or refused; `why` says how. What was known stays, marked."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact from one source, at `at` seconds of the cockpit's monotonic clock. `value` is a model object."""

    source: SourceName
    kind: Kind
    at: float
    key: object = None
    value: object = None
    keys: frozenset[object] = frozenset()
    why: str = ""


Observations = AsyncGenerator[Observation, None]


class _Gone(Enum):
    GONE = "gone"


GONE: Final = _Gone.GONE
"""In a batch's changes: the key is gone."""
SLICE = 500
"""Changes that are folded in one go: some 2 ms of work, so that a key is answered in time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many objects of a list have come, and of how many (None: the server does not say)."""

    read: int = 0
    expected: int | None = None


NO_PROGRESS = Progress()


@dataclass(frozen=True, slots=True)
class Batch:
    """What one source has to tell at once, at `at` seconds of the cockpit's monotonic clock. It is folded in the fields' order.

    `changes` holds the newest value of each key, or GONE. `listed` are all keys at the end of a full list. `heard` says that the
    server was heard from even though nothing else is told; `fault` why it cannot be asked. `progress` is that of a list.
    """

    source: SourceName
    at: float
    changes: Mapping[object, object] = field(default_factory=dict)
    listed: frozenset[object] | None = None
    heard: bool = False
    fault: str = ""
    progress: Progress | None = None

    def observations(self) -> Iterator[Observation]:
        """The same, one fact at a time."""
        for key, value in self.changes.items():
            if value is GONE:
                yield Observation(self.source, Kind.DELETE, self.at, key)
            else:
                yield Observation(self.source, Kind.UPSERT, self.at, key, value)
        if self.listed is not None:
            yield Observation(self.source, Kind.LISTED, self.at, keys=self.listed)
        if self.heard:
            yield Observation(self.source, Kind.HEARD, self.at)
        if self.fault:
            yield Observation(self.source, Kind.FAULT, self.at, why=self.fault)

    def sliced(self, size: int = SLICE) -> Iterator[Batch]:
        """The same in batches of no more than `size` changes; all that comes after the changes is in the last one."""
        if len(self.changes) <= size:
            yield self
            return
        left, rest = len(self.changes), iter(self.changes.items())
        while left > size:
            yield Batch(self.source, self.at, dict(islice(rest, size)), fault=self.fault, progress=self.progress)
            left -= size
        yield replace(self, changes=dict(rest))


async def observed(batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[Observation, None]:
    """What batches say, one fact at a time."""
    async with aclosing(batches):
        async for batch in batches:
            for observation in batch.observations():
                yield observation


class Source(Protocol):
    """Something that is observed for as long as it is iterated. `stale_after` is in seconds of the cockpit's clock."""

    @property
    def names(self) -> tuple[SourceName, ...]:
        """The source names that its observations carry."""
        ...

    @property
    def stale_after(self) -> float:
        """Silence for longer than this makes it STALE."""
        ...

    def observe(self) -> AsyncIterator[Observation]:
        """Observe until cancelled. Never raises for a fault of the server: that is an observation."""
        ...


@runtime_checkable
class Batching(Protocol):
    """A source that tells many things at once."""

    def batches(self) -> AsyncGenerator[Batch, None]:
        """What `observe` observes, in batches."""
        ...


@runtime_checkable
class Sighted(Protocol):
    """A source that asks about what others have observed."""

    def sees(self, newest: Callable[[], Snapshot | None]) -> None:
        """From now on `newest` gives the newest picture, None before the first. To be called before `observe`."""
        ...


@runtime_checkable
class Heeding(Protocol):
    """A source that does heavy work, and keeps it out of the way of a run under way."""

    def heeds(self, begun: Callable[[], bool], going_home: Callable[[], bool]) -> None:
        """From now on `begun` says that the first phase has begun, `going_home` that a rollback is under way."""
        ...
