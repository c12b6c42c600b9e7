"""The move that makes a symptom safe now: the playbook's own way home, with what the runbook adds for it."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.finding import Finding
from cockpit.model.finding import FindingKind as K
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.scene import Scene
from cockpit.rules.original import ORIGINAL

_SCHEDULING = frozenset({K.PENDING_AFFINITY, K.PENDING_TAINT, K.PENDING_CAPACITY})
_AGENTS = frozenset({K.AGENT_CRASH_LOOP, K.AGENT_MISSING})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rollback would take back, as configured now: `weights` away from home, `affinity` that a run has set.

    What cannot be seen counts as set. `unready` says why the way back is not ready, empty when it is or when nobody knows.
    """

    weights: bool
    affinity: bool
    unready: str = ""


def standing(snapshot: Snapshot, playbook: Playbook, unready: str) -> Standing:
    """Read it in the rules and in the records that runs leave in Deployments, by whomever they were made."""
    return Standing(_weights_away(snapshot, playbook), _affinity_set(snapshot, playbook), unready)


def _weights_away(snapshot: Snapshot, playbook: Playbook) -> bool:
    if playbook.alb is None:
        return False
    group = playbook.alb.target_groups[playbook.target.to_arch]
    unseen = not snapshot.source(SourceName.RULES).live or not snapshot.rules
    return unseen or any(rule.weights.get(group, 0) for rule in snapshot.rules.values())


def _affinity_set(snapshot: Snapshot, playbook: Playbook) -> bool:
    moved = {p.affinity.workload for p in playbook.phases if p.affinity}
    if not moved or not snapshot.source(SourceName.DEPLOYMENTS).live:
        return bool(moved)
    found = (snapshot.deployments.get(f"{ref.namespace}/{ref.name}") for ref in moved)
    return any(d is None or ORIGINAL in d.annotations for d in found)


def way_back(scene: Scene, of: Finding, now: Standing) -> str:
    """In words. Nothing leads home when home is what fails, when the way back is not ready, or when all is there already."""
    return "; ".join(part for part in (_first(scene, of.kind), *_home(scene, of, now)) if part)


def first(scene: Scene, of: Finding) -> str:
    """The command of the move that comes before going home; empty when there is none."""
    if of.kind is K.ARCH_LABEL_MISMATCH:
        return commands.cordon(*(name.removeprefix("Node/") for name in of.objects))
    return commands.cordon("-l", f"kubernetes.io/arch={scene.away}") if of.kind in _AGENTS else ""


def _first(scene: Scene, kind: K) -> str:
    if kind is K.ARCH_LABEL_MISMATCH:
        return "cordon the node"
    if kind is K.PENDING_CAPACITY:
        return "holding is safe while users are served"
    return f"cordon the {scene.away} nodes" if kind in _AGENTS else ""


def _home(scene: Scene, of: Finding, now: Standing) -> list[str]:
    home = scene.home
    if of.side is home:
        return [f"do NOT go back: {home} is the side that fails; hold, and mend it there first"]
    if now.unready:
        return [f"the way back is NOT ready: {now.unready}"]
    if not (now.weights or now.affinity):
        return ["already back: nothing of this run is configured"]
    if of.kind is K.QUOTA:
        return [_weights(scene) if now.weights else "free quota first", "pods that come back need room in the quota"]
    waits = of.kind in _SCHEDULING and not scene.playbook.alb
    return [_move(scene, now), "Pending pods serve nothing, the old ones go on serving until then" if waits else ""]


def _move(scene: Scene, now: Standing) -> str:
    parts = [_weights(scene)] if now.weights else []
    if now.affinity:
        parts.append(f"affinity back to before the run: pods reschedule onto {scene.home} in minutes, no rebuild")
    return "R (cockpit rollback): " + "; ".join(parts)


def _weights(scene: Scene) -> str:
    return f"weights back to {scene.home}, safe in seconds"
