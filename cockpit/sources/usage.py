"""What all pods of each node ask for, on which nodes each DaemonSet has a Ready pod, and where the pods of one namespace are.

It takes all pods of the cluster, so it is asked for seldom, in pages. Only sums, one word for a DaemonSet's pod, and the node and
labels of the one namespace's pods are kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random

import msgspec

from cockpit.clock import Clock
from cockpit.connections import wire
from cockpit.connections.decode import shared
from cockpit.connections.decode_labels import labels_of
from cockpit.connections.demand import pod_requests
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Gone, Unreachable
from cockpit.model.cluster import Neighbour, Resources
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import Backoff, patience, rest
from cockpit.text import clean

EVERY_SECONDS = 60.0
STALE_SECONDS = 300.0
RESTS = 2.0
"""After a scan it rests for this many times as long as the scan took, so that a big cluster is not always being listed."""
MOST_REST_SECONDS = 180.0
_PATH = "/api/v1/pods"
_ALIVE = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
_page = msgspec.json.Decoder(wire.List[wire.ScannedPod]).decode
_status = msgspec.json.Decoder(wire.PodStatus).decode


class UsageSource:
    """Summed requests by node name (nodes without pods are left out), each DaemonSet's pods by node, all pods of `namespace`."""

    names = (SourceName.USAGE, SourceName.DAEMON_PODS, SourceName.NEIGHBOURS)

    def __init__(self, kube: KubeClient, clock: Clock, random: Random, every: float = EVERY_SECONDS, namespace: str = "") -> None:
        self._namespace = namespace
        self._kube = kube
        self._clock = clock
        self._every = every
        self._backoff = Backoff(clock, random)

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, STALE_SECONDS, 10.0)

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Scan, tell, rest; observe until cancelled."""
        async with self._kube.pulse.felt():
            while True:
                started = self._clock.monotonic()
                try:
                    scan = await self._scan()
                except Gone as error:
                    await rest(self._backoff, self._kube.pulse, error)
                    continue
                except CockpitError as error:
                    for fault in self._all(Kind.FAULT, self._clock.monotonic(), str(error)):
                        yield fault
                    await rest(self._backoff, self._kube.pulse, error)
                    continue
                self._backoff.reset()
                for observation in scan.told(started):
                    yield observation
                async with aclosing(self._resting(started)) as meanwhile:
                    async for observation in meanwhile:
                        yield observation

    async def _resting(self, scanned: float) -> AsyncGenerator[Observation, None]:
        """Rest after a scan. A server that is lost meanwhile is a fault, but no reason to scan earlier once it is back."""
        took = self._clock.monotonic() - scanned
        until = scanned + took + max(self._every, min(took * RESTS, MOST_REST_SECONDS))
        while (left := until - self._clock.monotonic()) > 0:
            try:
                async with self._kube.pulse.alive():
                    await self._clock.sleep(left)
            except Unreachable as error:
                for observation in self._all(Kind.FAULT, self._clock.monotonic(), str(error)):
                    yield observation
                await self._kube.pulse.back()
                for observation in self._all(Kind.HEARD, scanned):
                    yield observation

    def _all(self, kind: Kind, at: float, why: str = "") -> Iterator[Observation]:
        return (Observation(name, kind, at, why=why) for name in self.names)

    async def _scan(self) -> _Scan:
        scan = _Scan(self._namespace)
        async with aclosing(self._kube.pulse.during(self._kube.pages(_PATH, _ALIVE))) as pages:
            async for raw in pages:
                scan.add(raw, self._kube.server)
        return scan


@dataclass(slots=True)
class _Scan:
    """What is kept of the pods: sums by node, by DaemonSet why its pod on each node is not Ready (empty: it is), and those of one
    namespace.
    """

    namespace: str = ""
    sums: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    daemons: dict[str, dict[str, str]] = field(default_factory=dict)
    neighbours: list[Neighbour] = field(default_factory=list)

    def told(self, at: float) -> Iterator[Observation]:
        """All of it, as of when the scan began."""
        for node, total in self.sums.items():
            yield Observation(SourceName.USAGE, Kind.UPSERT, at, node, Resources(*total))
        yield Observation(SourceName.USAGE, Kind.LISTED, at, keys=frozenset(self.sums))
        for daemonset, nodes in self.daemons.items():
            yield Observation(SourceName.DAEMON_PODS, Kind.UPSERT, at, daemonset, nodes)
        yield Observation(SourceName.DAEMON_PODS, Kind.LISTED, at, keys=frozenset(self.daemons))
        yield Observation(SourceName.NEIGHBOURS, Kind.UPSERT, at, self.namespace, tuple(self.neighbours))
        yield Observation(SourceName.NEIGHBOURS, Kind.LISTED, at, keys=frozenset([self.namespace]))

    def add(self, raw: bytes, server: str) -> None:
        """A page of pods. Unreachable when it is none."""
        try:
            for pod in _page(raw).items or ():
                if pod.spec is not None and pod.spec.node_name:
                    self._count(shared(pod.spec.node_name), pod.spec)
                    self._daemon(shared(pod.spec.node_name), pod)
                    self._neighbour(shared(pod.spec.node_name), pod.metadata)
        except msgspec.DecodeError as error:
            raise Unreachable(f"API server {server} gave an answer that is no list of pods: {clean(str(error), 200)}") from error

    def _count(self, node: str, spec: wire.PodSpec) -> None:
        asked = pod_requests(spec)
        cpu, memory, pods = self.sums.get(node, (0, 0, 0))
        self.sums[node] = (cpu + asked.cpu_milli, memory + asked.memory_bytes, pods + 1)

    def _neighbour(self, node: str, meta: wire.ScannedMeta) -> None:
        # The scheduler counts no pod that is being deleted for a spread; for anti-affinity it does, but that passes.
        if meta.namespace == self.namespace and meta.deletion_timestamp is None:
            self.neighbours.append(Neighbour(node, labels_of(meta.labels)))

    def _daemon(self, node: str, pod: wire.ScannedPod) -> None:
        owner = next((o for o in pod.metadata.owner_references or () if o.kind == "DaemonSet" and o.controller), None)
        if owner is None or pod.metadata.deletion_timestamp is not None:
            return
        states = self.daemons.setdefault(shared(f"{pod.metadata.namespace}/{owner.name}"), {})
        # While it is replaced a node has two: the Ready one counts.
        if states.get(node) != "":
            states[node] = _why(_status(pod.status) if bytes(pod.status) else wire.PodStatus())


def _why(status: wire.PodStatus) -> str:
    """Why a pod is not Ready, in a word or two; empty when it is."""
    if any(c.type == "Ready" and c.status == "True" for c in status.conditions or ()):
        return ""
    held = [*(status.init_container_statuses or ()), *(status.container_statuses or ())]
    waits = (c.state.waiting.reason for c in held if c.state and c.state.waiting)
    return shared(next(filter(None, waits), None) or f"not ready ({status.phase or 'phase not told'})")
