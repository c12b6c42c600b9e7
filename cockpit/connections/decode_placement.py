"""Spread constraints, update strategies and limits of Deployments: Kubernetes JSON to the model."""

from __future__ import annotations

from cockpit.connections import wire
from cockpit.connections.demand import amounts
from cockpit.model.cluster import Resources
from cockpit.model.placement import Spread, Strategy
from cockpit.text import clean


def spreads_of(template: wire.TemplateSpec) -> tuple[Spread, ...]:
    """The constraints that keep a pod from a node; those that only prefer (`ScheduleAnyway`) are left out."""
    return tuple(
        Spread(
            key=clean(found.topology_key),
            skew=max(1, found.max_skew),
            selector=found.label_selector,
            domains=found.min_domains or 1,
            honors_affinity=found.node_affinity_policy != "Ignore",
            honors_taints=found.node_taints_policy == "Honor",
        )
        for found in template.topology_spread_constraints or ()
        if found.when_unsatisfiable != "ScheduleAnyway"
    )


def strategy_of(spec: wire.WorkloadSpec) -> Strategy:
    """The update strategy, with the API server's defaults for what is not there."""
    found = spec.strategy or wire.Strategy()
    rolling = found.rolling_update or wire.RollingUpdate()
    return Strategy(
        recreate=found.type == "Recreate", surge=_limit(rolling.max_surge), unavailable=_limit(rolling.max_unavailable)
    )


def limits_of(template: wire.TemplateSpec) -> Resources:
    """The sum of the containers' limits (`pods` is 0); init containers, which seldom have more, are left out."""
    found = [amounts(c.resources.limits) for c in template.containers or () if c.resources]
    return Resources(sum(r.cpu_milli for r in found), sum(r.memory_bytes for r in found))


def _limit(found: int | str | None) -> int | str:
    return "25%" if found is None else clean(found, 20) if isinstance(found, str) else found
