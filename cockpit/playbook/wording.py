"""The words for each kind of fault of form: what is wrong, and what would be right."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cockpit.playbook.checks import ABORTS, GATES, NO_KIND
from cockpit.playbook.fields import WRONG
from cockpit.playbook.issue import Path, listed, quoted
from cockpit.playbook.lookup import TAGS, described, keys_at, nodes_at, words_at

Words: TypeAlias = tuple[str, str]
_NOT_YET = {
    **{
        ("set", lever): (f"the lever {lever} is not supported in this version", "use weights or affinity")
        for lever in ("replicas", "nodepool", "cordon", "taint", "http_route", "lambda")
    },
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of the schema library: its kind, the steps to it (with tags), the value there and as it was written."""

    kind: str
    steps: Path
    value: Any
    written: str
    context: Mapping[str, Any] = field(default_factory=dict)


def explain(fault: Fault) -> Words:
    """What is wrong, and what would be right."""
    return _SAY.get(fault.kind, _fallback)(fault)


def _wrong(fault: Fault) -> Words:
    return fault.context["what"], fault.context["right"]


def _missing(fault: Fault) -> Words:
    text, example = described(fault.steps)
    if example is None or isinstance(example, list | dict):
        return "this key is missing", f"add `{fault.steps[-1]}:` ({text.rstrip('.')})"
    shown = json.dumps(example) if str(example).isdigit() and isinstance(example, str) else str(example)
    return "this key is missing", f"add it, like `{fault.steps[-1]}: {shown}`"


def _unknown(fault: Fault) -> Words:
    key, parents = str(fault.steps[-1]), fault.steps[:-1]
    plain = tuple(s for s in parents if isinstance(s, str) and s not in TAGS)
    if plain and (plain[-1], key) in _NOT_YET:
        return _NOT_YET[plain[-1], key]
    known = keys_at(parents)
    if near := _nearest(key, known):
        return "this key is unknown", f"did you mean {near}?"
    return "this key is unknown", f"the keys here are {listed(known, 'and')}"


def _nearest(word: str, known: list[str]) -> str | None:
    squeezed = {k.lower().replace("_", ""): k for k in reversed(known)}
    near = difflib.get_close_matches(word[:64].lower().replace("_", "").replace("-", ""), squeezed, n=1, cutoff=0.6)
    return squeezed[near[0]] if near else None


def _no_kind(fault: Fault) -> Words:
    kinds = list(GATES if fault.steps[-2] == "gates" else ABORTS)
    noun = "gate" if fault.steps[-2] == "gates" else "abort trigger"
    examples = {"signal": "{signal: latency_p99, max_drift: 4%}", "agents": "{agents: ready}"}
    if noun != "gate":
        examples = {"signal": "{signal: error_rate, max: 1%, for: 1m}", "agents": "{agents: crash_loop}"}
    right = f"it has one of the keys {listed(kinds)}, like {listed(examples.values())}"
    value = fault.value
    if not isinstance(value, dict):
        return f"a mapping is due here, not {_named(value)}", right
    if near := next((f"did you mean {n} for {quoted(k)}?" for k in value if (n := _nearest(k, kinds))), None):
        return f"this is no {noun} that is known", near
    return f"this is no {noun} that is known", right


def _not_a_word(fault: Fault) -> Words:
    words = words_at(fault.steps)
    shown = [f'"{w}"' if w == "off" else w for w in words]
    value = fault.value
    near = _nearest(value, words) if isinstance(value, str) else None
    return f"{_named(value)} is not allowed here", f"write {near if near else listed(shown)}" + _also(near, shown)


def _also(near: str | None, shown: list[str]) -> str:
    return f" (allowed: {listed(shown)})" if near and len(shown) > 1 else ""


def _not_text(fault: Fault) -> Words:
    value = fault.value
    if isinstance(value, bool | int | float):
        written = fault.written or str(value)
        return f"text is due here, {quoted(written)[1:-1]} is {_kind(value)}", f"write {quoted(written)} in quotes"
    return f"text is due here, not {_named(value)}", _example(fault.steps)


def _not_whole(fault: Fault) -> Words:
    return f"a whole number is due here, not {_named(fault.value)}", f"write a whole number {_range(fault.steps)}"


def _range(steps: Path) -> str:
    bounds = [(n["minimum"], n["maximum"]) for n in nodes_at(steps) if "minimum" in n and "maximum" in n]
    return f"from {bounds[0][0]} to {bounds[0][1]:,}" if bounds else "without a unit"


def _out_of_range(fault: Fault) -> Words:
    return f"{_named(fault.value)} is out of range", f"write a whole number {_range(fault.steps)}"


def _not_list(fault: Fault) -> Words:
    return f"a list is due here, not {_named(fault.value)}", "begin each item with `- `, or write [] for none"


def _not_mapping(fault: Fault) -> Words:
    known = keys_at(fault.steps)
    keys = f"with the keys {listed(known, 'and')}" if known else "of names to values"
    return f"a mapping is due here, not {_named(fault.value)}", f"write a mapping {keys}"


def _too_short(fault: Fault) -> Words:
    if fault.kind == "string_too_short":
        return "the text is empty", _example(fault.steps)
    return "the list is empty", f"it has at least {fault.context['min_length']} item"


def _too_long(fault: Fault) -> Words:
    longest, noun = fault.context["max_length"], "characters" if fault.kind == "string_too_long" else "items"
    return f"there are more than {longest:,} {noun}", f"at most {longest:,} are read"


def _fallback(fault: Fault) -> Words:
    return f"{_named(fault.value)} is not allowed here", _example(fault.steps)


def _example(steps: Path) -> str:
    text, example = described(steps) if steps else ("", None)
    if isinstance(example, str | int):
        return f"write it like {example}"
    return f"see its description: {text}" if text else "write text"


def _named(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return quoted(value)
    return "a list" if isinstance(value, list) else "a mapping"


def _kind(value: bool | int | float) -> str:
    return "true or false" if isinstance(value, bool) else "a number"


_SAY: Mapping[str, Callable[[Fault], Words]] = {
    WRONG: _wrong,
    NO_KIND: _no_kind,
    "missing": _missing,
    "extra_forbidden": _unknown,
    "literal_error": _not_a_word,
    "string_type": _not_text,
    "int_type": _not_whole,
    "int_from_float": _not_whole,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "list_type": _not_list,
    "dict_type": _not_mapping,
    "model_type": _not_mapping,
    "model_attributes_type": _not_mapping,
    "too_short": _too_short,
    "string_too_short": _too_short,
    "too_long": _too_long,
    "string_too_long": _too_long,
}
