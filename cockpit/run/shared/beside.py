"""What a rollback without a screen does beside going home: it takes the controls, and lets every other cockpit know.

Nothing here is waited for before a write; what does not answer is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from cockpit.clock import Clock, WallClock
from cockpit.controls.desk import Desk
from cockpit.errors import CockpitError
from cockpit.model.json import Json
from cockpit.run import machine
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import Shared
from cockpit.run.shared.keeper import Keeper
from cockpit.run.shared.record import Record
from cockpit.run.state import RunState, Stage

PATIENCE = 5.0
"""Wall seconds to wait for the record, where a target has lost its own; and at the end, until it is written."""
AGAIN = 2.0


class Beside:
    """`desk` must not be started yet. Use from one event loop: `start`, then `close` with what came of it."""

    def __init__(self, keeper: Keeper, desk: Desk, logbook: Logbook, clock: Clock) -> None:
        self._keeper = keeper
        self._desk = desk
        self._logbook = logbook
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._resting = False

    @property
    def shared(self) -> Shared:
        """For `roll_back`."""
        return Shared(self._keeper, self._originals)

    def start(self) -> None:
        """Begin."""
        self._keeper.start()
        self._desk.start()
        self._task = asyncio.create_task(self._take())

    async def close(self, *, safe: bool) -> None:
        """Save what came of it, which the logbook has been told, hand the controls back, and leave.

        A rollback may be over before the record answers: an attempt that is under way is waited for.
        """
        if self._task:
            await asyncio.wait([self._task], timeout=0 if self._resting else PATIENCE)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._keep(Stage.ROLLED_BACK if safe else Stage.FAILED)
        await self._keeper.close(PATIENCE)
        await self._desk.close()

    async def _take(self) -> None:
        while await self._desk.take():
            await self._rest()
        while not self._keeper.claimed:
            try:
                record = await self._keeper.claim()
            except CockpitError:
                await self._rest()
            else:
                if record:
                    self._go_with(record)

    async def _rest(self) -> None:
        self._resting = True
        await WallClock().sleep(AGAIN)
        self._resting = False

    def _go_with(self, record: Record) -> None:
        """From now on this is part of that run; what was said before goes into its history as well."""
        past = tuple(self._logbook.events)
        self._logbook.move(record.run, None)
        for event in past:
            self._keeper.hear(replace(event, run=record.run))
        self._logbook.listen(self._keeper.hear)
        self._keep(Stage.ROLLING_BACK)

    def _keep(self, stage: Stage) -> None:
        record = self._keeper.record
        if record is None or not self._keeper.claimed:
            return
        state: RunState = machine.end(record.state, stage, self._clock.now())
        self._keeper.keep(state, record.phase, record.moved)

    async def _originals(self) -> Mapping[str, Mapping[str, tuple[Json, Json]]]:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._keeper.heard.wait()
        return await self._keeper.originals()
