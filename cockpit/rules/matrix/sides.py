"""On which side of the move something is: on the path that is left, or on the one that is moved to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Ref
from cockpit.rules.affinity import pinned_to, preference_for
from cockpit.rules.matrix.scene import Member, Scene, ref_of

Side: TypeAlias = Arch | None
"""The architecture of a path; None for both, or when it is not known."""


def of_workload(scene: Scene, ref: Ref) -> Side:
    """The canary is the target's side whatever it runs on; another workload is where its Deployment sends its pods."""
    if ref == scene.playbook.target.canary:
        return scene.away
    deployment = next((d for d in scene.deployments if ref_of(d) == ref), None)
    sent = _sent(scene, deployment) if deployment else None
    return sent or (scene.home if scene.playbook.target.canary and ref == scene.playbook.target.baseline else None)


def _sent(scene: Scene, deployment: Deployment) -> Side:
    """By what affinity and selector leave, else by what affinity alone says: that is what a run writes."""
    affinity = deployment.affinity
    pinned = pinned_to(affinity, deployment.node_selector) or pinned_to(affinity, {})
    return pinned or (scene.away if preference_for(affinity, scene.away) else None)


def of_member(scene: Scene, member: Member) -> Side:
    """Where a pod runs says it, but for the canary; without a node that is known, where its workload belongs."""
    if member.owner != scene.playbook.target.canary and member.arch in tuple(Arch):
        return Arch(member.arch)
    return of_workload(scene, member.owner)


def by_side(scene: Scene, members: Iterable[Member]) -> Mapping[tuple[Ref, Side], list[Member]]:
    """The members of each workload or agent on each side, in the order in which they come."""
    found: dict[tuple[Ref, Side], list[Member]] = {}
    for member in members:
        found.setdefault((member.owner, of_member(scene, member)), []).append(member)
    return found
