"""A source that never rests: every second of the clock a hundred changes of pods and events, and now and then a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from cockpit.clock import Clock
from cockpit.model.cluster import KubeEvent
from cockpit.model.series import Sample, Series
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from tests.factories import snapshot
from tests.unit.run.test_flight import Steady

A_SECOND = 100
KEPT_EVENTS = 500
"""An API server forgets them after an hour; a namespace under a storm holds this many."""
SAMPLES = 240
EVERY = 15
FAULT_EVERY = 600
"""Seconds."""


class Storm(Steady):
    """The healthy world of `tests.factories`, shaken."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._rng = Random(seed)
        self._world = snapshot()
        self._count = 0
        self.told = 0

    async def observe(self) -> AsyncIterator[Observation]:
        calm, unlisted = super().observe(), set(SourceName)
        async for observation in calm:
            yield observation
            if observation.kind is Kind.LISTED:
                unlisted.discard(observation.source)
            if not unlisted:
                break
        await calm.aclose()  # type: ignore[attr-defined]
        second = 0
        while True:
            second += 1
            for observation in self._second(second):
                self.told += 1
                yield observation
            await self._clock.sleep(1.0)

    def _second(self, second: int) -> Iterator[Observation]:
        at, now = self._clock.monotonic(), self._clock.now()
        if second % FAULT_EVERY == 0:
            yield Observation(SourceName.PODS, Kind.FAULT, at, why=f"the watch ended at {second}")
        if second % EVERY == 0:
            yield from self._metrics(at, now)
        pods = list(self._world.pods.values())
        for _ in range(A_SECOND // 2):
            pod = self._rng.choice(pods)
            yield Observation(SourceName.PODS, Kind.UPSERT, at, f"{pod.namespace}/{pod.name}", self._shaken(pod))
            yield from self._event(at, now)

    def _shaken(self, pod: object) -> object:
        return replace(pod, ready=self._rng.random() > 0.02)  # type: ignore[type-var]

    def _event(self, at: float, now: datetime) -> Iterator[Observation]:
        self._count += 1
        name = f"payments-api.{self._count:016x}"
        words = f"Readiness probe failed: attempt {self._count}: " + "x" * 80
        event = KubeEvent("payments", name, now, "Warning", "Unhealthy", words, "Pod/api-0")
        yield Observation(SourceName.EVENTS, Kind.UPSERT, at, f"payments/{name}", event)
        if self._count > KEPT_EVENTS:
            old = f"payments/payments-api.{self._count - KEPT_EVENTS:016x}"
            yield Observation(SourceName.EVENTS, Kind.DELETE, at, old)

    def _metrics(self, at: float, now: datetime) -> Iterator[Observation]:
        for key, series in self._world.signals.items():
            value = series.samples[-1].value
            samples = (
                Sample(now - timedelta(seconds=EVERY * (SAMPLES - 1 - n)), value * self._rng.uniform(0.97, 1.03))
                for n in range(SAMPLES)
            )
            yield Observation(SourceName.METRICS, Kind.UPSERT, at, key, Series(tuple(samples)))
