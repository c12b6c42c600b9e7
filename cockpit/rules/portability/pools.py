"""Nodes that are not there yet: whether what a workload asks for is had by nodes that a NodePool may make.

Karpenter gives its nodes the labels of the NodePool's template, the values that its requirements leave, and labels of its own
that depend on the instance it gets: of those nothing is known here. Source: Karpenter's documentation, "Scheduling".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cockpit.model.arch import ARCH_LABELS, Arch
from cockpit.model.audit import Mark
from cockpit.model.cluster import Taint
from cockpit.model.json import Json
from cockpit.model.nodepool import NodePool
from cockpit.model.workload import Workload
from cockpit.rules.affinity import alternatives, holds
from cockpit.rules.portability.ground import Ground
from cockpit.rules.readiness.provisioning import POOL
from cockpit.rules.tolerations import REPELLING, tolerates

Requirement = Mapping[str, Json]
_WELL_KNOWN = ("kubernetes.io", "k8s.io", "k8s.aws", "karpenter.sh", "amazonaws.com")
"""Domains whose labels nodes get from the kubelet, the cloud or Karpenter: no NodePool needs to name them."""
_OS = "kubernetes.io/os"


def by_pools(workload: Workload, ground: Ground) -> tuple[Mark, str, str]:
    """How a workload stands with the nodes that NodePools may make, the status in words, and what to do."""
    made, listed = f"{ground.arch} nodes", _listed(ground.making)
    answers = {pool.name: fits(workload, pool, ground.arch) for pool in ground.making}
    admitting = [pool for pool in ground.making if answers[pool.name] is not False]
    if not admitting:
        status = f"none of the {made} that NodePool {listed} may make has what it asks for: {_asked(workload, ground)}"
        return Mark.FIX, status, "let a NodePool give its nodes that label, or take it out of the pod template"
    open_to = [pool for pool in admitting if not _repelling(workload, pool.taints)]
    if not open_to:
        return Mark.FIX, *tainted(_repelling(workload, admitting[0].taints)[0], f"of NodePool {_listed(admitting)}")
    if sure := next((pool for pool in open_to if answers[pool.name]), None):
        return Mark.PASS, f"nothing keeps it from the {made} that NodePool {sure.name} may make", ""
    status = f"whether {made} that NodePool {_listed(open_to)} may make have what it asks for is not known: "
    action = f"look at it on a first {ground.arch} node, or name the label in the NodePool's requirements"
    return Mark.UNKNOWN, status + _asked(workload, ground), action


def tainted(taint: Taint, whose: str) -> tuple[str, str]:
    """That a taint keeps a workload off, and what to do."""
    value = f"={taint.value}" if taint.value else ""
    return (
        f"the taint {taint.key}{value}:{taint.effect} {whose} is not tolerated",
        f"add a toleration for {taint.key} to the pod template, or remove the taint",
    )


def fits(workload: Workload, pool: NodePool, arch: Arch) -> bool | None:
    """Whether a node that the pool makes may have every label that is asked for; None where that cannot be told."""
    answers = [_all(asked, pool, arch) for asked in alternatives(workload.affinity, workload.node_selector)]
    return True if True in answers else None if None in answers else False


def _all(asked: Iterable[Requirement], pool: NodePool, arch: Arch) -> bool | None:
    by_key: dict[str, list[Requirement]] = {}
    for requirement in asked:
        by_key.setdefault(str(requirement.get("key", "")), []).append(requirement)
    answers = [_key(key, mine, pool, arch) for key, mine in by_key.items()]
    return False if False in answers else None if None in answers else True


def _key(key: str, asked: Sequence[Requirement], pool: NodePool, arch: Arch) -> bool | None:
    """Whether one label can have what is asked of it."""
    own = [r for r in pool.requirements if r.get("key") == key]
    values = _values(key, own, pool, arch)
    if values is not None:
        return any(all(holds(r, labels) for r in [*asked, *own]) for labels in ({key: value} for value in values))
    known = key.partition("/")[0].endswith(_WELL_KNOWN)
    if (not own and not known) or any(r.get("operator") == "DoesNotExist" for r in own):
        return all(holds(r, {}) for r in asked)
    wanted = _listed_values(asked)
    if wanted is None:
        return True if all(r.get("operator") == "Exists" for r in asked) else None
    possible = any(all(holds(r, {key: value}) for r in [*asked, *own]) for value in wanted)
    return False if not possible else None if known else True


def _values(key: str, own: Sequence[Requirement], pool: NodePool, arch: Arch) -> list[str] | None:
    """The values that a label of the pool's nodes may have, as far as they are listed."""
    fixed = {**dict.fromkeys(ARCH_LABELS, str(arch)), POOL: pool.name, **pool.labels}
    if key in fixed:
        return [fixed[key]]
    listed = _listed_values(own)
    return ["linux"] if listed is None and key == _OS else listed


def _listed_values(requirements: Iterable[Requirement]) -> list[str] | None:
    for requirement in requirements:
        values = requirement.get("values")
        if requirement.get("operator") == "In" and isinstance(values, list):
            return [str(value) for value in values]
    return None


def _asked(workload: Workload, ground: Ground) -> str:
    """What is not had for certain, in words."""
    for key, value in workload.node_selector.items():
        one: Requirement = {"key": key, "operator": "In", "values": [value]}
        if not any(_all([one], pool, ground.arch) for pool in ground.making):
            return f"nodeSelector {key}={value}"
    return "its nodeSelector" if workload.affinity is None else "its required node affinity"


def _repelling(workload: Workload, taints: Iterable[Taint]) -> tuple[Taint, ...]:
    hard = (taint for taint in taints if taint.effect in REPELLING)
    return tuple(taint for taint in hard if not any(tolerates(t, taint) for t in workload.tolerations))


def _listed(pools: Iterable[NodePool]) -> str:
    return ", ".join(sorted(pool.name for pool in pools))
