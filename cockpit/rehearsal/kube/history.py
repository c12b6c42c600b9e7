"""What was stored when: immutable versions of objects and the window of changes that watches and paged lists read."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from cockpit.rehearsal.kube.errors import Obj

_encode = msgspec.json.Encoder().encode
WINDOW = 20_000
"""Changes of one resource that are kept for watches; older ones are 410 Expired."""


class Quick(NamedTuple):
    """A row of a Table: its cells at some time, and the object's metadata as JSON."""

    cells: list[Any]
    metadata: bytes


class Held(Protocol):
    """One version of one object, as lists and watches send it. `namespace` is empty for cluster-scoped objects."""

    @property
    def namespace(self) -> str:
        """Empty for cluster-scoped objects."""
        ...

    @property
    def name(self) -> str:
        """Within the namespace."""
        ...

    @property
    def number(self) -> int:
        """The resource version."""
        ...

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)."""
        ...

    @property
    def obj(self) -> Obj:
        """All of it."""
        ...

    @property
    def brief(self) -> Obj:
        """At least what selectors ask for: name, namespace, labels and the selectable fields."""
        ...

    @property
    def body(self) -> bytes:
        """As JSON without kind and apiVersion."""
        ...

    def full(self) -> bytes:
        """As JSON with kind and apiVersion in front."""
        ...

    def quick(self, now: datetime) -> Quick | None:
        """What a Table shows of it, where that is known without reading all of it."""
        ...


@dataclass(slots=True, eq=False)
class Version:
    """One version of one object, never changed once stored. `namespace` is empty for cluster-scoped objects."""

    namespace: str
    name: str
    number: int
    obj: Obj
    _body: bytes | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)."""
        return self.namespace, self.name

    @property
    def brief(self) -> Obj:
        """The object: selectors find everything there."""
        return self.obj

    @property
    def body(self) -> bytes:
        """The object as JSON without kind and apiVersion (as items of a list are sent), encoded once."""
        if self._body is None:
            self._body = _encode({k: v for k, v in self.obj.items() if k not in ("kind", "apiVersion")})
        return self._body

    def quick(self, now: datetime) -> Quick | None:  # noqa: ARG002 (Held's shape)
        """None: the object is at hand."""
        return None

    def full(self) -> bytes:
        """The object as JSON with kind and apiVersion in front."""
        head = _encode({"kind": self.obj["kind"], "apiVersion": self.obj["apiVersion"]})
        return head[:-1] + (b"," + self.body[1:] if len(self.body) > 2 else b"}")


@dataclass(frozen=True, slots=True)
class Change:
    """One write: `type` is ADDED, MODIFIED or DELETED; `number` is the resource version it made."""

    type: str
    number: int
    new: Held
    old: Held | None


@dataclass(frozen=True, slots=True)
class Write(Change):
    """A change of an object that the storage holds."""

    new: Version
    old: Version | None


class Log:
    """The changes of one resource, oldest first, inside a window."""

    def __init__(self) -> None:
        self._changes: list[Write] = []
        self._numbers: list[int] = []
        self.floor = 0
        """Changes up to this resource version are forgotten."""

    def append(self, change: Write) -> None:
        """Add the newest change; forgets the oldest half when twice the window is held."""
        self._changes.append(change)
        self._numbers.append(change.number)
        if len(self._numbers) > 2 * WINDOW:
            self.forget(self._numbers[WINDOW])

    def forget(self, number: int) -> None:
        """Drop all changes up to and with this resource version."""
        at = bisect_right(self._numbers, number)
        del self._changes[:at], self._numbers[:at]
        self.floor = max(self.floor, number)

    def since(self, number: int) -> list[Write]:
        """The changes after this resource version."""
        return self._changes[bisect_right(self._numbers, number) :]

    def rewind(self, objects: dict[tuple[str, str], Version], number: int) -> dict[tuple[str, str], Version]:
        """`objects` (as they are now) as they were at this resource version."""
        past = dict(objects)
        for change in reversed(self.since(number)):
            if change.old is None:
                past.pop(change.new.key, None)
            else:
                past[change.old.key] = change.old
        return past
