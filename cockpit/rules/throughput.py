"""Throughput per pod of the target against the baseline's: a hint at emulation, and no more than that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.nodes import pods_of
from cockpit.rules.signals import side_unknown
from cockpit.rules.traffic import REQUESTS, traffic

SETTLED = timedelta(seconds=180)
"""How long rates follow weights that were moved: clients keep their connections, and a rate looks back for minutes."""


def hint(snapshot: Snapshot, playbook: Playbook, below: float, since: datetime) -> str:
    """What is odd about the throughput of a pod of the target; empty when nothing is, or nothing can be said.

    Weights decide how many requests a pod gets, so that it is not the bare numbers that are compared: the target's pods should
    serve the part of the baseline's that the configured share makes likely (without weights: as much). `below` is from 0 to 1,
    `since` the time from which nothing was moved.
    """
    to = playbook.target.to_arch
    if snapshot.time - since < SETTLED or any(side_unknown(snapshot, playbook, REQUESTS, arch, "") for arch in Arch):
        return ""
    ready = _ready(snapshot, playbook)
    here, there = (_per_pod(snapshot, arch, ready[arch]) for arch in (to, to.other))
    likely = _likely(snapshot, playbook, ready)
    if here is None or not there or not likely:
        return ""
    part = here / there / likely
    if part >= below:
        return ""
    words = f"a pod on {to} serves {here:.1f} requests/s, {part:.0%} of what the baseline's {there:.1f} make likely"
    return f"hint: {words}"


def _per_pod(snapshot: Snapshot, arch: Arch, pods: int) -> float | None:
    series = snapshot.signals.get((REQUESTS, arch))
    return series.latest.value / pods if series and series.latest and pods else None


def _likely(snapshot: Snapshot, playbook: Playbook, ready: Mapping[str, int]) -> float | None:
    """The target's pods' throughput as a multiple of the baseline's, were every request that is sent served."""
    to = playbook.target.to_arch
    if playbook.alb is None:
        return 1.0
    share = traffic(snapshot, playbook, None).configured_share if snapshot.source(SourceName.RULES).live else None
    here, there = ready[to], ready[to.other]
    if share is None or not 0.0 < share < 1.0 or not here:
        return None
    return share / (1.0 - share) * there / here


def _ready(snapshot: Snapshot, playbook: Playbook) -> Counter[str]:
    """The workloads' Ready pods by architecture."""
    pods = (p for ref in playbook.target.workloads for p in pods_of(snapshot, ref))
    return Counter(snapshot.nodes[p.node].arch for p in pods if p.ready and p.node in snapshot.nodes)
