"""Several collections observed as one source: pods of some workloads, Deployments by name.

The source has listed when every part has, is at fault while any part is, and is as old as its oldest part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from cockpit.clock import Clock
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Kind, Observation, Source
from cockpit.sources.listwatch import ListWatch, Observations

Emit = Callable[[Observation], Awaitable[None]]
T = TypeVar("T")
Part = Callable[[Emit], Awaitable[None]]
"""Feeds observations for ever."""

BUFFER = 2000


def part_of(view: ListWatch) -> Part:
    """A collection as a part."""

    async def feed(emit: Emit) -> None:
        async with aclosing(view.observe()) as observations:
            async for observation in observations:
                await emit(observation)

    return feed


@dataclass(slots=True)
class _State:
    keys: set[object] = field(default_factory=set)
    listed: bool = False
    heard: float = 0.0
    fault: str = ""


class Merged:
    """Observes all parts at once. An exception in a part is raised from `observe`."""

    def __init__(self, source: SourceName, parts: Sequence[Part], clock: Clock) -> None:
        self._source = source
        self._parts = parts
        self._clock = clock

    async def observe(self) -> Observations:
        """The parts' observations as those of one source."""
        queue: asyncio.Queue[tuple[_State, Observation]] = asyncio.Queue(BUFFER)
        states = [_State() for _ in self._parts]
        tasks = [asyncio.ensure_future(_feed(part, state, queue)) for part, state in zip(self._parts, states, strict=True)]
        try:
            if not tasks:
                yield Observation(self._source, Kind.LISTED, self._clock.monotonic())
            while True:
                state, observation = await _next(queue, tasks)
                for told in self._fold(states, state, observation):
                    yield told
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _fold(self, states: list[_State], state: _State, observation: Observation) -> list[Observation]:
        if observation.kind is Kind.FAULT:
            state.fault = observation.why
            return [self._said(Kind.FAULT, observation.at, why=observation.why)]
        state.fault, state.heard = "", observation.at
        at = min((s.heard for s in states if s.listed), default=observation.at)
        told = self._told(states, state, observation, at)
        # What one part says must not hide that another one cannot be asked.
        fault = next((s.fault for s in states if s.fault), "")
        return [*told, self._said(Kind.FAULT, at, why=fault)] if fault else told

    def _told(self, states: list[_State], state: _State, observation: Observation, at: float) -> list[Observation]:
        match observation.kind:
            case Kind.UPSERT:
                state.keys.add(observation.key)
                return [self._said(Kind.UPSERT, at, observation.key, observation.value)]
            case Kind.DELETE:
                state.keys.discard(observation.key)
                gone = not any(observation.key in s.keys for s in states)
                return [self._said(Kind.DELETE if gone else Kind.HEARD, at, observation.key if gone else None)]
            case Kind.LISTED:
                state.keys, state.listed = set(observation.keys), True
                if all(s.listed for s in states):
                    whole = frozenset[object]().union(*(s.keys for s in states))
                    at = min(s.heard for s in states)
                    return [Observation(self._source, Kind.LISTED, at, keys=whole)]
                return []
            case _:
                return [self._said(Kind.HEARD, at)]

    def _said(self, kind: Kind, at: float, key: object = None, value: object = None, why: str = "") -> Observation:
        return Observation(self._source, kind, at, key, value, why=why)


async def _feed(part: Part, state: _State, queue: asyncio.Queue[tuple[_State, Observation]]) -> None:
    async def emit(observation: Observation) -> None:
        await queue.put((state, observation))

    await part(emit)


async def interleaved(parts: Sequence[Source]) -> AsyncGenerator[tuple[int, Observation], None]:
    """What several sources tell, each observation with the index of its source. An exception in one is raised from here."""
    queue: asyncio.Queue[tuple[int, Observation]] = asyncio.Queue(BUFFER)

    async def feed(index: int, part: Source) -> None:
        async with aclosing(cast("AsyncGenerator[Observation, None]", part.observe())) as observations:
            async for observation in observations:
                await queue.put((index, observation))

    tasks = [asyncio.ensure_future(feed(index, part)) for index, part in enumerate(parts)]
    try:
        while True:
            yield await _next(queue, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _next(queue: asyncio.Queue[tuple[T, Observation]], tasks: Sequence[asyncio.Future[None]]) -> tuple[T, Observation]:
    if not queue.empty():
        return queue.get_nowait()
    waiting = asyncio.ensure_future(queue.get())
    try:
        everything: list[asyncio.Future[Any]] = [waiting, *tasks]
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        ended = next(task for task in tasks if task.done())
        ended.result()
        raise RuntimeError("a part of a source ended")
    finally:
        if not waiting.done():
            waiting.cancel()
