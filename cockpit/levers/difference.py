"""Where two JSON values differ first, for messages about drift."""

from __future__ import annotations

from cockpit.model.json import Json, canonical
from cockpit.text import clean

_MISSING = "absent"
_WIDTH = 120


def first_difference(expected: Json, actual: Json, path: str) -> str:
    """`path.to.it is <actual>, expected <expected>` for the first place that differs; empty when nothing does."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}):
            if key not in expected or key not in actual:
                return _say(f"{path}.{key}", _word(expected, key), _word(actual, key))
            if found := first_difference(expected[key], actual[key], f"{path}.{key}"):
                return found
        return ""
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return next((found for i, (e, a) in pairs if (found := first_difference(e, a, f"{path}[{i}]"))), "")
    return "" if canonical(expected) == canonical(actual) else _say(path, canonical(expected), canonical(actual))


def _word(parent: dict[str, Json], key: str) -> str:
    return canonical(parent[key]) if key in parent else _MISSING


def _say(path: str, expected: str, actual: str) -> str:
    return f"{clean(path, _WIDTH)} is {clean(actual, _WIDTH)}, expected {clean(expected, _WIDTH)}"
