"""The ConfigMap of a run's record in memory: several keepers on one, each with a watch of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from cockpit.clock import Clock
from cockpit.controls.document import Document, Stored
from cockpit.errors import Conflict
from cockpit.model.plan import Write
from cockpit.run.shared.intent import Intent
from cockpit.run.shared.record import Record
from cockpit.run.state import RunState, Stage
from tests.factories import PLAYBOOK

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SHA = "f" * 64
RUN = "payments-api-20261121T000000Z-ffff"


class MemoryDocument(Document):
    """`writes` counts how often it was written."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self.stored = Stored(dict(texts), "1") if texts else None
        self.writes = 0
        self._watches: list[asyncio.Queue[Stored | None]] = []

    async def read(self) -> Stored | None:
        await asyncio.sleep(0)
        return self.stored

    async def write(self, texts: Mapping[str, str], over: Stored | None) -> Stored:
        await asyncio.sleep(0)
        if (over.version if over else "") != (self.stored.version if self.stored else ""):
            raise Conflict("somebody else has written", status=409)
        self.writes += 1
        self.stored = Stored(dict(texts), str(self.writes + 1))
        for watch in self._watches:
            watch.put_nowait(self.stored)
        return self.stored

    async def watch(self, clock: Clock, random: Random) -> AsyncGenerator[Stored | None, None]:
        told: asyncio.Queue[Stored | None] = asyncio.Queue()
        self._watches.append(told)
        yield self.stored
        while True:
            yield await told.get()

    @property
    def record(self) -> Record:
        assert self.stored is not None
        return Record.parse(self.stored.texts)


def left(*intents: Intent, stage: Stage = Stage.SOAKING, **changes: object) -> Record:
    """What zoe has left in the first phase, under epoch 1."""
    state = RunState(RUN, stage, 0, stage_at=NOW, phase_at=NOW, proven_at=NOW)
    record = Record(state, "payments-api", SHA, PLAYBOOK.phases[0].name, 1, "zoe@gone", intents=intents)
    return replace(record, **changes)  # type: ignore[arg-type]


def intent(name: str, lever: str, before: str, after: str) -> Intent:
    return Intent(name, Write(lever, lever, before, after), 1)


async def settled() -> None:
    """Everything that can go on without a clock has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)
