"""The newest Events of the target's namespace: all warnings, and what the Deployments themselves say."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from heapq import nsmallest
from random import Random

from cockpit.clock import Clock
from cockpit.connections.decode import EVENTS
from cockpit.connections.kube import KubeClient
from cockpit.model.cluster import KubeEvent
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import GONE, Batch
from cockpit.sources.collection import Collection, by_namespace
from cockpit.sources.listwatch import ListWatch
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

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Observe until cancelled; what is pushed out by newer ones is gone."""
        times: dict[object, tuple[float, str]] = {}
        async with aclosing(super().batches()) as batches:
            async for batch in batches:
                yield self._trimmed(times, batch)

    def _trimmed(self, times: dict[object, tuple[float, str]], batch: Batch) -> Batch:
        changes = dict(batch.changes)
        times |= {
            key: (value.time.timestamp(), value.name) for key, value in batch.changes.items() if isinstance(value, KubeEvent)
        }
        for key in nsmallest(len(times) - self._kept, times, key=lambda key: times[key]):
            del times[key]
            changes[key] = GONE
        for key, value in batch.changes.items():
            if value is GONE:
                times.pop(key, None)
        if batch.listed is not None:
            for key in times.keys() - batch.listed:
                del times[key]
        return replace(batch, changes=changes, listed=None if batch.listed is None else frozenset(times))
