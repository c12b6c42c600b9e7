"""What all pods of each node ask for: what the scheduler would still find free.

It takes all pods of the cluster, so it is asked for seldom, in pages, and nothing but the sums is kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random

import msgspec

from cockpit.clock import Clock
from cockpit.connections import wire
from cockpit.connections.demand import pod_requests
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Gone, Unreachable
from cockpit.model.cluster import Resources
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
_page = msgspec.json.Decoder(wire.List[wire.UsageSpecOnly]).decode


class UsageSource:
    """Summed requests by node name; nodes without pods are left out."""

    names = (SourceName.USAGE,)

    def __init__(self, kube: KubeClient, clock: Clock, random: Random, every: float = EVERY_SECONDS) -> None:
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
                    sums = await self._scan()
                except Gone as error:
                    await rest(self._backoff, self._kube.pulse, error)
                    continue
                except CockpitError as error:
                    yield Observation(SourceName.USAGE, Kind.FAULT, self._clock.monotonic(), why=str(error))
                    await rest(self._backoff, self._kube.pulse, error)
                    continue
                self._backoff.reset()
                for node, total in sums.items():
                    yield Observation(SourceName.USAGE, Kind.UPSERT, started, node, total)
                yield Observation(SourceName.USAGE, Kind.LISTED, started, keys=frozenset(sums))
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
                yield Observation(SourceName.USAGE, Kind.FAULT, self._clock.monotonic(), why=str(error))
                await self._kube.pulse.back()
                yield Observation(SourceName.USAGE, Kind.HEARD, scanned)

    async def _scan(self) -> dict[str, Resources]:
        sums: dict[str, tuple[int, int, int]] = {}
        async with aclosing(self._kube.pulse.during(self._kube.pages(_PATH, _ALIVE))) as pages:
            async for raw in pages:
                _add(sums, raw, self._kube.server)
        return {node: Resources(*total) for node, total in sums.items()}


def _add(sums: dict[str, tuple[int, int, int]], raw: bytes, server: str) -> None:
    try:
        found = _page(raw).items or ()
    except msgspec.DecodeError as error:
        raise Unreachable(f"API server {server} gave an answer that is no list of pods: {clean(str(error), 200)}") from error
    for pod in found:
        if pod.spec is None or not pod.spec.node_name:
            continue
        node, asked = clean(pod.spec.node_name), pod_requests(pod.spec)
        cpu, memory, pods = sums.get(node, (0, 0, 0))
        sums[node] = (cpu + asked.cpu_milli, memory + asked.memory_bytes, pods + 1)
