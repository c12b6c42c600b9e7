"""Whether the namespace's quotas let a rollback start the pods that it needs beside those that run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cockpit.model.cluster import Deployment, Quota
from cockpit.model.quantity import millicores, size
from cockpit.model.snapshot import Snapshot
from cockpit.rules.readiness.returning import Returning


def short(snapshot: Snapshot, one: Returning) -> Iterator[tuple[bool, str]]:
    """What a quota has against a workload's way home: whether it stands in the way (or only slows it), and the words."""
    roll = one.limits.surge if one.rolls else 0
    for quota in snapshot.quotas.values():
        if quota.namespace != one.deployment.namespace:
            continue
        for key, fits in _room(quota, one.deployment):
            words = f"quota {quota.name}: {key} is left for {max(0, fits)} more pods of {one.deployment.name}"
            if fits < _least(one) and not quota.scoped:
                yield True, f"{words}, {_least(one)} must start"
            elif fits < max(_least(one), roll):
                yield False, f"{words}, {'it may not count them' if quota.scoped else 'so the roll takes longer'}"


def _least(one: Returning) -> int:
    """The fewest pods that must be allowed beside those there are. Below 1: so many may be missing before one has to start."""
    if one.growth:
        return one.growth + one.spare
    return 1 - one.limits.unavailable if one.rolls else -(1 << 30)


def _room(quota: Quota, deployment: Deployment) -> Iterator[tuple[str, int]]:
    """Each amount that the quota bounds and that a pod takes of, and for how many pods it is left (below 0: overdrawn)."""
    for key, one in _amounts(deployment).items():
        hard = _read(quota.hard, key)
        if hard is not None and one:
            yield key, (hard - (_read(quota.used, key) or 0)) // one


def _amounts(deployment: Deployment) -> Mapping[str, int]:
    asks, most = deployment.template_requests, deployment.template_limits
    return {
        "pods": 1,
        "count/pods": 1,
        "cpu": asks.cpu_milli,
        "requests.cpu": asks.cpu_milli,
        "limits.cpu": most.cpu_milli,
        "memory": asks.memory_bytes,
        "requests.memory": asks.memory_bytes,
        "limits.memory": most.memory_bytes,
    }


def _read(amounts: Mapping[str, str], key: str) -> int | None:
    """An amount in the unit of a pod's own; None for one that is not there or cannot be read."""
    text = amounts.get(key)
    try:
        return None if text is None else millicores(text) if key.endswith("cpu") else size(text)
    except (ValueError, ArithmeticError):
        return None
