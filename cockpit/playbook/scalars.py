"""Plain (unquoted) scalars: YAML 1.2's core schema, less everything on which readers of YAML disagree.

A scalar that YAML 1.1 reads as something else, or that 1.1 and 1.2 read differently, is refused with both readings named, so that
no value ever turns silently into another one. Sources: YAML 1.2.2 chapter 10.3, YAML 1.1 types bool, int, float.
"""

from __future__ import annotations

import re

from cockpit.model.json import Json
from cockpit.playbook.issue import Wrong, quoted

_TRUE = frozenset(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE = frozenset(("n", "N", "no", "No", "NO", "off", "Off", "OFF"))
_CONSTANTS: dict[str, Json] = {"": None, "~": None, "null": None, "true": True, "false": False}
_CAPITALS = {w: low for low in ("null", "true", "false") for w in (low.capitalize(), low.upper())}

_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_MAX_DIGITS = 15  # what a double holds exactly

_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_BASES = (
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+"), 16, "hexadecimal"),
    (re.compile(r"[-+]?0o[0-7_]+"), 8, "octal"),
    (re.compile(r"[-+]?0b[01_]+"), 2, "binary"),
    (re.compile(r"[-+]?0[0-7_]+"), 8, "octal"),
)
_LOOSE = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]*[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def resolve(text: str) -> Json:
    """The value of a plain scalar: null, true, false, a decimal number or text. Raises Wrong for an ambiguous one."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(_short(text))
    if _FLOAT.fullmatch(text):
        return float(_short(text))
    _refuse_words(text)
    _refuse_numbers(text)
    return text


def _short(text: str) -> str:
    if sum(c.isdigit() for c in text) > _MAX_DIGITS:
        raise Wrong(f"the number {quoted(text)[1:-1]} has more than {_MAX_DIGITS} digits", _in_quotes(text))
    return text


def _in_quotes(text: str) -> str:
    return f"write {quoted(text)} in quotes if text is meant"


def _refuse_words(text: str) -> None:
    if text in _TRUE or text in _FALSE:
        value = "true" if text in _TRUE else "false"
        raise Wrong(f"unquoted {text} is {value} to YAML 1.1", f"{_in_quotes(text)}, else {value}")
    if text in _CAPITALS:
        raise Wrong(f"unquoted {text} is {_CAPITALS[text]} to YAML 1.1", f"{_in_quotes(text)}, else {_CAPITALS[text]}")
    if _NOT_FINITE.fullmatch(text):
        kind = "not a number" if text.lower()[1] == "n" else "infinity"
        raise Wrong(f"unquoted {text} is {kind} to YAML 1.1", f"{_in_quotes(text)}; no value here may be {kind}")


def _refuse_numbers(text: str) -> None:
    if not text.strip("+-.")[:1].isdigit():
        return
    if _BASE_60.fullmatch(text):
        raise Wrong(
            f"unquoted {_cut(text)} is {_base_60(text)} to YAML 1.1 (base 60)", f"{_in_quotes(text)}; durations are like 1h30m"
        )
    for pattern, base, name in _BASES:
        if pattern.fullmatch(text):
            _refuse_base(text, base, name)
    if _LOOSE.fullmatch(text):
        _refuse_loose(text)


def _refuse_base(text: str, base: int, name: str) -> None:
    digits = text.replace("_", "").lower().lstrip("+-").removeprefix("0x").removeprefix("0o").removeprefix("0b")
    number = f" {int(digits or '0', base)}" if len(digits) <= _MAX_DIGITS else ""
    reads = (
        f"text to YAML 1.1 and the {name} number{number} to YAML 1.2" if "o" in text else f"the {name} number{number} to YAML 1.1"
    )
    plain = digits.lstrip("0") if text.lstrip("+-").isdigit() else number.strip()
    raise Wrong(f"unquoted {_cut(text)} is {reads}", f"{_in_quotes(text)}, else {plain or '0'}")


def _refuse_loose(text: str) -> None:
    bare = text.replace("_", "")
    number = _plain(bare)
    if "_" in text:
        reads = f"the number {number} to YAML 1.1"
    elif "e" in text.lower():
        reads = f"the number {number} to YAML 1.2" + ("" if "." in text else " and text to YAML 1.1")
    elif bare.lstrip("+-").startswith("0") and bare.lstrip("+-")[1:2].isdigit():
        reads = f"the number {number} to some readers of YAML and text to others"
    else:
        reads = f"the number {number} to YAML 1.1"
    raise Wrong(f"unquoted {_cut(text)} is {reads}", f"{_in_quotes(text)}, else {number}")


def _plain(bare: str) -> str:
    if len(bare) > _MAX_DIGITS:
        return "that it spells"
    value = float(bare)
    if abs(value) >= 10**_MAX_DIGITS:
        return "that it spells"
    return str(int(value)) if value == int(value) else f"{value:.12f}".rstrip("0")


def _base_60(text: str) -> str:
    if len(text) > 2 * _MAX_DIGITS:
        return "a number"
    total = 0.0
    for part in text.lstrip("+-").replace("_", "").split(":"):
        total = total * 60 + float(part)
    return f"{'-' if text[0] == '-' else ''}{total:g}"


def _cut(text: str) -> str:
    return quoted(text)[1:-1]
