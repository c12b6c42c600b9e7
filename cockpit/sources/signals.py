"""All signals as one source, whoever is asked for each: Prometheus, CloudWatch or both.

The two are independent: while one cannot be asked, its own series say so and the other's go on. Only when nobody can be asked is
the source as a whole at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from cockpit.clock import Clock
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation, Observations, Source
from cockpit.sources.merged import interleaved


@dataclass(slots=True)
class _State:
    keys: frozenset[object] = frozenset()
    """All series that it has told of, also of those that it was refused."""
    fault: str = ""
    heard: bool = False
    """It has listed, or failed, at least once."""


@dataclass(slots=True)
class Signals:
    """Several sources of series, each marking its own series when it cannot ask."""

    parts: Sequence[Source]
    clock: Clock
    names: tuple[SourceName, ...] = field(default=(SourceName.METRICS,), init=False)

    @property
    def stale_after(self) -> float:
        """Seconds of the clock."""
        return max(part.stale_after for part in self.parts)

    async def observe(self) -> Observations:
        """Observe all of them until cancelled."""
        states = [_State() for _ in self.parts]
        async with aclosing(interleaved(self.parts)) as observations:
            async for index, observation in observations:
                for told in _fold(states, states[index], observation):
                    yield told


def _fold(states: Sequence[_State], state: _State, observation: Observation) -> list[Observation]:
    if observation.kind is Kind.FAULT:
        state.fault, state.heard = observation.why, True
        if all(s.fault for s in states):
            return [observation]
        return _listed(states, replace(observation, kind=Kind.LISTED, why=""))
    state.fault = ""
    if observation.kind is Kind.LISTED:
        state.keys, state.heard = observation.keys, True
        return _listed(states, observation)
    if observation.kind is Kind.UPSERT:
        state.keys |= {observation.key}
    return [observation]


def _listed(states: Sequence[_State], observation: Observation) -> list[Observation]:
    """The whole list, once every part has said something; a part at fault keeps what it had."""
    if not all(s.heard for s in states):
        return []
    return [replace(observation, keys=frozenset[object]().union(*(s.keys for s in states)))]
