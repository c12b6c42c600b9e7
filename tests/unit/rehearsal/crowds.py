"""Worlds with a small crowd, and what is listed of them."""

from __future__ import annotations

from cockpit.rehearsal.crowd.crowd import Crowd
from cockpit.rehearsal.crowd.size import Size
from cockpit.rehearsal.kube.history import Held
from cockpit.rehearsal.kube.selectors import parse
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import world


def crowded(nodes: int = 50, pods: int = 500, *, seed: int = 1, pod_bytes: int = 6000) -> tuple[World, Crowd]:
    """A world on a clock that stands still; changes are made by `crowd.churn.change`."""
    made = world(seed=seed)
    return made, Crowd(made, Size(nodes, pods, 0, pod_bytes))


def held(made: World, resource: str, at: int | None = None) -> list[Held]:
    """The crowd's objects of a resource, now or as of a resource version."""
    bulk = made.storage.bulk[resource]
    return [*bulk.list(made.storage.resource_version if at is None else at, bulk.choose("", parse(resource, "", "")), None)]
