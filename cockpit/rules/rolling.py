"""How far a rolling update overshoots and undershoots, in pods.

Source: Kubernetes, pkg/controller/deployment/util (ResolveFenceposts): percentages of surge are rounded up, of unavailability
down, and where both are 0 one pod may be unavailable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cockpit.model.placement import Strategy

_PERCENT = re.compile(r"([0-9]{1,6})%", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """Pods more than wanted, and pods fewer than wanted, that a roll may have."""

    surge: int
    unavailable: int

    @property
    def step(self) -> int:
        """Pods that are replaced at a time, for as long as nothing else is in the way."""
        return max(1, self.surge + self.unavailable)


def limits(strategy: Strategy, replicas: int) -> Limits:
    """The limits for a Deployment of so many replicas. A limit that cannot be read counts as 0."""
    if strategy.recreate:
        return Limits(0, max(1, replicas))
    surge, unavailable = _count(strategy.surge, replicas, up=True), _count(strategy.unavailable, replicas, up=False)
    return Limits(surge, unavailable) if surge or unavailable else Limits(0, 1)


def _count(value: int | str, replicas: int, *, up: bool) -> int:
    if isinstance(value, int):
        return max(0, value)
    found = _PERCENT.fullmatch(value)
    hundredths = int(found[1]) * replicas if found else 0
    return -(-hundredths // 100) if up else hundredths // 100
