"""What Karpenter may do to the way back: nodes that it can no longer make, and nodes that it may take away. Warnings, no room.

A NodePool that may make a node is not a node: whether there is an instance to be had is known once it is Ready.
Source: Karpenter's documentation of NodePools (limits, disruption, drift).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cockpit.model.arch import ARCH_LABEL, Arch
from cockpit.model.json import Json
from cockpit.model.nodepool import NodePool
from cockpit.model.quantity import parse
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.rules.freshness import words
from cockpit.rules.kept import nodes_in

POOL = "karpenter.sh/nodepool"
"""The node label that names a node's NodePool."""


def provisioning(snapshot: Snapshot, home: Arch, missing: int) -> Iterator[str]:
    """Warnings, the gravest first; `missing` pods have no room now."""
    state = snapshot.source(SourceName.NODEPOOLS)
    if state.freshness in (Freshness.FAULT, Freshness.STALE):
        yield f"whether Karpenter may take {home} nodes away is not known: {words(state)}"
    owned: dict[str, int] = {}
    for node in nodes_in(snapshot.nodes).workers(home).values() if snapshot.node_pools else ():
        owned[node.labels.get(POOL, "")] = owned.get(node.labels.get(POOL, ""), 0) + 1
    for name, pool in sorted(snapshot.node_pools.items()):
        yield from _taken(pool, home, owned.get(name, 0))
    if missing:
        yield from _made(snapshot, home)


def _taken(pool: NodePool, home: Arch, count: int) -> Iterator[str]:
    if not count:
        return
    if not gives(pool, home):
        yield f"NodePool {pool.name} no longer allows {home}: Karpenter replaces its {count} {home} nodes (drift)"
    elif (how := _consolidates(pool)) and "0" not in pool.budgets and "0%" not in pool.budgets:
        yield f"NodePool {pool.name} may remove its {count} {home} nodes ({how}): a budget of nodes: 0 keeps them"


def _consolidates(pool: NodePool) -> str:
    if not pool.policy or pool.after == "Never":
        return ""
    return f"{pool.policy}{f' after {pool.after}' if pool.after else ''}"


def _made(snapshot: Snapshot, home: Arch) -> Iterator[str]:
    for name, pool in sorted(snapshot.node_pools.items()):
        if not gives(pool, home):
            continue
        if used := spent(pool):
            yield f"NodePool {name} makes no further {home} node: its limit of {used} is used up"
        elif not pool.ready:
            yield f"NodePool {name} makes no {home} node: it is not Ready"
        else:
            yield f"NodePool {name} may make {home} nodes{_left(pool)}: room only once they are Ready"


def gives(pool: NodePool, arch: Arch) -> bool:
    """Its nodes may be of an architecture: nothing that it requires or labels says otherwise."""
    if pool.labels.get(ARCH_LABEL, arch) != arch:
        return False
    return all(_admits(r, arch) for r in pool.requirements if r.get("key") == ARCH_LABEL)


def _admits(requirement: Mapping[str, Json], arch: Arch) -> bool:
    listed = requirement.get("values")
    values = listed if isinstance(listed, list) else []
    match requirement.get("operator"):
        case "In":
            return arch in values
        case "NotIn":
            return arch not in values
        case "DoesNotExist":
            return False
        case _:
            return True


def spent(pool: NodePool) -> str:
    """The first limit that is used up, as `cpu 64`; empty when none is."""
    for key, limit in sorted(pool.limits.items()):
        try:
            if parse(pool.used.get(key, "0")) >= parse(limit):
                return f"{key} {limit}"
        except (ValueError, ArithmeticError):
            continue
    return ""


def _left(pool: NodePool) -> str:
    try:
        left = parse(pool.limits["cpu"]) - parse(pool.used.get("cpu", "0"))
    except (KeyError, ValueError, ArithmeticError):
        return ""
    return f" ({float(left):g} cpu of its limit are left)"
