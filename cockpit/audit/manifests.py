"""Manifests before anything is deployed: the workloads and disruption budgets in files of YAML or JSON, or on standard input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cockpit.audit.ask import STDIN
from cockpit.audit.documents import MAX_BYTES, Unreadable, documents
from cockpit.audit.objects import budget, found
from cockpit.model.json import Json, child
from cockpit.model.workload import Budget, Workload
from cockpit.text import clean

_KNOWN = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod", "PodTemplate")

_NONE_RUN = (
    ("", "ConfigMap"),
    ("", "Secret"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
)
"""API group and kind of what runs nothing, whatever words are in it."""
_CONTAINERS = frozenset(("image", "container", "containers", "initContainers"))


@dataclass(slots=True)
class Manifests:
    """What was read, and what could not be: `file:line: what`."""

    workloads: list[Workload] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(path: Path, stdin: bytes, into: Manifests) -> None:
    """Add what is in one file; `STDIN` stands for the bytes of standard input."""
    name = "stdin" if path == STDIN else clean(str(path), 300)
    try:
        data = stdin if path == STDIN else _bytes(path)
    except (OSError, ValueError) as error:
        into.faults.append(f"{name} cannot be read: {clean(getattr(error, 'strerror', None) or str(error), 200)}")
        return
    lines: dict[int, int] = {}
    try:
        for document in documents(data, lines):
            for value in _objects(document):
                _add(value, f"{name}:{lines.get(id(value), 1)}", into)
    except Unreadable as error:
        into.faults.append(f"{name}:{error.line}: {error}")


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _objects(document: Json) -> Iterator[dict[str, Json]]:
    """The object of a document, or those of a List, and of a List in it."""
    if isinstance(document, list):
        for item in document:
            yield from _objects(item)
    elif isinstance(document, dict):
        listed = document.get("items")
        if str(document.get("kind", "")).endswith("List") and isinstance(listed, list):
            yield from _objects(listed)
        else:
            yield document


def _add(value: dict[str, Json], place: str, into: Manifests) -> None:
    kind = str(value.get("kind", ""))
    budgets = kind == "PodDisruptionBudget"
    if not budgets and kind not in _KNOWN and not _templated(value) and not _runs(value):
        return
    try:
        raw = msgspec.json.encode(value)
        if budgets:
            into.budgets.append(budget(raw, place))
        else:
            into.workloads.append(found(kind or "object", raw, place).workload)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError) as error:
        into.faults.append(f"{place}: this {clean(kind, 60)} cannot be read: {clean(str(error), 200)}")


def _templated(value: dict[str, Json]) -> bool:
    """It has a pod template where workloads have it, whatever its kind: a Rollout, a Knative Service."""
    return bool(child(child(child(value, "spec"), "template"), "spec").get("containers"))


def _runs(value: dict[str, Json]) -> bool:
    """It names images or containers somewhere: it runs something, though nobody here knows what."""
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    if (group, value.get("kind")) in _NONE_RUN:
        return False
    left: list[Json] = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if not _CONTAINERS.isdisjoint(part):
                return True
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
    return False
