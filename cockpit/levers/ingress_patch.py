"""What the ingress lever writes on an Ingress, as JSON Patch: annotations alone, each tested against what it was.

What is absent is guarded by the resourceVersion, since the API server's `test` of a missing path passes for null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.levers.affinity_patch import EPOCH, RUN
from cockpit.model.cluster import Ingress
from cockpit.model.json import Json

ORIGINAL = "cutover-cockpit.dev/original-weights"
"""The annotation that keeps the weights from before the run: the action's name, and the weight of each architecture."""
_ANNOTATIONS = "/metadata/annotations"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of an Ingress that the lever owns: the text of its action, and its own annotations (None: absent)."""

    text: str
    original: str | None = None
    run: str | None = None

    def as_json(self) -> dict[str, Json]:
        """`{"text": ..., "original": ..., "run": ...}`."""
        return {"text": self.text, "original": self.original, "run": self.run}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Part:
        """What `as_json` gave."""
        return cls(str(value.get("text", "")), _text(value.get("original")), _text(value.get("run")))

    @classmethod
    def of(cls, ingress: Ingress, action: str) -> Part:
        """The part as it stands; `action` is the annotation's whole key, which must be there."""
        notes = ingress.annotations
        return cls(notes[action], notes.get(ORIGINAL), notes.get(RUN))

    def annotations(self, action: str, epoch: str | None) -> dict[str, str | None]:
        """Every annotation that is written, by its key."""
        return {action: self.text, ORIGINAL: self.original, RUN: self.run, EPOCH: epoch}


def operations(ingress: Ingress, after: Mapping[str, str | None]) -> list[Json]:
    """The patch that sets these annotations (None: removes them): first what must hold, then what changes."""
    tests: list[Json] = [_op("test", "/metadata/uid", ingress.uid)]
    changes: list[Json] = []
    for key, new in after.items():
        old, path = ingress.annotations.get(key), f"{_ANNOTATIONS}/{key.replace('~', '~0').replace('/', '~1')}"
        if old is not None:
            tests.append(_op("test", path, old))
        if old != new:
            changes.append(_op("remove", path) if new is None else _op("add" if old is None else "replace", path, new))
    if any(new is not None and key not in ingress.annotations for key, new in after.items()):
        tests.insert(1, _op("test", "/metadata/resourceVersion", ingress.resource_version))
    return [*tests, *changes]


def _op(op: str, path: str, value: str | None = None) -> Json:
    return {"op": op, "path": path} if value is None else {"op": op, "path": path, "value": value}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
