"""What the affinity lever writes on a Deployment, and the JSON Patch (RFC 6902) that writes exactly that.

A `test` of a path that does not exist is an error in RFC 6902 and in Python's jsonpatch, but passes for null in the
library of the Kubernetes API server. So absence is never tested that way: `guard` tests the resourceVersion instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.errors import Unreachable
from cockpit.model.json import Json, canonical, child
from cockpit.model.managed import OURS as MANAGER
from cockpit.model.managed import owns
from cockpit.rules.original import ORIGINAL
from cockpit.text import clean

RUN = "cutover-cockpit.dev/run"
EPOCH = "cutover-cockpit.dev/epoch"
"""The epoch of the controls under which the affinity was written last: a fence against whoever had them before."""
OURS = (ORIGINAL, RUN)
_WRITTEN = (*OURS, EPOCH)
_FIELD = ("f:spec", "f:template", "f:spec", "f:affinity")
_AFFINITY = "/spec/template/spec/affinity"
_ANNOTATIONS = "/metadata/annotations"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a Deployment that the lever owns: the affinity (None: absent) and its own annotations."""

    affinity: Json
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """`{"affinity": ..., "annotations": {...}}`."""
        return {"affinity": self.affinity, "annotations": dict(self.annotations)}

    @classmethod
    def of(cls, affinity: Json, annotations: Mapping[str, str]) -> Part:
        """The part in a whole object: foreign annotations are left out."""
        return cls(affinity, {key: annotations[key] for key in OURS if key in annotations})

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Part:
        """What `as_json` gave."""
        annotations = value.get("annotations")
        return cls.of(value.get("affinity"), _strings(annotations))

    def stamped(self, epoch: str | None) -> Part:
        """The same with that epoch, which is no part of what is compared; None: with none."""
        kept = {key: value for key, value in self.annotations.items() if key != EPOCH}
        return Part(self.affinity, kept if epoch is None else {**kept, EPOCH: epoch})

    def same(self, other: Part) -> bool:
        """Equal as JSON."""
        return canonical(self.as_json()) == canonical(other.as_json())


@dataclass(frozen=True, slots=True)
class Live:
    """A Deployment as the server just gave it. `bare`: it has no annotations but the lever's own."""

    uid: str
    resource_version: str
    part: Part
    bare: bool
    epoch: str | None = None
    """The epoch that it carries, as it stands there; None without one."""
    owner: str = ""
    """Who wrote the affinity last, other than this lever, from managedFields; empty when not known."""

    @classmethod
    def parse(cls, raw: bytes) -> Live:
        """The Deployment in a response body. Unreachable when it is none (a proxy's page, half an answer)."""
        try:
            body: Json = json.loads(raw)
        except ValueError as fault:
            raise Unreachable(f"what the API server sent is no Deployment: {fault}") from None
        metadata = child(body, "metadata")
        annotations = _strings(metadata.get("annotations"))
        pod_spec = child(child(child(body, "spec"), "template"), "spec")
        return cls(
            uid=str(metadata.get("uid", "")),
            resource_version=str(metadata.get("resourceVersion", "")),
            part=Part.of(pod_spec.get("affinity"), annotations),
            bare=is_bare(annotations),
            epoch=annotations.get(EPOCH),
            owner=_owner(metadata.get("managedFields")),
        )


def is_bare(annotations: Mapping[str, str]) -> bool:
    """No annotations but the lever's own."""
    return not set(annotations) - set(_WRITTEN)


def operations(uid: str, before: Part, after: Part, *, bare: bool) -> list[Json]:
    """The patch from `before` to `after`: first what must hold, then what changes. It never names anything else."""
    tests: list[Json] = [_op("test", "/metadata/uid", uid)]
    changes: list[Json] = []
    if before.affinity is not None:
        tests.append(_op("test", _AFFINITY, before.affinity))
    if canonical(before.affinity) != canonical(after.affinity):
        changes.append(_set(_AFFINITY, before.affinity, after.affinity))
    whole = bare and not (before.annotations and after.annotations)
    if whole and before.annotations:
        tests.append(_op("test", _ANNOTATIONS, dict(before.annotations)))
        changes.append(_op("remove", _ANNOTATIONS))
    elif whole and after.annotations:
        changes.append(_op("add", _ANNOTATIONS, dict(after.annotations)))
    elif not whole:
        _annotate(before, after, tests, changes)
    return [*tests, *changes]


def guard(live: Live, after: Part) -> list[Json]:
    """A test of the resourceVersion, where the patch relies on something being absent; otherwise nothing."""
    records = ORIGINAL in after.annotations and ORIGINAL not in live.part.annotations
    stamps = EPOCH in after.annotations and live.epoch is None
    absent = live.part.affinity is None or records or stamps or (live.bare and not live.part.annotations)
    return [_op("test", "/metadata/resourceVersion", live.resource_version)] if absent else []


def _annotate(before: Part, after: Part, tests: list[Json], changes: list[Json]) -> None:
    for key in _WRITTEN:
        old, new = before.annotations.get(key), after.annotations.get(key)
        path = f"{_ANNOTATIONS}/{key.replace('~', '~0').replace('/', '~1')}"
        if old is not None:
            tests.append(_op("test", path, old))
        if old != new:
            changes.append(_set(path, old, new))


def _set(path: str, old: Json, new: Json) -> Json:
    if new is None:
        return _op("remove", path)
    return _op("add" if old is None else "replace", path, new)


def _op(op: str, path: str, value: Json = None) -> Json:
    return {"op": op, "path": path} if op == "remove" else {"op": op, "path": path, "value": value}


def _owner(managed: Json) -> str:
    entries = [e for e in managed if isinstance(e, dict)] if isinstance(managed, list) else []
    others = [e for e in entries if e.get("manager") != MANAGER and owns(e.get("fieldsV1"), _FIELD)]
    newest = max(others, key=lambda e: str(e.get("time", "")), default=None)
    return clean(str(newest.get("manager", "")), 80) if newest else ""


def _strings(value: Json) -> dict[str, str]:
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}
