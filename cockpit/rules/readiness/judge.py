"""The verdict on the way back, put together from room, quotas, images, load balancer and permission."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.kept import Recent, nodes_in
from cockpit.rules.nodes import pods_of, usable
from cockpit.rules.readiness import writing
from cockpit.rules.readiness.eta import ESTIMATED, NO_RATES, WEIGHTS_SECONDS, Rates, eta, loses
from cockpit.rules.readiness.images import lacking
from cockpit.rules.readiness.provisioning import provisioning
from cockpit.rules.readiness.quota import short
from cockpit.rules.readiness.returning import Returning
from cockpit.rules.readiness.room import Room, room

GATE = "rollback ready"
SOURCES = (
    SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.USAGE, SourceName.QUOTAS, SourceName.AUTOSCALERS,
)  # fmt: skip
"""What is always needed; NEIGHBOURS go with USAGE."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`needed` pods would come back to x86, `headroom` fit there (None: not known); `eta` is in seconds."""

    verdict: Verdict
    needed: int = 0
    headroom: int | None = None
    eta: float = WEIGHTS_SECONDS
    eta_basis: str = ESTIMATED
    """What the time rests on: `estimated`, or how it was observed."""
    loses: str = ""
    """What is lost while the rollback is under way, in words."""
    warnings: tuple[str, ...] = ()
    """What may go wrong on the way, though it does not stand against it now."""
    returning: tuple[Returning, ...] = field(default=(), repr=False)
    """Who comes back, as far as it is seen."""


_JUDGED = (
    "nodes", "deployments", "usage", "rules", "targets", "images", "autoscalers", "quotas", "neighbours", "node_pools", "denied",
)  # fmt: skip


def readiness(snapshot: Snapshot, playbook: Playbook) -> Readiness:
    """Judge the way back from what is observed now."""
    return _recent(snapshot, playbook)


def _parts(snapshot: Snapshot, playbook: Playbook) -> tuple[object, ...]:
    """What is judged: of the pods only those of the workloads, since agents' go nowhere."""
    return (*(getattr(snapshot, name) for name in _JUDGED), *(pods_of(snapshot, ref) for ref in playbook.target.workloads))


def _standing(snapshot: Snapshot) -> object:
    # The words about a source that is not live tell its age.
    return snapshot.sources.keys() if all(state.live for state in snapshot.sources.values()) else None


def timed(found: Readiness, snapshot: Snapshot, playbook: Playbook, rates: Rates) -> Readiness:
    """The same with the time that rolls have been seen to take."""
    if not rates:
        return found
    seconds, basis = eta(playbook, found.returning, rates)
    return replace(found, eta=seconds, eta_basis=basis, loses=loses(snapshot, playbook, found.returning, seconds))


def _readiness(snapshot: Snapshot, playbook: Playbook) -> Readiness:
    found = room(snapshot, playbook)
    seconds, basis = eta(playbook, found.returning, NO_RATES)
    verdict, warnings = _judged(snapshot, playbook, found)
    return Readiness(
        verdict=verdict,
        needed=found.needed,
        headroom=None if found.unseen else found.fits,
        eta=seconds,
        eta_basis=basis,
        loses=loses(snapshot, playbook, found.returning, seconds),
        warnings=tuple(warnings),
        returning=tuple(found.returning),
    )


_recent = Recent(_readiness, _parts, _standing)


def _judged(snapshot: Snapshot, playbook: Playbook, found: Room) -> tuple[Verdict, list[str]]:
    """The verdict, and what may go wrong besides."""
    home = playbook.target.from_arch
    missing = max(0, found.needed - found.fits)
    warnings = [*provisioning(snapshot, home, missing), *writing.reverting(found.returning, playbook)]
    if unknown := blind(snapshot, _sources(snapshot, playbook), GATE):
        return unknown, warnings
    faults = [*_nodes(snapshot, playbook), *found.faults, *_balancer(snapshot, playbook)]
    faults += [*writing.refused(snapshot, playbook), *writing.paused(found.returning)]
    unseen = list(found.unseen)
    for one in found.returning:
        for bad, words in short(snapshot, one):
            (faults if bad else warnings).append(words)
        for bad, words in lacking(snapshot, one, home):
            (faults if bad else unseen).append(words)
    return _verdict(playbook, found, faults, unseen), warnings


def _verdict(playbook: Playbook, found: Room, faults: list[str], unseen: list[str]) -> Verdict:
    if faults:
        return Verdict(GATE, Outcome.FAIL, "; ".join(faults))
    if unseen:
        return Verdict(GATE, Outcome.NO_DATA, unseen[0], details=tuple(unseen))
    words = f"{found.fits} pods fit on {playbook.target.from_arch}, {found.needed} would come back"
    return Verdict(GATE, Outcome.PASS, words)


def _sources(snapshot: Snapshot, playbook: Playbook) -> list[SourceName]:
    balancer = [SourceName.RULES, SourceName.TARGETS] if playbook.alb else []
    return [*SOURCES, *balancer, *([SourceName.ACCESS] if writing.asked(snapshot) else [])]


def _nodes(snapshot: Snapshot, playbook: Playbook) -> list[str]:
    home = playbook.target.from_arch
    there = any(usable(n) for n in nodes_in(snapshot.nodes).workers(home).values())
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
