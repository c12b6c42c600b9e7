"""Finding the part of the JSON Schema that describes a place in a playbook: its keys, words, limits, an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from cockpit.playbook.checks import ABORTS, GATES, tag
from cockpit.playbook.issue import Path
from cockpit.playbook.jsonschema import schema

Node: TypeAlias = dict[str, Any]
_described: ContextVar[Node | None] = ContextVar("_described", default=None)
TAGS = {tag(kind): kind for kind in (*GATES, *ABORTS)}


@contextmanager
def describing(root: Node) -> Iterator[None]:
    """Inside, places are those of another kind of file, which `root` is the JSON Schema of."""
    token = _described.set(root)
    try:
        yield
    finally:
        _described.reset(token)


def _root() -> Node:
    return _described.get() or schema()


def nodes_at(steps: Path) -> list[Node]:
    """The alternatives for the value at `steps`. A tag among the steps chooses the kind of a gate or abort trigger."""
    nodes = _open([_root()])
    for step in steps:
        if isinstance(step, str) and step in TAGS:
            nodes = [n for n in nodes if TAGS[step] in n.get("properties", {})]
        else:
            nodes = _open([child for node in nodes for child in _child(node, step)])
    return nodes


def keys_at(steps: Path) -> list[str]:
    """The keys that a mapping at `steps` may have."""
    return list(dict.fromkeys(key for node in nodes_at(steps) for key in node.get("properties", {})))


def words_at(steps: Path) -> list[str]:
    """The words that may stand at `steps`; empty when the value is free."""
    found = [word for node in nodes_at(steps) for word in node.get("enum", [node["const"]] if "const" in node else [])]
    return [str(word).lower() if isinstance(word, bool) else str(word) for word in found]


def described(steps: Path) -> tuple[str, Any]:
    """Description and example (None without one) of the value at `steps`."""
    *parents, key = steps
    for node in nodes_at(tuple(parents)):
        if found := node.get("properties", {}).get(key):
            # A description that only repeats the part's own is left out beside its reference.
            text = found.get("description") or next((n["description"] for n in _open([found]) if "description" in n), "")
            return text, next(iter(found.get("examples", ())), None)
    return "", None


def _child(node: Node, step: str | int) -> Iterable[Node]:
    if isinstance(step, int):
        return [node["items"]] if "items" in node else []
    if step in node.get("properties", {}):
        return [node["properties"][step]]
    others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return [other for other in others if isinstance(other, dict)]


def _open(nodes: Iterable[Node]) -> list[Node]:
    """References followed and alternatives spread out."""
    result: list[Node] = []
    for node in nodes:
        inner = [*node.get("anyOf", ()), *node.get("oneOf", ())] if "properties" not in node else []
        if "$ref" in node:
            inner.append(_root()["$defs"][node["$ref"].rpartition("/")[2]])
        result += _open(inner) if inner else [node]
    return result
