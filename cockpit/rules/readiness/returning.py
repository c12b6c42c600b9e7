"""Which pods would come back in a rollback: those that affinity has moved, and those that an autoscaler has taken away since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from cockpit.model.cluster import Autoscaler, Deployment, Pod, Ref
from cockpit.model.json import Json, canonical
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.affinity import pinned_to
from cockpit.rules.kept import nodes_in
from cockpit.rules.nodes import pods_of
from cockpit.rules.original import homeward
from cockpit.rules.rolling import Limits, limits


@dataclass(frozen=True, slots=True)
class Returning:
    """A workload that goes home. `affinity` is what a rollback puts there, `here` are its live pods on the home side.

    `off` pods run elsewhere and come back; `growth` more are wanted once all traffic is back. `rolls`: a rollback replaces all of
    its pods.
    """

    ref: Ref
    deployment: Deployment
    affinity: Json
    here: tuple[Pod, ...] = ()
    off: int = 0
    growth: int = 0
    rolls: bool = False

    @property
    def needed(self) -> int:
        """Pods that want room on the home side beside those that are there."""
        return self.off + self.growth

    @property
    def limits(self) -> Limits:
        """How far its rolls overshoot and undershoot."""
        return limits(self.deployment.strategy, self.deployment.replicas)

    @property
    def spare(self) -> int:
        """Room that the roll needs besides: where no pod may be missing, and some are home already, one new pod comes first."""
        return 1 if self.rolls and self.here and not self.limits.unavailable else 0


def going_home(playbook: Playbook) -> list[Ref]:
    """The baseline, since traffic goes back to it, and what affinity moves."""
    moved = {p.affinity.workload for p in playbook.phases if p.affinity}
    return [ref for ref in playbook.target.workloads if ref == playbook.target.baseline or ref in moved]


def returning(snapshot: Snapshot, playbook: Playbook, ref: Ref) -> Returning | None:
    """How a workload goes home; None for one that is not seen. Impossible when its affinity from before is not known."""
    deployment = snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    if deployment is None:
        return None
    affinity, pods = homeward(deployment), pods_of(snapshot, ref)
    away = pinned_to(affinity, deployment.node_selector) is playbook.target.from_arch.other
    if away or not any(p.affinity and p.affinity.workload == ref for p in playbook.phases):
        # Off the home side before the run, where a rollback leaves it; or never moved.
        growth = 0 if away else _growth(snapshot, playbook, ref, deployment)
        return Returning(ref, deployment, affinity, _at_home(snapshot, playbook, pods), growth=growth)
    here = _at_home(snapshot, playbook, pods)
    rolls = canonical(deployment.affinity) != canonical(affinity)
    growth = _growth(snapshot, playbook, ref, deployment)
    return Returning(ref, deployment, affinity, here, len(pods) - len(here), growth, rolls)


def _at_home(snapshot: Snapshot, playbook: Playbook, pods: Sequence[Pod]) -> tuple[Pod, ...]:
    home = nodes_in(snapshot.nodes).workers(playbook.target.from_arch)
    return tuple(p for p in pods if p.node in home)


def _growth(snapshot: Snapshot, playbook: Playbook, ref: Ref, deployment: Deployment) -> int:
    """Pods that the baseline's autoscaler has to bring back when all traffic is: it follows the load, which the canary has taken.

    By the share that the baseline is left with; never more than all that serve now on both sides, nor than the maximum.
    """
    canary = playbook.target.canary
    scaler = autoscaler_of(snapshot, ref)
    if canary is None or ref != playbook.target.baseline or scaler is None:
        return 0
    left, now = _left(snapshot, playbook), deployment.replicas
    serving = now + len(pods_of(snapshot, canary))
    wanted = ceil(now / left) if left else serving
    return max(0, min(wanted, serving, scaler.maximum) - now)


def autoscaler_of(snapshot: Snapshot, ref: Ref) -> Autoscaler | None:
    """The autoscaler of a workload, if it has one."""
    return next((a for a in snapshot.autoscalers.values() if a.target == ref), None)


def _left(snapshot: Snapshot, playbook: Playbook) -> Fraction:
    """The least share that a rule leaves the home side; all of it where no rule says."""
    group = playbook.alb.target_groups[playbook.target.from_arch] if playbook.alb else ""
    shares = (rule.share(group) for rule in snapshot.rules.values())
    return min((s for s in shares if s is not None), default=Fraction(1))
