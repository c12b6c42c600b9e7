"""The YAML event stream of a playbook; refused is what could turn a small text into something else or something huge.

Nothing is composed or constructed here: events arrive one by one from PyYAML's parser, and reading stops at the first limit that
is passed. Aliases, anchors, tags, directives, merge keys and second documents are all reported and end the reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import yaml

from cockpit.playbook.decoding import UNSEEN
from cockpit.playbook.issue import Issue, Refused, quoted
from cockpit.playbook.syntax import explain, place

MAX_DEPTH: Final = 50
MAX_NODES: Final = 10_000
MAX_SCALAR: Final = 16 * 1024
"""Characters of one key or value."""

Event: TypeAlias = Any
"""A yaml.Event; PyYAML's stubs leave its attributes untyped."""


def checked(text: str) -> list[Event]:
    """The events of the one document in `text`, from its first node to its last. Raises Refused with all that is not allowed."""
    guard = _Guard()
    try:
        for event in parse(text):
            guard.see(event)
    except yaml.YAMLError as error:
        guard.issues.append(explain(error, text))
    except ValueError:  # the Python parser lets chr() complain of escapes beyond Unicode
        guard.issues.append(Issue(1, 1, (), "an escape in a quoted text names no character", "write the character itself"))
    if not guard.nodes and not guard.issues:
        guard.issues.append(Issue(1, 1, (), "there is nothing in it", "a playbook begins with `apiVersion: cockpit/v1`"))
    if guard.issues:
        raise Refused(*guard.issues)
    return guard.nodes


def parse(text: str | bytes) -> Iterator[Event]:
    """Events as PyYAML's parser gives them."""
    loader = _loader()(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def values(text: str | bytes, *, aliases: bool = True) -> object:
    """What stands in the one document of `text`, as Python has it. Without `aliases` the first one is an error.

    yaml.YAMLError for text that is no YAML or nested deeper than MAX_DEPTH: the composer calls itself for each level, and many
    of them end the process.
    """
    depth = 0
    try:
        for event in parse(text):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _unwanted(f"values are nested deeper than {MAX_DEPTH}", event)
            if not aliases and isinstance(event, yaml.AliasEvent):
                # It may stand for a thousand others.
                raise _unwanted("it holds YAML aliases", event)
        return yaml.load(text, _loader())  # noqa: S506 (both are safe ones)
    except ValueError as error:  # the Python parser lets chr() complain of escapes beyond Unicode
        raise yaml.YAMLError(str(error)) from error


def _loader() -> Any:
    """PyYAML's parser in C where it was built (some 10 times faster), else the one in Python."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _unwanted(problem: str, event: Event) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


class _Guard:
    """Sees each event once, in order. `nodes` are the events of the document's content."""

    def __init__(self) -> None:
        self.nodes: list[Event] = []
        self.issues: list[Issue] = []
        self._documents = 0
        self._count = 0
        # One entry for each open collection: None in a list, else whether a key comes next.
        self._open: list[bool | None] = []

    def see(self, event: Event) -> None:
        """Take one event; raises Refused when reading on makes no sense."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self.nodes.append(event)
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)
            self.nodes.append(event)

    def _document(self, event: Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event, "a second document begins here", "keep one playbook a file and remove the `---`")
        if event.version or event.tags:
            self._say(event, "a % directive is not allowed", "remove the lines that begin with %")

    def _node(self, event: Event) -> None:
        is_key = self._is_key()
        self._count += 1
        if self._count > MAX_NODES:
            self._stop(event, f"there are more than {MAX_NODES:,} values", "a playbook is far smaller: split it by tier")
        if isinstance(event, yaml.AliasEvent):
            self._say(event, f"the alias *{quoted(event.anchor)[1:-1]} is not allowed", "write the value out")
            return
        if event.anchor:
            self._say(event, f"the anchor &{quoted(event.anchor)[1:-1]} is not allowed", "remove it and write values out")
        if event.tag:
            self._say(event, f"the tag {quoted(event.tag)[1:-1]} is not allowed", "remove it; put text in quotes")
        if isinstance(event, yaml.CollectionStartEvent):
            self._collection(event, is_key)
        else:
            self._scalar(event, is_key)

    def _is_key(self) -> bool:
        if not self._open or self._open[-1] is None:
            return False
        is_key = self._open[-1]
        self._open[-1] = not is_key
        return is_key

    def _collection(self, event: Event, is_key: bool) -> None:
        if is_key:
            self._say(event, "a list or mapping cannot be a key", "a key is one word; quote text that begins with [ or {")
        self._open.append(True if isinstance(event, yaml.MappingStartEvent) else None)
        if len(self._open) > MAX_DEPTH:
            self._stop(event, f"values are nested deeper than {MAX_DEPTH}", "a playbook needs no more than 10 levels")

    def _scalar(self, event: Event, is_key: bool) -> None:
        if len(event.value) > MAX_SCALAR:
            self._stop(event, f"one text has {len(event.value):,} characters", f"at most {MAX_SCALAR:,} are read")
        if found := UNSEEN.search(event.value):
            self._say(event, f"the text holds the unseen character U+{ord(found.group()):04X}", "remove its escape")
        if is_key and not event.style and event.value == "<<":
            self._say(event, "the merge key << is not allowed", "write the values out")
        if is_key and not event.value:
            self._say(event, "a key is empty", "write the key's name before the colon")

    def _say(self, event: Event, what: str, right: str) -> None:
        self.issues.append(Issue(*place(event.start_mark), (), what, right))

    def _stop(self, event: Event, what: str, right: str) -> None:
        self._say(event, what, right)
        raise Refused(*self.issues)
