"""Price-performance: sustained requests/s within the p99 limit for a dollar an hour, on each architecture.

The rate is what was measured, not what could have been: a side with little traffic has little to show for its nodes, so that
two sides compare only at a like load per core. A pod costs the share of its node's price that its CPU request is of the node's
allocatable CPU; what nobody has requested of a node, and its system's part, is charged to nobody. Anything missing, stale, in
a rollout or without a price leaves no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from cockpit.model.arch import Arch
from cockpit.model.cluster import Node, Pod
from cockpit.model.playbook import Phase, Playbook, SignalCheck
from cockpit.model.price import PricePerformance
from cockpit.model.series import Sample, Series, middle
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.freshness import blind
from cockpit.rules.kept import Remembered
from cockpit.rules.nodes import pods_of
from cockpit.rules.traffic import REQUESTS, has_requests

WINDOW = timedelta(minutes=5)
"""A rate is the median over so long."""
SUSTAINED = timedelta(minutes=2)
"""What is sustained has lasted so long at least."""
LEAST_SAMPLES = 3
ALIKE = 1.5
"""Loads per core that differ by no more than this factor may be compared: an idle node earns nothing, whatever it could."""
_CLUSTER = (SourceName.NODES, SourceName.PODS, SourceName.DEPLOYMENTS)


class _Missing(Exception):
    """Why there is no figure."""


@dataclass(frozen=True, slots=True)
class _Cost:
    an_hour: float
    cores: float
    basis: str


def price_performance(
    snapshot: Snapshot, playbook: Playbook, phase: Phase | None, since: datetime | None
) -> Mapping[Arch, PricePerformance]:
    """Both sides now. `phase` gives the limits; `since` is when it was proven (None: it is not, the newest minutes count)."""
    newest = snapshot.time - WINDOW
    start = max(newest, since or newest)
    return {
        arch: _side(snapshot, playbook, phase, arch, start, since is not None)
        for arch in (playbook.target.to_arch, playbook.target.from_arch)
    }


def better(before: Mapping[Arch, PricePerformance], now: Mapping[Arch, PricePerformance]) -> Mapping[Arch, PricePerformance]:
    """For each side the better figure of two moments: what a run keeps as the best that it has seen."""
    found = dict(before)
    for arch, new in now.items():
        old = before.get(arch)
        if new.per_money is not None and (old is None or (old.per_money or 0.0) < new.per_money):
            found[arch] = new
    return found


def ratio(sides: Mapping[Arch, PricePerformance], here: Arch) -> float | None:
    """How many times the other side's figure `here` has; None unless both are known, at a like load per core."""
    mine, other = sides.get(here), sides.get(here.other)
    if mine is None or other is None or not (mine.per_money and other.per_money and mine.per_core and other.per_core):
        return None
    alike = max(mine.per_core, other.per_core) <= ALIKE * min(mine.per_core, other.per_core)
    return mine.per_money / other.per_money if alike else None


def _moment(phase: Phase | None, proven: bool) -> str:
    if phase is None:
        return ""
    return phase.name if proven else f"before {phase.name}"


def _side(
    snapshot: Snapshot, playbook: Playbook, phase: Phase | None, arch: Arch, start: datetime, proven: bool
) -> PricePerformance:
    made = PricePerformance(arch, currency=playbook.prices.currency, phase=_moment(phase, proven), at=snapshot.time)
    try:
        cost = _cost(snapshot, playbook, arch)
        made = replace(made, cost=cost.an_hour, cores=cost.cores, basis=cost.basis)
        if playbook.latency is None:
            raise _Missing("the playbook has no signal in seconds")
        p99, limit = _latency(snapshot, playbook, playbook.latency, phase, arch, start)
        made = replace(made, signal=playbook.latency, p99=p99, limit=limit)
        return replace(made, rate=_rate(snapshot, playbook, arch, start))
    except _Missing as missing:
        return replace(made, why=str(missing))


def _rate(snapshot: Snapshot, playbook: Playbook, arch: Arch, start: datetime) -> float:
    if not has_requests(playbook):
        raise _Missing(f"the playbook has no signal {REQUESTS} in requests_per_second")
    rate = middle(_samples(snapshot, playbook, REQUESTS, arch, start))
    if not rate:
        raise _Missing("no requests")
    return rate


def _latency(
    snapshot: Snapshot, playbook: Playbook, name: str, phase: Phase | None, arch: Arch, start: datetime
) -> tuple[float, float | None]:
    """The p99 (the worse of the window's median and the newest samples'), and its limit when the phase has one."""
    samples = _samples(snapshot, playbook, name, arch, start)
    p99 = max(_median(samples), _median(samples[-LEAST_SAMPLES:]))
    checks = [c for c in (phase.gates if phase else ()) if isinstance(c, SignalCheck) and c.signal == name]
    limits = [check.max for check in checks if check.max is not None]
    if arch is playbook.target.to_arch:
        drifts = [check.max_drift for check in checks if check.max_drift is not None]
        home = _median(_samples(snapshot, playbook, name, arch.other, start)) if drifts else 0.0
        limits += [home * (1 + drift) for drift in drifts]
        if not limits:
            raise _Missing(f"no gate limits {name}")
    limit = min(limits, default=None)
    if limit is not None and p99 > limit:
        raise _Missing(f"{name} is {p99 * 1000:.0f} ms, above its limit of {limit * 1000:.0f} ms")
    return p99, limit


def _samples(snapshot: Snapshot, playbook: Playbook, signal: str, arch: Arch, start: datetime) -> Sequence[Sample]:
    """The samples of the window, only while the signal may be believed."""
    cadence = playbook.freshness_of(signal)
    series = snapshot.signals.get((signal, arch), Series())
    if cadence is None or series.latest is None or series.error:
        raise _Missing(f"{signal} of {arch}: {series.error or 'no sample yet'}")
    if unknown := blind(snapshot, [SourceName.METRICS], signal):
        raise _Missing(f"{signal}: {unknown.reason}")
    age = (snapshot.time - series.latest.time).total_seconds()
    if age > cadence.stale_after:
        raise _Missing(f"{signal} of {arch} is {age:.0f} s old")
    found = series.since(start)
    lasted = found[-1].time - found[0].time if found else timedelta()
    if len(found) < LEAST_SAMPLES or lasted < SUSTAINED:
        raise _Missing(f"{signal} of {arch} is known for {lasted.total_seconds():.0f} of {SUSTAINED.total_seconds():.0f} s")
    return found


def _median(samples: Sequence[Sample]) -> float:
    return middle(samples) or 0.0


def _cost(snapshot: Snapshot, playbook: Playbook, arch: Arch) -> _Cost:
    if unknown := blind(snapshot, _CLUSTER, "cost"):
        raise _Missing(unknown.reason)
    for ref in playbook.target.workloads:
        deployment = snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
        if deployment is None:
            raise _Missing(f"{ref} is not there")
        if not deployment.settled:
            raise _Missing(f"a rollout of {ref} is under way")
    found = _costs(snapshot.nodes, playbook, arch, *[pods_of(snapshot, ref) for ref in playbook.target.workloads])
    if isinstance(found, str):
        raise _Missing(found)
    return found


@partial(Remembered, kept=2 * len(Arch))
def _costs(nodes: Mapping[str, Node], playbook: Playbook, arch: Arch, *workloads: Sequence[Pod]) -> _Cost | str:
    """What the pods on an architecture cost, or why that is not known."""
    placed = [(pod, nodes[pod.node]) for pod in chain.from_iterable(workloads) if pod.node in nodes]
    here = [(pod, node) for pod, node in placed if node.arch == arch]
    if not here:
        return f"no pods on {arch} nodes"
    try:
        total = sum(_share(pod, node) * _price(playbook, node) for pod, node in here)
    except _Missing as missing:
        return str(missing)
    counts = Counter(node.instance_type for node in {node.name: node for _, node in here}.values())
    types = ", ".join(f"{count} {name} at {playbook.prices.of(name):g}" for name, count in sorted(counts.items()))
    cores = sum(pod.requests.cpu_milli for pod, _ in here) / 1000
    basis = (
        f"{len(here)} pods request {cores:g} cores of {types} {playbook.prices.currency} an hour ({playbook.prices.said(counts)})"
    )
    return _Cost(total, cores, basis)


def _share(pod: Pod, node: Node) -> float:
    if not pod.requests.cpu_milli or not node.allocatable.cpu_milli:
        raise _Missing(f"{pod.name} requests no CPU: its share of a node is not known")
    return pod.requests.cpu_milli / node.allocatable.cpu_milli


def _price(playbook: Playbook, node: Node) -> float:
    price = playbook.prices.of(node.instance_type)
    if price is None:
        what = f"no price of {node.instance_type}" if node.instance_type else f"{node.name} does not say its instance type"
        raise _Missing(f"{what}: add it to prices.per_hour")
    return price
