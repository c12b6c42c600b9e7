"""How far a rolling update may overshoot and undershoot."""

from __future__ import annotations

import math

from cockpit.rehearsal.kube.errors import Obj


def limits(spec: Obj) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as counts of pods: percentages are rounded up and down, and not both may be 0."""
    replicas, strategy = spec.get("replicas", 1), spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") == "Recreate":
        return 0, replicas
    rolling = strategy.get("rollingUpdate") or {}
    surge = _count(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = _count(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _count(value: int | str, replicas: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * replicas / 100
    return math.ceil(exact) if up else math.floor(exact)
