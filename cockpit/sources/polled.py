"""A source that asks now and then: what changes seldom, or cannot be watched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from random import Random

import msgspec

from cockpit.clock import Clock
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation
from cockpit.sources.pace import Backoff, patience, rest
from cockpit.text import clean

MISSED = 3.0
"""Rounds after which silence makes it stale."""
WALL_SECONDS = 30.0


class PolledSource:
    """Asks an API server for a whole picture every so many seconds of the clock: `ask` answers with values by key."""

    def __init__(
        self,
        name: SourceName,
        kube: KubeClient,
        ask: Callable[[], Awaitable[Mapping[str, object]]],
        clock: Clock,
        random: Random,
        every: float,
    ) -> None:
        self.names = (name,)
        self._name = name
        self._kube = kube
        self._ask = ask
        self._clock = clock
        self._every = every
        self._backoff = Backoff(clock, random)

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return patience(self._clock, MISSED * self._every, WALL_SECONDS)

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Ask, tell, rest; observe until cancelled."""
        async with self._kube.pulse.felt():
            while True:
                try:
                    found = await self._asked()
                except CockpitError as error:
                    yield self._said(Kind.FAULT, why=str(error))
                    await rest(self._backoff, self._kube.pulse, error)
                    continue
                self._backoff.reset()
                for key, value in found.items():
                    yield self._said(Kind.UPSERT, key, value)
                yield self._said(Kind.LISTED, keys=frozenset(found))
                # A rehearsal runs faster than the clock on the wall, but no socket does.
                await self._clock.sleep(patience(self._clock, self._every, 1.0))

    async def _asked(self) -> Mapping[str, object]:
        try:
            return await self._ask()
        except msgspec.DecodeError as error:
            raise CockpitError(
                f"API server {self._kube.server} gave an answer that cannot be read: {clean(str(error), 200)}"
            ) from error

    def _said(
        self, kind: Kind, key: object = None, value: object = None, keys: frozenset[object] = frozenset(), why: str = ""
    ) -> Observation:
        return Observation(self._name, kind, self._clock.monotonic(), key, value, keys, why)
