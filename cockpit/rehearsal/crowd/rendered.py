"""An object of a crowd as lists and watches send it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import msgspec

from cockpit.rehearsal.crowd.groups import Group
from cockpit.rehearsal.crowd.rows import Row
from cockpit.rehearsal.kube.cells import ROWS
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.history import Quick
from cockpit.rehearsal.kube.resources import Resource

Key: TypeAlias = tuple[str, str]
"""(namespace, name)."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An object of the crowd at one version. Its JSON is made when it is asked for, and not kept."""

    kind: Resource
    group: Group
    row: Row

    @property
    def namespace(self) -> str:
        """Empty for nodes."""
        return self.group.namespace

    @property
    def name(self) -> str:
        """As its controller or its cloud has named it."""
        return self.group.name(self.row)

    @property
    def number(self) -> int:
        """The resource version."""
        return self.row.number

    @property
    def key(self) -> Key:
        """(namespace, name)."""
        return self.group.namespace, self.group.name(self.row)

    @property
    def body(self) -> bytes:
        """As JSON without kind and apiVersion."""
        return self.group.body(self.row)

    @property
    def obj(self) -> Obj:
        """All of it."""
        found: Obj = msgspec.json.decode(self.full())
        return found

    @property
    def brief(self) -> Obj:
        """What selectors ask for."""
        return self.group.brief(self.row)

    def quick(self, now: datetime) -> Quick:
        """What a Table shows of it: as of any other of its group and phase, but for what is its own."""
        alike = self.group.alike.get(self.row.phase)
        if alike is None:
            alike = self.group.alike[self.row.phase] = ROWS[self.kind.name](self.obj, now)
        body = self.body
        # Its metadata stands first; inside of it there is no such key.
        return Quick([*map(self.group.cells(self.row, now).get, range(len(alike)), alike)], body[12 : body.index(b',"spec":')])

    def full(self) -> bytes:
        """As JSON with kind and apiVersion in front."""
        return b'{"kind":"%b","apiVersion":"%b",' % (self.kind.kind.encode(), self.kind.api_version.encode()) + self.body[1:]
