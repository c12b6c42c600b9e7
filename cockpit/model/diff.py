"""A change of a JSON value as the lines of a unified diff, written as YAML-like text that people read at a glance."""

from __future__ import annotations

import json
from difflib import ndiff

from cockpit.model.json import Json


def diff(before: Json, after: Json) -> list[str]:
    """Every line of both values, marked `- `, `+ ` or two spaces; unchanged stretches are kept, since they say where."""
    old, new = outline(before), outline(after)
    return [line for line in ndiff(old, new) if not line.startswith("? ")]


def outline(value: Json, indent: int = 0) -> list[str]:
    """A value as indented lines: `key: value`, `- item`. None is `(none)`."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return [text for key, item in value.items() for text in _entry(f"{pad}{key}:", item, indent)]
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
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value)
