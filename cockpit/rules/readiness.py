"""Rollback readiness: could everything go back to the x86 path right now, and how long would it take?

Red blocks promote, never rollback.
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.nodes import headroom, pods_of, usable, workers

GATE = "rollback ready"
WEIGHTS_SECONDS = 2.0
WAVE_SECONDS = 12.0
"""A rolling update with maxSurge 25% takes four waves; one wave is about a pod's start and readiness."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`needed` pods would come back to x86, `headroom` fit there (None: not known); `eta` in seconds is an estimate."""

    verdict: Verdict
    needed: int = 0
    headroom: int | None = None
    eta: float = WEIGHTS_SECONDS


def readiness(snapshot: Snapshot, playbook: Playbook) -> Readiness:
    """Judge the way back from what is observed now."""
    needed = _needed(snapshot, playbook)
    room = _room(snapshot, playbook)
    eta = (WEIGHTS_SECONDS if playbook.alb else 0.0) + (4 * WAVE_SECONDS if needed else 0.0)
    return Readiness(_verdict(snapshot, playbook, needed, room), needed, room, eta or WEIGHTS_SECONDS)


def _verdict(snapshot: Snapshot, playbook: Playbook, needed: int, room: int | None) -> Verdict:
    sources = [SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.USAGE]
    sources += [SourceName.RULES, SourceName.TARGETS] if playbook.alb else []
    if unknown := blind(snapshot, sources, GATE):
        return unknown
    if faults := _faults(snapshot, playbook, needed, room or 0):
        return Verdict(GATE, Outcome.FAIL, "; ".join(faults))
    return Verdict(GATE, Outcome.PASS, f"{room} pods fit on {playbook.target.from_arch}, {needed} would come back")


def _faults(snapshot: Snapshot, playbook: Playbook, needed: int, room: int) -> list[str]:
    home = playbook.target.from_arch
    faults = []
    if not any(usable(n) for n in workers(snapshot.nodes.values(), home)):
        faults.append(f"no {home} node is ready and schedulable")
    if room < needed:
        faults.append(f"room for {room} pods on {home}, {needed} would come back")
    if playbook.alb:
        group = snapshot.targets.get(playbook.alb.target_groups[home])
        if group is None or not group.healthy:
            faults.append(f"the {home} target group has no healthy target")
        if any(playbook.alb.target_groups[home] not in r.weights for r in snapshot.rules.values()):
            faults.append(f"the {home} target group is detached from a rule")
    return faults


def _needed(snapshot: Snapshot, playbook: Playbook) -> int:
    """Pods of workloads that affinity moves which now run off the home architecture."""
    moved = {p.affinity.workload for p in playbook.phases if p.affinity}
    pods = [pod for ref in moved for pod in pods_of(snapshot, ref)]
    home = {n.name for n in workers(snapshot.nodes.values(), playbook.target.from_arch)}
    return sum(1 for p in pods if p.node not in home)


def _room(snapshot: Snapshot, playbook: Playbook) -> int | None:
    ref = playbook.target.baseline
    deployment = snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    if deployment is None:
        return None
    nodes = [n for n in workers(snapshot.nodes.values(), playbook.target.from_arch) if usable(n) and n.name in snapshot.usage]
    return sum(headroom(n, snapshot.usage[n.name], deployment.template_requests) for n in nodes)
