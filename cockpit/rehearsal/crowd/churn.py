"""Changes of a crowd: heartbeats, agents that are confirmed Ready, pods that fail and recover, and pods that are replaced."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from random import Random

from cockpit.clock import Clock
from cockpit.rehearsal.crowd.collection import Collection
from cockpit.rehearsal.crowd.rows import Phase, Row, packed

TICK = 0.02
"""Wall seconds between changes, which so come evenly within a second."""
_HEARTBEATS, _AGENTS, _READINESS = 0.3, 0.7, 0.95
"""Of all changes 30% are of nodes, 40% of DaemonSets' pods, 25% of the readiness of other pods, 5% deletions and creations."""
_AT_ONCE = 16
"""So many pods are not ready, and so many away, before the first of them comes back."""


class Churn:
    """Makes changes; the same seed makes the same ones. `agents` and `others` are ranges of slots of the pods."""

    def __init__(self, nodes: Collection, pods: Collection, agents: Sequence[range], others: Sequence[range], seed: int) -> None:
        self._nodes, self._pods = nodes, pods
        self._agents, self._others = _Pick(agents), _Pick(others)
        self._random = Random(f"churn {seed}")
        self._unready: deque[int] = deque()
        self._away: deque[int] = deque()

    async def run(self, clock: Clock, events: int) -> None:
        """So many changes a wall second, until cancelled. What could not be made within a second is left out."""
        if not events:
            return
        loop = asyncio.get_running_loop()
        last, owed = loop.time(), 0.0
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            owed, last = min(owed + (now - last) * events, float(events)), now
            self.change(int(owed), int(clock.now().timestamp()))
            owed -= int(owed)

    def change(self, count: int, when: int) -> None:
        """Make so many changes at this second of the epoch, then tell."""
        for _ in range(count):
            self._one(when)
        if count:
            self._nodes.tell()
            self._pods.tell()

    def _one(self, when: int) -> None:
        draw, place = self._random.random(), self._random.random()
        if draw < _HEARTBEATS or not (self._agents.total or self._others.total):
            self._touch(self._nodes, int(place * len(self._nodes.rows)), when)
        elif draw < _AGENTS or not self._others.total:
            self._touch(self._pods, self._agents.at(place), when)
        elif draw < _READINESS:
            self._turn(self._unready, Phase.UNREADY, self._others.at(place), when)
        else:
            self._turn(self._away, Phase.ABSENT, self._others.at(place), when)

    def _touch(self, collection: Collection, slot: int, when: int) -> None:
        collection.put(slot, when, collection.rows.states[slot])

    def _turn(self, waiting: deque[int], phase: Phase, slot: int, when: int) -> None:
        """Something happens to a pod that is ready; or, when it has happened to enough of them, ends for the first of those."""
        row = self._pods.rows.row(slot)
        if len(waiting) >= _AT_ONCE or (row.phase is not Phase.READY and waiting):
            self._back(self._pods.rows.row(waiting.popleft()), when)
        elif row.phase is Phase.READY:
            waiting.append(slot)
            self._pods.put(slot, when, packed(row.born, row.generation, phase))
        else:
            self._touch(self._nodes, slot % len(self._nodes.rows), when)

    def _back(self, row: Row, when: int) -> None:
        born, generation = (when, row.generation + 1) if row.absent else (row.born, row.generation)
        self._pods.put(row.slot, when, packed(born, generation, Phase.READY))


class _Pick:
    """A slot of several ranges, by a number in [0, 1)."""

    def __init__(self, ranges: Sequence[range]) -> None:
        self._ranges = [r for r in ranges if r]
        self.total = sum(len(r) for r in self._ranges)

    def at(self, place: float) -> int:
        """The slot at this part of them."""
        index = int(place * self.total)
        for slots in self._ranges:
            if index < len(slots):
                return slots[index]
            index -= len(slots)
        raise IndexError(place)
