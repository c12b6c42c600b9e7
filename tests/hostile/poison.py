"""A frame whose every text is a payload, raw, as if whoever should have cleaned it had forgotten to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import cycle, islice
from typing import Any

from cockpit.model.playbook import Playbook
from cockpit.run.frame import Frame

KEPT = {"arch", "reported_arch", "phase", "freshness", "lever", "unit"}
"""Fields whose text decides what is drawn rather than being drawn; with a payload there would be nothing to see."""


def poisoned(frame: Frame, payloads: Iterator[str], each: int = 1) -> Frame:
    """The frame with `each` payloads at the end of each text. Keys of mappings and the playbook, which is checked apart, stay."""
    together = iter(lambda: "".join(islice(payloads, each)), None)
    found: Frame = _poison(frame, together, "")
    return found


def turning(payloads: list[str], turn: int) -> Iterator[str]:
    """The payloads from `turn` on, again and again: with as many turns as payloads each field has had each of them."""
    return islice(cycle(payloads), turn % len(payloads), None)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, keys of mappings included."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from texts(key)
            yield from texts(one)
    elif isinstance(value, tuple | list | frozenset | set):
        for one in value:
            yield from texts(one)


def _poison(value: Any, payloads: Iterator[str], name: str) -> Any:
    if isinstance(value, Enum | Playbook) or name in KEPT:
        return value
    if isinstance(value, str):
        return value + next(payloads)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _poison(getattr(value, f.name), payloads, f.name) for f in fields(value) if f.init}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {key: _poison(one, payloads, "") for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_poison(one, payloads, name) for one in value)
    return value
