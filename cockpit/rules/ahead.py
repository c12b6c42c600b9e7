"""What a phase that moves pods will find: how many of those that will roll have room on the architecture they are sent to.

By the rules of the way back: requests against what is allocatable and not asked for yet, node selector, affinity, taints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cockpit.errors import Impossible
from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Node, Resources
from cockpit.model.playbook import AffinityMode, AffinitySet, Phase
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.affinity import narrow
from cockpit.rules.freshness import blind
from cockpit.rules.kept import nodes_in
from cockpit.rules.nodes import headroom, pods_of
from cockpit.rules.original import original
from cockpit.rules.room import Pool

ROOM = "room ahead"
SOURCES = (SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS, SourceName.USAGE)
"""What it is judged from."""


def ahead(snapshot: Snapshot, phase: Phase) -> Verdict | None:
    """Whether the pods that `phase` rolls find room where it sends them; None when it sends none anywhere.

    A warning, not a gate: FAIL says how many fit and what runs short, and what comes of it.
    """
    wanted = phase.affinity
    if wanted is None or wanted.mode is AffinityMode.NONE:
        return None
    if unknown := blind(snapshot, SOURCES, ROOM):
        return Verdict(ROOM, unknown.outcome, f"room on {wanted.arch} is not known: {unknown.reason}")
    ref = wanted.workload
    deployment = snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    if deployment is None:
        return Verdict(ROOM, Outcome.NO_DATA, f"room on {wanted.arch} is not known: {ref} is not seen in {ref.namespace}")
    try:
        return _judged(snapshot, deployment, wanted)
    except Impossible as damaged:
        return Verdict(ROOM, Outcome.NO_DATA, f"room on {wanted.arch} is not known: {damaged}")


def _judged(snapshot: Snapshot, deployment: Deployment, wanted: AffinitySet) -> Verdict:
    there = nodes_in(snapshot.nodes).workers(wanted.arch)
    moving = sum(1 for p in pods_of(snapshot, wanted.workload) if p.node not in there)
    pool, one = Pool.of(snapshot, wanted.arch), deployment.template_requests
    hosts = pool.hosts(deployment, narrow(original(deployment), wanted.arch))
    fits = sum(headroom(n, pool.used[n.name], one) for n in hosts)
    if fits >= moving:
        return Verdict(ROOM, Outcome.PASS, f"room for all {moving} on {wanted.arch}" if moving else f"all are on {wanted.arch}")
    short = ", ".join(_short(hosts, pool.used, one)) if hosts else _nowhere(pool, wanted.arch)
    return Verdict(ROOM, Outcome.FAIL, f"room for {fits} of {moving} on {wanted.arch} ({short}): {_end(wanted, moving - fits)}")


def _end(wanted: AffinitySet, left: int) -> str:
    if wanted.mode is AffinityMode.REQUIRED:
        return "it will get stuck"
    return f"{left} will stay on {wanted.arch.other}"


def _nowhere(pool: Pool, arch: Arch) -> str:
    return "taints, node selector or affinity" if pool.nodes else f"no {arch} node is ready and schedulable"


def _short(hosts: Sequence[Node], used: Mapping[str, Resources], one: Resources) -> list[str]:
    """What runs out first on these nodes, the most frequent first."""
    return [name for name, _ in Counter(_scarce(n, used[n.name], one) for n in hosts).most_common()]


def _scarce(node: Node, used: Resources, one: Resources) -> str:
    left = {
        "cpu": (node.allocatable.cpu_milli - used.cpu_milli, one.cpu_milli),
        "memory": (node.allocatable.memory_bytes - used.memory_bytes, one.memory_bytes),
        "pods per node": (node.allocatable.pods - used.pods, 1),
    }
    return min((have // need, name) for name, (have, need) in left.items() if need)[1]
