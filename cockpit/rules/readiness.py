"""Rollback readiness: could everything go back to the x86 path right now, and how long would it take?

Red blocks promote, never rollback.
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.nodes import usable, workers
from cockpit.rules.room import Room, room

GATE = "rollback ready"
WEIGHTS_SECONDS = 2.0
ROLL_SECONDS = 48.0
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
    found = room(snapshot, playbook)
    eta = (WEIGHTS_SECONDS if playbook.alb else 0.0) + (ROLL_SECONDS if found.needed else 0.0)
    fits = None if found.unseen else found.fits
    return Readiness(_verdict(snapshot, playbook, found), found.needed, fits, eta or WEIGHTS_SECONDS)


def _verdict(snapshot: Snapshot, playbook: Playbook, found: Room) -> Verdict:
    sources = [SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.USAGE]
    sources += [SourceName.RULES, SourceName.TARGETS] if playbook.alb else []
    if unknown := blind(snapshot, sources, GATE):
        return unknown
    if faults := [*_nodes(snapshot, playbook), *found.faults, *_balancer(snapshot, playbook)]:
        return Verdict(GATE, Outcome.FAIL, "; ".join(faults))
    if found.unseen:
        return Verdict(GATE, Outcome.NO_DATA, f"{found.unseen[0]} is not seen in {found.unseen[0].namespace}")
    words = f"{found.fits} pods fit on {playbook.target.from_arch}, {found.needed} would come back"
    return Verdict(GATE, Outcome.PASS, words)


def _nodes(snapshot: Snapshot, playbook: Playbook) -> list[str]:
    home = playbook.target.from_arch
    there = any(usable(n) for n in workers(snapshot.nodes.values(), home))
    return [] if there else [f"no {home} node is ready and schedulable"]


def _balancer(snapshot: Snapshot, playbook: Playbook) -> list[str]:
    if playbook.alb is None:
        return []
    home = playbook.target.from_arch
    group = snapshot.targets.get(playbook.alb.target_groups[home])
    faults = [] if group and group.healthy else [f"the {home} target group has no healthy target"]
    if any(playbook.alb.target_groups[home] not in r.weights for r in snapshot.rules.values()):
        faults.append(f"the {home} target group is detached from a rule")
    return faults
