"""Detectors of pods that find no node, by what the scheduler says of the nodes that would have come closest.

Wording: kube-scheduler's FitError, `0/9 nodes are available: 4 node(s) didn't match Pod's node affinity/selector, ...`. Each node
is counted once, by the first filter that refused it; taints come before affinity, and affinity before room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Node, Resources
from cockpit.model.finding import Finding
from cockpit.model.finding import FindingKind as K
from cockpit.rules.affinity import admits, pinned_to
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.compose import by_owner, finding, oldest
from cockpit.rules.matrix.scene import Member, Scene, ref_of
from cockpit.rules.matrix.sides import of_workload
from cockpit.rules.nodes import usable, workers
from cockpit.rules.tolerations import repelling


class Reason(StrEnum):
    """What a filter of the scheduler has against a node."""

    AFFINITY = "affinity"
    TAINT = "taint"
    CAPACITY = "capacity"
    CONTROL_PLANE = "control plane"
    OTHER = "other"
    """Volumes, ports, spread, anti-affinity...: nothing that an architecture has to do with."""


_NODES = re.compile(r"^\d+/\d+ nodes are available: (?P<reasons>.*)$", re.DOTALL)
_COUNTED = re.compile(r"(?:^|, )(\d+) (?=[A-Za-z(])")
_WORDS: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (
        re.compile(r"didn't match Pod's node affinity|didn't match node selector|didn't match the requested node name"),
        Reason.AFFINITY,
    ),
    (re.compile(r"taint.*\{node-role\.kubernetes\.io/(?:control-plane|master)\b"), Reason.CONTROL_PLANE),
    (re.compile(r"untolerated taint|had taint|were unschedulable|were not ready|were unreachable"), Reason.TAINT),
    (re.compile(r"^Insufficient \S+|^Too many pods|^Node didn't have enough"), Reason.CAPACITY),
)
_KINDS = {Reason.AFFINITY: K.PENDING_AFFINITY, Reason.TAINT: K.PENDING_TAINT, Reason.CAPACITY: K.PENDING_CAPACITY}


def reasons(message: str) -> dict[Reason, int]:
    """How many nodes were refused for which reason; empty when the message counts no nodes."""
    found = _NODES.match(message)
    if found is None:
        return {}
    text = said(found["reasons"])
    starts = list(_COUNTED.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    counts: dict[Reason, int] = {}
    for start, end in zip(starts, ends, strict=False):
        words = text[start.end() : end]
        reason = next((r for pattern, r in _WORDS if pattern.search(words)), Reason.OTHER)
        counts[reason] = counts.get(reason, 0) + int(start[1])
    return counts


def said(message: str) -> str:
    """The scheduler's words without what it thought of preemption."""
    return message.split(" preemption: ")[0].removesuffix(" no new claims to deallocate,").rstrip(". ")


def deciding(scene: Scene, member: Member) -> Reason | None:
    """What keeps a pod from a node; None when it is nothing that this matrix knows."""
    counts = reasons(member.pod.unschedulable)
    if Reason.CAPACITY in counts:
        return Reason.CAPACITY  # those nodes had passed every filter before
    if Reason.OTHER in counts or not counts:
        return None
    if Reason.TAINT not in counts:
        return Reason.AFFINITY if Reason.AFFINITY in counts else Reason.TAINT
    return _taint_or_affinity(scene, member) if Reason.AFFINITY in counts else Reason.TAINT


def _taint_or_affinity(scene: Scene, member: Member) -> Reason:
    """A tainted node is refused before its labels are looked at, and newer schedulers do not name the taint: would it match?"""
    deployment = next((d for d in scene.deployments if ref_of(d) == member.owner), None)
    if deployment is None or not scene.nodes:
        return Reason.TAINT
    return Reason.TAINT if any(_repels(deployment, n) for n in scene.nodes.values()) else Reason.AFFINITY


def _repels(deployment: Deployment, node: Node) -> bool:
    """A worker that affinity and selector admit keeps the pods off all the same."""
    if node.control_plane or not admits(deployment.affinity, deployment.node_selector, node):
        return False
    return node.unschedulable or not node.ready or bool(repelling(deployment.tolerations, node))


def pending(scene: Scene, kind: K) -> Iterator[Finding]:
    """Pods without a node for this kind of reason, by workload."""
    waiting = (m for m in scene.sick if m.pod.unschedulable and not m.pod.node)
    found = [m for m in waiting if (why := deciding(scene, m)) and _KINDS.get(why) is kind]
    for owner, members in by_owner(found).items():
        first = members[0]
        arch = _wanted(scene, first)
        yield finding(
            scene, kind, [m.name for m in members], _asked(scene, kind, members) + said(first.pod.unschedulable),
            _confirm(kind, arch),
            since=oldest(members), side=of_workload(scene, owner), what=str(owner), arch=arch,
        )  # fmt: skip


def _asked(scene: Scene, kind: K, members: list[Member]) -> str:
    """`3 pods ask 500m cpu, 256 MiB each; most free on a node: 200m, 1024 MiB; `, as far as it is known; empty but for room."""
    if kind is not K.PENDING_CAPACITY:
        return ""
    one, count = members[0].pod.requests, len(members)
    asks = f"{count} pod{'' if count == 1 else 's'} ask{'s' if count == 1 else ''} {_amount(one)}{' each' if count > 1 else ''}; "
    arch = _wanted(scene, members[0])
    free = [
        _free(n, scene.usage[n.name]) for n in workers(scene.nodes.values(), Arch(arch)) if usable(n) and n.name in scene.usage
    ]
    if not free:
        return asks
    most = max(
        free, key=lambda r: (min(r.cpu_milli / (one.cpu_milli or 1), r.memory_bytes / (one.memory_bytes or 1)), r.cpu_milli)
    )
    return f"{asks}most free on one {arch} node: {_amount(most)}; "


def _free(node: Node, used: Resources) -> Resources:
    room = node.allocatable
    return Resources(max(0, room.cpu_milli - used.cpu_milli), max(0, room.memory_bytes - used.memory_bytes))


def _amount(of: Resources) -> str:
    return f"{of.cpu_milli}m cpu, {of.memory_bytes // 2**20}Mi"


def _wanted(scene: Scene, member: Member) -> str:
    """The architecture on which the pod looks for a node, as far as that is certain."""
    deployment = next((d for d in scene.deployments if ref_of(d) == member.owner), None)
    pinned = pinned_to(deployment.affinity, deployment.node_selector) if deployment else None
    return str(pinned or scene.away)


def _confirm(kind: K, arch: str) -> str:
    if kind is K.PENDING_CAPACITY:
        return commands.taken(arch)
    return commands.taints(arch) if kind is K.PENDING_TAINT else commands.arches()
