"""YAML and JSON manifests -> plain values with the line of each object. No class of the text's choosing is ever made.

Several documents may be in one text. Unlike a playbook, a manifest may use anchors and merge keys, as kubectl reads them; what
they expand to counts towards the limit, so that a small text becomes nothing huge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import yaml

from cockpit.model.json import Json
from cockpit.playbook.events import parse
from cockpit.playbook.syntax import explain, place
from cockpit.text import clean

MAX_BYTES: Final = 16 << 20
MAX_NODES: Final = 400_000
"""Values in one file, anchors expanded; a text counts once more for every `_LINE` characters."""
MAX_TEXT: Final = 2 << 20
"""Characters of one text: Kubernetes keeps no object as large as that."""
_LINE: Final = 64
MAX_DEPTH: Final = 100
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})", re.ASCII)
"""How JSON escapes a character beyond 16 bits, which YAML does not know."""
_WORDS: Final[dict[str, Json]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
Event: TypeAlias = Any
"""A yaml.Event; PyYAML's stubs leave its attributes untyped."""


class Unreadable(Exception):
    """The text cannot be read; `line` is where, from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def documents(data: bytes, lines: dict[int, int]) -> Iterator[Json]:
    """The documents of a text, one after the other; `lines` gets the line of each mapping by its `id`. Raises Unreadable."""
    reader = _Reader(lines)
    text = _text(data)
    try:
        for event in parse(text):
            if reader.take(event):
                yield reader.document
    except yaml.YAMLError as error:
        issue = explain(error, text)
        raise Unreadable(issue.line, f"{issue.what}; {issue.right}") from None
    except ValueError:
        raise Unreadable(1, "an escape in a quoted text names no character; write the character itself") from None


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Unreadable(1, f"it is larger than {MAX_BYTES >> 20} MB; give the files of one application at a time")
    try:
        return _PAIR.sub(_joined, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(line, f"the byte 0x{data[error.start]:02x} is not UTF-8; save it as UTF-8") from None


def _joined(pair: re.Match[str]) -> str:
    high, low = (int(half, 16) for half in pair.groups()[1:])
    return pair[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


class _Reader:
    """Builds values from events. An open collection is its value, and for a mapping the key that waits for its value."""

    def __init__(self, lines: dict[int, int]) -> None:
        self.document: Json = None
        self._lines = lines
        self._count = 0
        self._open: list[tuple[Json, list[str], str, int]] = []
        self._anchors: dict[str, tuple[Json, int]] = {}

    def take(self, event: Event) -> bool:
        """Take one event; True when it ends a document."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.document = None
            self._anchors = {}
        elif isinstance(event, yaml.DocumentEndEvent):
            return True
        elif isinstance(event, yaml.CollectionEndEvent):
            value, _, anchor, before = self._open.pop()
            self._put(event, value, anchor, self._count - before)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            count = 1 + _length(event) // _LINE
            self._grow(event, count)
            self._put(event, event.value if self._at_key() else _scalar(event), event.anchor or "", count)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        return False

    def _begin(self, event: Event) -> None:
        before = self._count
        self._grow(event, 1)
        if self._at_key():
            raise Unreadable(place(event.start_mark)[0], "a list or mapping cannot be a key; a key is one word")
        if len(self._open) >= MAX_DEPTH:
            raise Unreadable(place(event.start_mark)[0], f"values are nested deeper than {MAX_DEPTH}; no manifest is")
        value: Json = {} if isinstance(event, yaml.MappingStartEvent) else []
        if isinstance(value, dict):
            self._lines[id(value)] = place(event.start_mark)[0]
        self._open.append((value, [], event.anchor or "", before))

    def _alias(self, event: Event) -> None:
        if event.anchor not in self._anchors:
            raise Unreadable(place(event.start_mark)[0], f"the alias *{clean(event.anchor, 60)} names no anchor; write the value")
        value, count = self._anchors[event.anchor]
        self._grow(event, count)
        self._put(event, str(value) if self._at_key() else value, "", count)

    def _at_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][0], dict) and not self._open[-1][1]

    def _put(self, event: Event, value: Json, anchor: str, count: int) -> None:
        if anchor:
            self._anchors[anchor] = value, count
        if not self._open:
            self.document = value
            return
        into, keys, _, _ = self._open[-1]
        if isinstance(into, list):
            into.append(value)
        elif isinstance(into, dict) and not keys:
            self._key(event, into, str(value), keys)
        elif isinstance(into, dict):
            _set(into, keys.pop(), value)

    def _key(self, event: Event, into: dict[str, Json], key: str, keys: list[str]) -> None:
        if key in into and key != "<<":
            raise Unreadable(place(event.start_mark)[0], f'the key "{clean(key, 60)}" is here twice; keep one')
        keys.append(key)

    def _grow(self, event: Event, count: int) -> None:
        self._count += count
        if self._count > MAX_NODES:
            what = (
                f"there are more than {MAX_NODES:,} values in it (a long text is several); give one application's files at a time"
            )
            raise Unreadable(place(event.start_mark)[0], what)


def _length(event: Event) -> int:
    length = len(event.value)
    if length > MAX_TEXT:
        what = f"a text of {length:,} characters is longer than any that Kubernetes keeps ({MAX_TEXT:,}); shorten it"
        raise Unreadable(place(event.start_mark)[0], what)
    return length


def _set(into: dict[str, Json], key: str, value: Json) -> None:
    if key != "<<":
        into[key] = value
        return
    for merged in value if isinstance(value, list) else [value]:
        for name, found in merged.items() if isinstance(merged, dict) else ():
            into.setdefault(name, found)


def _scalar(event: Event) -> Json:
    text = str(event.value)
    if event.style or event.tag == "tag:yaml.org,2002:str":
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
