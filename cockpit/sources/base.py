"""What every source is: an endless stream of observations, each with its own time.

Reconnecting, backoff and the cleaning of outside text live in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

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
