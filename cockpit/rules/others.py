"""What others have changed on a Deployment since a run began, as its managedFields tell: their doing, which a rollback leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from cockpit.model.cluster import Deployment
from cockpit.model.json import Json
from cockpit.model.managed import OURS, Manager, Writer
from cockpit.rules.original import ORIGINAL

_BEGAN = re.compile(r"-([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{4}\Z")
_DEPTH = 4
"""Steps into the spec that are named: `template.spec.containers` says enough."""
_CONTROLLERS = frozenset({"status"})


def began(run: str) -> datetime | None:
    """When a run with this name began; None for a name of another form, which anybody may have written on a target."""
    found = _BEGAN.search(run)
    try:
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def others(deployment: Deployment, run: str) -> tuple[str, ...]:
    """`spec.replicas of deployment/payments-api by kubectl-edit at 02:10:07`, one for each writer and field.

    Empty for a Deployment that the run has not changed.
    """
    since = began(run)
    if since is None or ORIGINAL not in deployment.annotations:
        return ()
    said = (
        f"{field} of deployment/{deployment.name} by {Writer(manager.name, manager.at)}"
        for manager in _since(deployment.managers, since)
        for field in _fields(manager.fields)
    )
    return tuple(dict.fromkeys(said))


def _since(managers: Sequence[Manager], since: datetime) -> Iterator[Manager]:
    for manager in managers:
        if manager.name != OURS and manager.subresource not in _CONTROLLERS and manager.at and manager.at >= since:
            yield manager


def _fields(owned: Json) -> list[str]:
    """The parts of the spec that an entry owns, each as a path of a few steps; lists and maps by key are named as a whole."""
    spec = owned.get("f:spec") if isinstance(owned, dict) else None
    return list(dict.fromkeys(".".join(("spec", *path)) for path in _paths(spec, _DEPTH)))


def _paths(owned: Json, depth: int) -> Iterator[tuple[str, ...]]:
    steps = {key[2:]: value for key, value in owned.items() if key.startswith("f:")} if isinstance(owned, dict) else {}
    if not steps or not depth:
        yield ()
        return
    for step, below in steps.items():
        for rest in _paths(below, depth - 1):
            yield (step, *rest)
