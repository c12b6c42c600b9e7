"""How long the way back takes: from how fast this run's rolls were seen to go, else an estimate; and what is lost meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.readiness.returning import Returning

WEIGHTS_SECONDS = 2.0
WAVE_SECONDS = 12.0
"""About a pod's start and readiness: what a rolling update waits for before it replaces the next ones."""
ROLL_SECONDS = 4 * WAVE_SECONDS
"""With maxSurge 25% a rolling update takes four waves."""
ESTIMATED = "estimated"
OBSERVED = "as it rolled out"

Rates = Mapping[str, float]
"""Seconds for each pod of a roll that has been seen from beginning to end, by `namespace/name` of the Deployment."""
NO_RATES: Rates = {}


def eta(playbook: Playbook, found: Sequence[Returning], rates: Rates) -> tuple[float, str]:
    """Seconds that a rollback takes, and what that rests on. Workloads roll side by side; weights are written beside them."""
    rolls = [one for one in found if one.off or one.rolls]
    weights = WEIGHTS_SECONDS if playbook.alb else 0.0
    if not rolls:
        return WEIGHTS_SECONDS, ESTIMATED
    seen = all(_key(one) in rates for one in rolls)
    return weights + max(_seconds(one, rates) for one in rolls), OBSERVED if seen else ESTIMATED


def _seconds(one: Returning, rates: Rates) -> float:
    pods = max(one.deployment.replicas, 1)
    rate = rates.get(_key(one))
    return rate * pods if rate is not None else ceil(pods / max(1, one.limits.surge or one.limits.unavailable)) * WAVE_SECONDS


def _key(one: Returning) -> str:
    return f"{one.ref.namespace}/{one.ref.name}"


def loses(snapshot: Snapshot, playbook: Playbook, found: Sequence[Returning], seconds: float) -> str:
    """What a rollback costs while it is under way, in words; empty when it is not known to cost anything."""
    words = []
    if playbook.alb:
        sticky = max((_sticky(action) for rule in snapshot.rules.values() for action in rule.actions), default=0)
        words.append(f"sticky clients stay on {playbook.target.to_arch} up to {sticky} s" if sticky else "")
        words.append(_grown(found))
    rolls = [one for one in found if one.off or one.rolls]
    if rolls:
        count = sum(one.deployment.replicas for one in rolls)
        missing = sum(one.limits.unavailable for one in rolls)
        words.append(f"{count} pods roll for ~{seconds:.0f} s" + (f", up to {missing} missing at a time" if missing else ""))
        words.append("requests on draining targets have their deregistration delay (300 s by default)" if playbook.alb else "")
    said = "; ".join(filter(None, words))
    return f"traffic goes back at once; {said}" if said and playbook.alb else said


def _grown(found: Sequence[Returning]) -> str:
    return "; ".join(
        f"all traffic is on {one.deployment.replicas} pods of {one.deployment.name} until {one.growth} more have started"
        for one in found
        if one.growth
    )


def _sticky(action: Mapping[str, Json]) -> int:
    """Seconds that an action keeps a client with its target group; 0 when it does not."""
    config = action.get("ForwardConfig")
    found = config.get("TargetGroupStickinessConfig") if isinstance(config, dict) else None
    seconds = found.get("DurationSeconds") if isinstance(found, dict) and found.get("Enabled") is True else 0
    return seconds if isinstance(seconds, int) else 0
