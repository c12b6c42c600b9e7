"""JSON values, and the one canonical way to write them for comparison and hashing."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def canonical(value: Json) -> str:
    """`value` with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Json) -> str:
    """The first 12 hex digits of the SHA-256 of the canonical text."""
    return sha256(canonical(value).encode()).hexdigest()[:12]


def child(value: Json, key: str) -> dict[str, Json]:
    """The object at `key`; an empty one where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
