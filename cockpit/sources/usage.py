"""What all pods of each node ask for, on which nodes each DaemonSet has a Ready pod, and where the pods of one namespace are.

It takes all pods of the cluster, so it is asked for seldom, in pages. Only sums, one word for a DaemonSet's pod, and the node and
labels of the one namespace's pods are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random

import msgspec

from cockpit.clock import Clock
from cockpit.connections import wire
from cockpit.connections.decode import pieces, shared
from cockpit.connections.decode_labels import labels_of
from cockpit.connections.demand import pod_requests
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Forbidden, Gone, Rejected, Unreachable
from cockpit.model.cluster import Neighbour, Resources
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Batch, Observation, observed
from cockpit.sources.collection import STREAMED, sliced
from cockpit.sources.hearing import Unstreamed, Unwatched, ends_list, unstreamed
from cockpit.sources.pace import Backoff, patience, rest
from cockpit.text import clean

EVERY_SECONDS = 60.0
STALE_SECONDS = 300.0
RESTS = 2.0
"""After a scan it rests for this many times as long as the scan took, so that a big cluster is not always being listed."""
MOST_REST_SECONDS = 180.0
_PATH = "/api/v1/pods"
_ALIVE = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
_SLICE_BYTES = 256 << 10
"""A pod is counted sooner than it is taken apart for the store: this, too, is 1 ms of work."""
_event = msgspec.json.Decoder(wire.TypedEvent[wire.ScannedPod]).decode
_pod = msgspec.json.Decoder(wire.ScannedPod).decode
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
        self._in_pages = False
        """Pods may be listed here and not watched."""

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, STALE_SECONDS, 10.0)

    def observe(self) -> AsyncGenerator[Observation, None]:
        """What `batches` tells, one fact at a time."""
        return observed(self.batches())

    async def batches(self) -> AsyncGenerator[Batch, None]:
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
                    for fault in self._all(self._clock.monotonic(), why=str(error)):
                        yield fault
                    await rest(self._backoff, self._kube.pulse, error)
                    continue
                self._backoff.reset()
                for batch in scan.told(started):
                    yield batch
                    await asyncio.sleep(0)
                del scan, batch  # not for as long as it rests
                async with aclosing(self._resting(started)) as meanwhile:
                    async for batch in meanwhile:
                        yield batch

    async def _resting(self, scanned: float) -> AsyncGenerator[Batch, None]:
        """Rest after a scan. A server that is lost meanwhile is a fault, but no reason to scan earlier once it is back."""
        took = self._clock.monotonic() - scanned
        until = scanned + took + max(self._every, min(took * RESTS, MOST_REST_SECONDS))
        while (left := until - self._clock.monotonic()) > 0:
            try:
                async with self._kube.pulse.alive():
                    await self._clock.sleep(left)
            except Unreachable as error:
                for batch in self._all(self._clock.monotonic(), why=str(error)):
                    yield batch
                await self._kube.pulse.back()
                for batch in self._all(scanned):
                    yield batch

    def _all(self, at: float, why: str = "") -> Iterator[Batch]:
        return (Batch(name, at, heard=not why, fault=why) for name in self.names)

    async def _scan(self) -> _Scan:
        """All pods, one at a time: as a stream, so that it takes one request however many there are, or in pages."""
        if not self._in_pages and await self._streams():
            try:
                return await self._streamed()
            except Unwatched:
                self._in_pages = True
            except Unstreamed:
                self._kube.offers.refuse()
        return await self._paged()

    async def _streams(self) -> bool:
        async with self._kube.pulse.alive():
            return await self._kube.offers.watch_list()

    async def _paged(self) -> _Scan:
        scan = _Scan(self._namespace)
        async with aclosing(self._kube.pulse.during(self._kube.pages(_PATH, _ALIVE))) as pages:
            async for raw in pages:
                for some in sliced(self._pieces(raw), _SLICE_BYTES):
                    self._add(scan, some)
                    await asyncio.sleep(0)
        return scan

    async def _streamed(self) -> _Scan:
        scan = _Scan(self._namespace)
        try:
            async with aclosing(self._kube.pulse.during(self._kube.watched(_PATH, {**_ALIVE, **STREAMED}))) as found:
                async for lines in found:
                    for some in sliced(lines, _SLICE_BYTES):
                        if self._heard(scan, some):
                            return scan
                        await asyncio.sleep(0)
        except (Rejected, Forbidden) as error:
            raise unstreamed(error) from None
        raise Unstreamed("the stream ended before the list had")

    def _heard(self, scan: _Scan, lines: Iterable[bytes]) -> bool:
        """Count what lines of a stream tell; whether that was all."""
        try:
            for line in lines:
                try:
                    event = _event(line)
                except msgspec.DecodeError:
                    if ends_list(line):
                        return True
                    raise
                if event.type == "ADDED":  # what changes while it is told changes in the next scan
                    scan.add(event.object)
                elif event.type in ("BOOKMARK", "ERROR") and ends_list(line):
                    return True
        except msgspec.DecodeError as error:
            raise self._garbled(error) from error
        return False

    def _pieces(self, raw: bytes) -> list[msgspec.Raw]:
        try:
            return pieces(raw)[1]
        except msgspec.DecodeError as error:
            raise self._garbled(error) from error

    def _add(self, scan: _Scan, pods: Iterable[msgspec.Raw]) -> None:
        try:
            for raw in pods:
                scan.add(_pod(raw))
        except msgspec.DecodeError as error:
            raise self._garbled(error) from error

    def _garbled(self, error: Exception) -> CockpitError:
        return Unreachable(f"API server {self._kube.server} gave an answer that is no list of pods: {clean(str(error), 200)}")


@dataclass(slots=True)
class _Scan:
    """What is kept of the pods: sums by node, by DaemonSet why its pod on each node is not Ready (empty: it is), and those of one
    namespace.
    """

    namespace: str = ""
    sums: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    daemons: dict[str, dict[str, str]] = field(default_factory=dict)
    neighbours: list[Neighbour] = field(default_factory=list)

    def told(self, at: float) -> Iterator[Batch]:
        """All of it, as of when the scan began."""
        found: Mapping[SourceName, dict[object, object]] = {
            SourceName.USAGE: {node: Resources(*total) for node, total in self.sums.items()},
            SourceName.DAEMON_PODS: dict(self.daemons.items()),
            SourceName.NEIGHBOURS: {self.namespace: tuple(self.neighbours)},
        }
        for name, changes in found.items():
            yield from Batch(name, at, changes, frozenset(changes)).sliced()

    def add(self, pod: wire.ScannedPod) -> None:
        """Count a pod."""
        if pod.spec is not None and pod.spec.node_name:
            node = shared(pod.spec.node_name)
            self._count(node, pod.spec)
            self._daemon(node, pod)
            self._neighbour(node, pod.metadata)

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
