"""The reducer: observations in, one immutable Snapshot out, with how far each source may be believed.

The maps that a snapshot holds are handed out as they stand and copied before the next change to them, so that freezing costs
nothing for what has not changed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from cockpit.clock import Clock
from cockpit.model.auditing import NOT_AUDITED
from cockpit.model.cluster import KubeEvent
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.redact import told
from cockpit.sources.base import GONE, NO_PROGRESS, Batch, Batching, Kind, Observation, Progress, Source

RESTART_SECONDS = 5.0


@dataclass(slots=True)
class _Held:
    """What one source has told so far. `frozen` is the last map handed out, which must not change any more."""

    data: dict[Any, Any] = field(default_factory=dict)
    frozen: Mapping[Any, Any] | None = None
    stale_after: float = 60.0
    listed: bool = False
    heard: float | None = None
    fault: str = ""
    progress: Progress = NO_PROGRESS

    def writable(self) -> dict[Any, Any]:
        """The map, copied first when a snapshot holds it."""
        if self.frozen is not None:
            self.data = dict(self.data)
            self.frozen = None
        return self.data

    def handed_out(self) -> Mapping[Any, Any]:
        """The map as a read-only view that stays as it is."""
        if self.frozen is None:
            self.frozen = MappingProxyType(self.data)
        return self.frozen

    def state(self, now: float) -> SourceState:
        """How far it may be believed at `now`."""
        age = None if self.heard is None else max(0.0, now - self.heard)
        read, expected = self.progress.read, self.progress.expected
        if self.fault:
            return SourceState(Freshness.FAULT, age, self.fault, read, expected)
        if not self.listed or age is None:
            return SourceState(Freshness.UNSYNCED, age, "", read, expected)
        return SourceState(Freshness.STALE if age > self.stale_after else Freshness.LIVE, age, "", read, expected)

    def change(self, changes: Mapping[object, object]) -> None:
        """Take in the values of keys, GONE where there is none any more. What is as it was costs no copy."""
        data = self.data
        fresh = {key: value for key, value in changes.items() if value is not GONE and data.get(key) != value}
        if fresh:
            self.writable().update(fresh)
        self.remove([key for key, value in changes.items() if value is GONE])

    def remove(self, keys: Iterable[object]) -> None:
        """Forget these keys."""
        gone = [key for key in keys if key in self.data]
        if gone:
            data = self.writable()
            for key in gone:
                del data[key]


class Store:
    """Everything observed. Not thread-safe: fold and freeze on one event loop."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._held: dict[SourceName, _Held] = {}
        self._seq = 0
        self._events: tuple[KubeEvent, ...] = ()

    def register(self, names: Iterable[SourceName], stale_after: float) -> None:
        """Sources that will be heard from, and the silence (seconds of the clock) after which they are STALE."""
        for name in names:
            self._source(name).stale_after = stale_after

    def fold(self, observation: Observation) -> None:
        """Take one observation in."""
        held = self._source(observation.source)
        if observation.kind is Kind.FAULT:
            held.fault = observation.why or "the source is at fault"
            return
        match observation.kind:
            case Kind.UPSERT:
                held.change({observation.key: observation.value})
            case Kind.DELETE:
                held.remove([observation.key])
            case Kind.LISTED:
                held.remove(held.data.keys() - observation.keys)
                held.listed = True
            case _:
                pass
        held.fault = ""
        held.heard = observation.at

    def take(self, batch: Batch) -> None:
        """Take many observations of one source in at once."""
        held = self._source(batch.source)
        held.progress = batch.progress or held.progress
        if batch.changes:
            held.change(batch.changes)
        if batch.listed is not None:
            held.remove(held.data.keys() - batch.listed)
            held.listed = True
        if batch.changes or batch.heard or batch.listed is not None:
            held.fault, held.heard = "", batch.at
        held.fault = batch.fault or held.fault

    def freeze(self) -> Snapshot:
        """What is known now, with the next number."""
        now = self.clock.monotonic()
        self._seq += 1
        sources = {name: held.state(now) for name, held in self._held.items()}
        return Snapshot(
            seq=self._seq,
            time=self.clock.now(),
            monotonic=now,
            sources=MappingProxyType(sources),
            nodes=self._map(SourceName.NODES),
            pods=self._map(SourceName.PODS),
            deployments=self._map(SourceName.DEPLOYMENTS),
            daemonsets=self._map(SourceName.DAEMONSETS),
            events=self._newest(),
            usage=self._map(SourceName.USAGE),
            rules=self._map(SourceName.RULES),
            targets=self._map(SourceName.TARGETS),
            signals=self._map(SourceName.METRICS),
            images=self._map(SourceName.IMAGES),
            autoscalers=self._map(SourceName.AUTOSCALERS),
            quotas=self._map(SourceName.QUOTAS),
            daemon_pods=self._map(SourceName.DAEMON_PODS),
            ingresses=self._map(SourceName.INGRESSES),
            neighbours=self._map(SourceName.NEIGHBOURS),
            node_pools=self._map(SourceName.NODEPOOLS),
            denied=self._map(SourceName.ACCESS),
            auditing=next(iter(self._map(SourceName.PORTABILITY).values()), NOT_AUDITED),
        )

    def _source(self, name: SourceName) -> _Held:
        return self._held.setdefault(name, _Held())

    def _map(self, name: SourceName) -> Mapping[Any, Any]:
        held = self._held.get(name)
        return held.handed_out() if held else MappingProxyType({})

    def _newest(self) -> tuple[KubeEvent, ...]:
        held = self._held.get(SourceName.EVENTS)
        if held and held.frozen is None:
            self._events = tuple(sorted(held.handed_out().values(), key=lambda event: (event.time, event.name)))
        return self._events


async def drive(source: Source, store: Store) -> None:
    """Pump a source into a store until cancelled. A source that crashes or ends is a FAULT, and is started again."""
    store.register(source.names, source.stale_after)
    while True:
        why = "the source ended"
        try:
            await _pump(source, store)
        except Exception as error:
            why = told(f"the source crashed ({type(error).__name__}: {error})", 300)
        for name in source.names:
            store.fold(Observation(name, Kind.FAULT, store.clock.monotonic(), why=why))
        await store.clock.sleep(RESTART_SECONDS)


async def _pump(source: Source, store: Store) -> None:
    if isinstance(source, Batching):
        async with aclosing(source.batches()) as batches:
            async for batch in batches:
                store.take(batch)
        return
    async with aclosing(cast("AsyncGenerator[Observation, None]", source.observe())) as observations:
        async for observation in observations:
            store.fold(observation)
