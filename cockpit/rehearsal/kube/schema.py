"""The fields of every type that is served, for decoding as strictly as a typed server does, for merging and for OpenAPI.

`types.txt` has one type a line: `Name field:type ...`; a type is str, int, bool, num, time, microtime, quantity, any, another
Name, `[type]` for lists or `{type}` for maps with string keys.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from cockpit.model import quantity
from cockpit.rehearsal.kube.errors import Obj

_KEPT_EMPTY = frozenset({"nodeSelectorTerms", "containers", "items"})
"""Lists that the API writes even when they are empty (they have no omitempty)."""
_GO = {
    "int": "int32",
    "str": "string",
    "bool": "bool",
    "num": "float64",
    "time": "v1.Time",
    "microtime": "v1.MicroTime",
    "quantity": "resource.Quantity",
}
_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_MICRO = re.compile(r"\.\d{6}(Z|[+-]\d\d:\d\d)")
_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")


class TypeMismatch(Exception):
    """A value has the wrong JSON type; the message is worded as Go's decoder words it."""


@cache
def types() -> dict[str, dict[str, str]]:
    """Every type: field name -> type expression."""
    lines = Path(__file__).with_name("types.txt").read_text(encoding="utf-8").splitlines()
    return {name: dict(f.split(":", 1) for f in fields) for name, *fields in (line.split() for line in lines)}


def element(expression: str) -> str:
    """What a list or map type holds."""
    return expression[1:-1]


def decode(kind: str, obj: Obj) -> tuple[Obj, list[str]]:
    """`obj` as a typed server would store it (nulls, empty lists and unknown fields dropped) and the unknown fields' paths."""
    unknown: list[str] = []
    return _struct(kind, obj, kind, "", unknown), unknown


def _struct(kind: str, value: Any, owner: str, path: str, unknown: list[str]) -> Obj:
    if not isinstance(value, dict):
        raise TypeMismatch(_message(value, owner, path, f"v1.{kind}"))
    fields = types()[kind]
    out: Obj = {}
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if name not in fields:
            unknown.append(here)
        elif item is not None:
            clean = _value(fields[name], item, kind, here, unknown)
            if name in _KEPT_EMPTY or not _omitted(fields[name], clean):
                out[name] = clean
    return out


def _omitted(expression: str, value: Any) -> bool:
    return value in ([], {}) and expression[0] in "[{"


def _value(expression: str, value: Any, owner: str, path: str, unknown: list[str]) -> Any:
    if expression == "any":
        return value
    if expression[0] == "[":
        if not isinstance(value, list):
            raise TypeMismatch(_message(value, owner, path, f"[]{_go(element(expression))}"))
        return [_value(element(expression), v, owner, path, unknown) for v in value]
    if expression[0] == "{":
        if not isinstance(value, dict):
            raise TypeMismatch(_message(value, owner, path, f"map[string]{_go(element(expression))}"))
        return {k: _value(element(expression), v, owner, path, unknown) for k, v in value.items()}
    if expression in _GO:
        if not _fits(expression, value):
            raise TypeMismatch(_message(value, owner, path, _go(expression)))
        _check_form(expression, value)
        return value
    return _struct(expression, value, owner, path, unknown)


def _fits(expression: str, value: Any) -> bool:
    if expression == "bool":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if expression == "int":
        return isinstance(value, int)
    if expression == "num":
        return isinstance(value, int | float)
    return isinstance(value, str) or (expression == "quantity" and isinstance(value, int | float))


def _check_form(expression: str, value: Any) -> None:
    """TypeMismatch for a string that is no microtime (exactly six decimals) or no quantity."""
    if expression == "microtime":
        seconds = _SECONDS.match(value)
        rest = value[seconds.end() :] if seconds else value
        if not seconds or not _MICRO.fullmatch(rest):
            wanted = ".000000" if seconds else "2006"
            raise TypeMismatch(
                f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "{rest}" as "{wanted}"'
            )
    elif expression == "quantity":
        try:
            quantity.parse(str(value))
        except ValueError:
            rule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            raise TypeMismatch("unable to parse quantity's suffix" if _QUANTITY.fullmatch(str(value)) else rule) from None


def _go(expression: str) -> str:
    return _GO.get(expression, f"v1.{expression}")


def _message(value: Any, owner: str, path: str, wanted: str) -> str:
    names = ((bool, "bool"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    found = next((name for kind, name in names if isinstance(value, kind)), "null")
    return f"json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}"
