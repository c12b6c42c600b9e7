"""YAML text -> plain values and where each of them stands. No classes of the text's choosing are ever made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import yaml

from cockpit.errors import PlaybookInvalid
from cockpit.model.json import Json
from cockpit.playbook.decoding import decode
from cockpit.playbook.events import Event, checked
from cockpit.playbook.issue import Issue, Path, Refused, Wrong, quoted, render
from cockpit.playbook.scalars import resolve
from cockpit.playbook.syntax import place


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key or value begins, line and column from 1. `text` is a scalar as it was written, without its quotes."""

    line: int
    column: int
    text: str = ""


class Ambiguous(str):
    """The text of a scalar that was refused. It stands for no value: checks of meaning pass over it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document as plain values.

    `values` and `keys` hold the place of each value and of each mapping's key, by path. `issues` are faults of single scalars and
    keys: a scalar of them is Ambiguous in `root`, and other checks must stay silent about it.
    """

    name: str
    root: Json
    values: Mapping[Path, Mark]
    keys: Mapping[Path, Mark]
    issues: tuple[Issue, ...] = ()

    def issue(self, path: Path, what: str, right: str, *, on_key: bool = False) -> Issue:
        """An issue at the value (or key) of `path`; where there is none, at the nearest parent that exists."""
        mark = self._mark(path, on_key)
        return Issue(mark.line, mark.column, path, what, right)

    def _mark(self, path: Path, on_key: bool) -> Mark:
        if not on_key and path in self.values:
            return self.values[path]
        while path:
            if path in self.keys:
                return self.keys[path]
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return self.values[()]


def read(data: bytes | str, name: str) -> Document:
    """The one document in `data` (`name` is for messages). Raises PlaybookInvalid for what must not be built at all."""
    try:
        events = checked(decode(data))
    except Refused as refused:
        raise PlaybookInvalid(render(refused.issues, name)) from None
    return _Builder(iter(events)).document(name)


@dataclass(slots=True)
class _Builder:
    """Builds values from events that have been checked: every key is a scalar, and nesting is shallow."""

    events: Iterator[Event]
    values: dict[Path, Mark] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def document(self, name: str) -> Document:
        """The whole document."""
        root = self.node(next(self.events), ())
        return Document(name, root, self.values, self.keys, tuple(self.issues))

    def node(self, event: Event, path: Path) -> Json:
        """The value that begins with `event`."""
        mark = Mark(*place(event.start_mark), event.value if isinstance(event, yaml.ScalarEvent) else "")
        self.values.setdefault(path, mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path)

    def _mapping(self, path: Path) -> Json:
        result: dict[str, Json] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, child = str(event.value), (*path, str(event.value))
            twice = key in result
            if twice:
                self._say(event, child, f"the key {quoted(key)} is here twice, first on line {self.keys[child].line}", "keep one")
            else:
                self.keys[child] = Mark(*place(event.start_mark), key)
            value = self.node(next(self.events), child)
            if not twice:
                result[key] = value
        return result

    def _sequence(self, path: Path) -> Json:
        result: list[Json] = []
        for index in count():
            if isinstance(event := next(self.events), yaml.SequenceEndEvent):
                break
            result.append(self.node(event, (*path, index)))
        return result

    def _scalar(self, event: Event, path: Path) -> Json:
        if event.style:
            return str(event.value)
        try:
            return resolve(event.value)
        except Wrong as wrong:
            self._say(event, path, wrong.what, wrong.right)
            return Ambiguous(event.value)

    def _say(self, event: Event, path: Path, what: str, right: str) -> None:
        self.issues.append(Issue(*place(event.start_mark), path, what, right))
