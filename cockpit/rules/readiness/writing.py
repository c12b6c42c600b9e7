"""Whether a rollback's writes would be let through and do what they are for: permission, paused Deployments, other writers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.owners import owners
from cockpit.rules.readiness.returning import Returning


def refused(snapshot: Snapshot, playbook: Playbook) -> Iterator[str]:
    """What the servers would refuse."""
    for lever, words in sorted(snapshot.denied.items()):
        if lever in levers(playbook):
            yield f"may not {words}"


def levers(playbook: Playbook) -> frozenset[str]:
    """The levers by which this playbook's rollback writes."""
    affinity = {"affinity"} if any(p.affinity for p in playbook.phases) else set()
    return frozenset(affinity | ({"weights"} if playbook.alb else set()))


def paused(found: Iterable[Returning]) -> Iterator[str]:
    """Deployments that would not roll though they have to."""
    for one in found:
        if one.deployment.paused and (one.rolls or one.off):
            name = one.deployment.name
            yield f"{name} is paused and will not roll (kubectl rollout resume deployment/{name} -n {one.ref.namespace})"


def reverting(found: Iterable[Returning], playbook: Playbook) -> Iterator[str]:
    """Who sets back by themselves what is written to the workloads that go home."""
    if playbook.target.gitops == "suspended":
        return
    for one in found:
        if one.rolls:
            yield from (str(owner) for owner in owners(one.deployment) if owner.reverts)


def asked(snapshot: Snapshot) -> bool:
    """Permissions are asked for at all: a cockpit that only observes does not."""
    return SourceName.ACCESS in snapshot.sources
