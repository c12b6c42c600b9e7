"""The newest Events of the target's namespace: all warnings, and what the Deployments themselves say."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random

from cockpit.clock import Clock
from cockpit.connections.decode import EVENTS
from cockpit.connections.kube import KubeClient
from cockpit.model.cluster import KubeEvent
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.listwatch import Collection, ListWatch, by_namespace
from cockpit.sources.merged import part_of
from cockpit.sources.watched import WatchedSource

KEPT = 200
SELECTORS = ("type!=Normal", "involvedObject.kind=Deployment,type=Normal")
"""A pod's life is told by several Normal Events that say nothing its status does not: they are not asked for."""


class EventsSource(WatchedSource):
    """Events of a namespace; no more than `kept` are handed on, the newest ones."""

    def __init__(self, kube: KubeClient, namespace: str, clock: Clock, random: Random, kept: int = KEPT) -> None:
        path = f"/api/v1/namespaces/{namespace}/events"
        whole = [Collection(SourceName.EVENTS, path, EVENTS, by_namespace, {"fieldSelector": each}) for each in SELECTORS]
        super().__init__(SourceName.EVENTS, [part_of(ListWatch(kube, each, clock, random)) for each in whole], clock)
        self._kept = kept

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Observe until cancelled; what is pushed out by newer ones is a DELETE."""
        times: dict[object, tuple[float, str]] = {}
        async with aclosing(super().observe()) as observations:
            async for observation in observations:
                for told in self._trim(times, observation):
                    yield told

    def _trim(self, times: dict[object, tuple[float, str]], observation: Observation) -> list[Observation]:
        match observation.kind, observation.value:
            case Kind.UPSERT, KubeEvent() as event:
                times[observation.key] = (event.time.timestamp(), event.name)
                return [observation, *self._push_out(times, observation.at)]
            case Kind.DELETE, _:
                times.pop(observation.key, None)
            case Kind.LISTED, _:
                kept = frozenset(times) & observation.keys
                for key in times.keys() - kept:
                    del times[key]
                return [Observation(SourceName.EVENTS, Kind.LISTED, observation.at, keys=kept)]
            case _:
                pass
        return [observation]

    def _push_out(self, times: dict[object, tuple[float, str]], at: float) -> list[Observation]:
        if len(times) <= self._kept:
            return []
        oldest = min(times, key=lambda key: times[key])
        del times[oldest]
        return [Observation(SourceName.EVENTS, Kind.DELETE, at, oldest)]
