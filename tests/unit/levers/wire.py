"""Deployments on the wire, patched by a JSON Patch library that the lever does not use."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch

from cockpit.levers.affinity_patch import Live, Part, guard, operations
from cockpit.model.json import Json

FOREIGN = "deployment.kubernetes.io/revision"


def body(affinity: Json, annotations: dict[str, str] | None) -> dict[str, Any]:
    """A Deployment; None leaves the field out, as Go's encoder does."""
    metadata: dict[str, Any] = {"name": "web", "uid": "u-1", "resourceVersion": "7"}
    spec: dict[str, Any] = {"containers": [{"name": "web"}]}
    if annotations is not None:
        metadata["annotations"] = annotations
    if affinity is not None:
        spec["affinity"] = affinity
    return {"metadata": metadata, "spec": {"replicas": 12, "template": {"metadata": {}, "spec": spec}}}


def send(world: dict[str, Any], after: Part) -> tuple[dict[str, Any], list[Any]]:
    """The Deployment after the lever's patch to `after`, and the patch."""
    live = Live.parse(json.dumps(world).encode())
    patch: list[Any] = guard(live, after) + operations(live.uid, live.part, after, bare=live.bare)
    changed: dict[str, Any] = jsonpatch.apply_patch(copy.deepcopy(world), patch)
    return changed, patch
