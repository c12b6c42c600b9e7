"""Labels and selectors, cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from cockpit.connections import wire
from cockpit.connections.interned import shared


@lru_cache(maxsize=4096)
def _labels_from(text: bytes) -> Mapping[str, str]:
    found: dict[str, str] = msgspec.json.decode(text, type=dict[str, str] | None) or {}
    return {shared(key): shared(value) for key, value in found.items()}


_plain_labels = msgspec.json.Decoder(dict[str, str])


_PLAIN_BYTES = 8192


def labels_of(raw: msgspec.Raw) -> Mapping[str, str]:
    """Labels, cleaned; objects of one revision share them."""
    text = bytes(raw)
    return _labels_from(text) if text else {}


def own_labels(raw: msgspec.Raw) -> Mapping[str, str]:
    """The same for objects that share them with no other."""
    text = bytes(raw)
    if not text:
        return {}
    # Every node has labels of its own, so caching them whole does not help; but most words in them are those of others.
    # Plain printable ASCII without escapes has nothing to clean.
    if len(text) < _PLAIN_BYTES and text.isascii() and b"\\" not in text and text.decode("ascii").isprintable():
        return {key: shared(value) for key, value in _plain_labels.decode(text).items()} if text != b"null" else {}
    return _labels_from(text)


def strings(found: Mapping[str, str] | None) -> Mapping[str, str]:
    """A map of strings, cleaned."""
    return {shared(key): shared(value) for key, value in (found or {}).items()}


def label_selector(selector: wire.Selector | None) -> str | None:
    """The `labelSelector` parameter for a selector; None for one that selects nothing or that cannot be said."""
    if selector is None:
        return None
    parts = [f"{key}={value}" for key, value in (selector.match_labels or {}).items()]
    for item in selector.match_expressions or ():
        said = _EXPRESSIONS.get(item.operator)
        if said is None:
            return None
        parts.append(said.format(key=item.key, values=",".join(item.values or ())))
    return ",".join(parts) or None


_EXPRESSIONS = {"In": "{key} in ({values})", "NotIn": "{key} notin ({values})", "Exists": "{key}", "DoesNotExist": "!{key}"}
