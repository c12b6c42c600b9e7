"""The labelled worlds on disk: what each is made of (`objects/`), and what a real API server returned for it (`recorded/`).

`objects/base.json` is a healthy world; a case replaces or adds objects, takes some away (`absent`), and says what the registry
and the load balancer know. Statuses and messages are worded as kubelet, containerd, runc, CRI-O, scheduler and controllers word
them. `recorded/` has the lists that came back (`python -m tests.real.record_matrix` writes them): all of the base world, and of a
case the items that are not the base world's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Obj = dict[str, Any]
Items = dict[str, list[Obj]]
"""By resource, what is in a list's `items`."""

OBJECTS = Path(__file__).with_name("objects")
RECORDED = Path(__file__).with_name("recorded")
FAMILIES = ("binaries", "scheduling", "agents", "rollouts", "places")
RESOURCES = {
    "Node": "nodes",
    "Deployment": "deployments",
    "DaemonSet": "daemonsets",
    "Pod": "pods",
    "Event": "events",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "ResourceQuota": "resourcequotas",
}
"""By kind, in the order in which they are created."""
_KINDS = {resource: kind for kind, resource in RESOURCES.items()}


def asked(family: str) -> list[Obj]:
    """A family's cases, or the base world's objects, as they were written by hand."""
    found: list[Obj] = json.loads((OBJECTS / f"{family}.json").read_text())
    return found


def world(base: Iterable[Obj], case: Mapping[str, Any]) -> dict[str, Obj]:
    """All objects of a case by key."""
    objects = {key(o["kind"], o): o for o in [*base, *case["objects"]]}
    for gone in case.get("absent", ()):
        del objects[gone]
    return objects


def recorded(family: str) -> dict[str, Items]:
    """By case, the items that are not the base world's."""
    found: dict[str, Items] = json.loads((RECORDED / f"{family}.json").read_text())
    return found


def recorded_base() -> dict[str, Obj]:
    """By resource, the whole list that the API server returned."""
    found: dict[str, Obj] = json.loads((RECORDED / "base.json").read_text())
    return found


def recorded_server() -> Obj:
    """Which API server returned them: its `gitVersion`."""
    found: Obj = json.loads((RECORDED / "server.json").read_text())
    return found


def returned(base: Mapping[str, Obj], own: Items, case: Mapping[str, Any]) -> dict[str, Obj]:
    """By resource, the whole list of a case: the items of `own` in place of the base world's, in the server's order."""
    gone = set(case.get("absent", ()))
    lists = {}
    for resource, whole in base.items():
        kind = _KINDS[resource]
        items = {key(kind, item): item for item in [*whole["items"], *own.get(resource, ())]}
        lists[resource] = {**whole, "items": [items[k] for k in sorted(items) if k not in gone]}
    return lists


def key(kind: str, of: Mapping[str, Any]) -> str:
    """Kind, namespace if any, and name. An item of a list does not say its kind."""
    meta = of["metadata"]
    return "/".join(part for part in (kind, meta.get("namespace"), meta["name"]) if part)
