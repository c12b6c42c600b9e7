"""A change of a JSON value as the lines of a unified diff, written as YAML-like text that people read at a glance."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from difflib import SequenceMatcher

from cockpit.model.json import Json
from cockpit.text import clean

_NONE = "(none)"


def diff(before: Json, after: Json) -> list[str]:
    """Every line of both values, marked `- `, `+ ` or two spaces; unchanged stretches are kept, since they say where."""
    old, new = outline(before), outline(after)
    rows: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        rows += [f"  {line}" for line in old[a:b]] if tag == "equal" else _changed(old[a:b], new[c:d])
    return rows


def _changed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Line by line where both name the same keys, else first what goes and then what comes."""
    gone, come = [f"- {line}" for line in old], [f"+ {line}" for line in new]
    if [_key(line) for line in old] == [_key(line) for line in new]:
        return [line for pair in zip(gone, come, strict=True) for line in pair]
    return [*gone, *come]


def _key(line: str) -> str:
    return line.partition(": ")[0]


def outline(value: Json, indent: int = 0) -> list[str]:
    """A value as indented lines: `key: value`, `- item`. None is `(none)`; text is quoted where it could be taken for more."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return [text for key, item in value.items() for text in _entry(f"{pad}{_scalar(key)}:", item, indent)]
    if isinstance(value, list) and value:
        return [text for item in value for text in _item(pad, item, indent)]
    return [pad + _scalar(value)]


def _entry(head: str, item: Json, indent: int) -> list[str]:
    if isinstance(item, dict | list) and item:
        return [head, *outline(item, indent + 1)]
    return [f"{head} {_scalar(item)}"]


def _item(pad: str, item: Json, indent: int) -> list[str]:
    first, *rest = outline(item, indent + 1)
    return [f"{pad}- {first.strip()}", *rest]


def _scalar(value: Json) -> str:
    if value is None:
        return _NONE
    return value if isinstance(value, str) and _is_plain(value) else json.dumps(value)


def _is_plain(text: str) -> bool:
    """It holds nothing that a terminal obeys, and reads as nothing but this text."""
    if not text or text == _NONE or text != text.strip() or text != clean(text, sys.maxsize):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return not text.startswith('"')
    return False
