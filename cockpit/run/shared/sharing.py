"""One cockpit's part in a run that several see: it flies, or it follows whoever does, or it picks the run up from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from cockpit.clock import Clock, WallClock
from cockpit.errors import CockpitError, NotInControl, Unauthorized
from cockpit.levers.base import Fence
from cockpit.model.event import Event, EventType
from cockpit.run.crew import Crew
from cockpit.run.executor import Guard
from cockpit.run.logbook import Logbook
from cockpit.run.shared.journals import go_on_with, left_behind
from cockpit.run.shared.keeper import Keeper
from cockpit.run.shared.pickup import phase_index, pick_up
from cockpit.run.shared.reconcile import reconcile
from cockpit.run.shared.reconciled import Reconciled
from cockpit.run.shared.record import Record
from cockpit.run.state import RunState, Stage

LOOK_AGAIN = 2.0
"""Wall seconds until a picking up that failed is tried again."""

_NOTHING_TO_TELL = (Stage.READY, Stage.COMPLETED, Stage.ROLLED_BACK)


class Role(StrEnum):
    """What a tick is to do with the run's state."""

    FLIES = "flies"
    """Its own machine runs."""
    FOLLOWS = "follows"
    """The state is the holder's, as the record tells it."""
    WATCHES = "watches"
    """There is no record to follow; nothing goes on by itself here."""
    PICKS_UP = "picks up"
    """The controls have come to this cockpit, and it has not settled yet what was left to it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was picked up: the state to go on from (None: there is no run to go on with), and which levers it has moved.

    `hold` is a reason to hold that has nothing to do with the state.
    """

    state: RunState | None = None
    words: str = ""
    moved: frozenset[str] = frozenset()
    hold: str = ""


class Sharing:
    """The record of the run as a flight uses it. `responsible` says whether the controls are this cockpit's.

    `context` is the kubeconfig context, by which this machine's journals are told apart.
    """

    def __init__(
        self, keeper: Keeper, crew: Crew, logbook: Logbook, clock: Clock, responsible: Callable[[], bool], context: str = ""
    ) -> None:
        self.keeper = keeper
        self.reconciled: tuple[Reconciled, ...] = ()
        """What became of the writes that were left without an outcome when this cockpit took over."""
        self.waits_for = ""
        """Why picking up takes so long; empty when it does not."""
        self._crew = crew
        self._logbook = logbook
        self._clock = clock
        self._wall = WallClock()
        self._responsible = responsible
        self._context = context
        self._unshared = False
        self._followed = ""
        self._heard = 0
        self._relaying = False
        self._beside: asyncio.Task[None] | None = None
        logbook.listen(self._tell)

    def role(self, *, going_home: bool) -> Role:
        """What this cockpit is to do now; whoever goes home flies, with or without the controls."""
        responsible = self.keeper.writes and self._responsible()
        if not responsible and self.keeper.claimed:
            self.keeper.let_go()
        if going_home:
            return Role.FLIES
        if responsible:
            return Role.FLIES if self.keeper.claimed or self._unshared else Role.PICKS_UP
        if self._to_follow():
            return Role.FOLLOWS
        return Role.WATCHES if self.keeper.writes or not self.keeper.known else Role.FLIES

    def _to_follow(self) -> Record | None:
        record = self.keeper.record
        if record is None or (record.ended and record.run != self._followed):
            return None
        return record

    def follow(self) -> tuple[RunState, frozenset[str]] | None:
        """The holder's state, and the levers that the run has moved; their events are told. None when there is none to follow."""
        record = self._to_follow()
        if record is None:
            return None
        self._go_with(record)
        index = phase_index(record, self._crew.playbook)
        state = replace(record.state, phase=record.state.phase if index is None else index, ticked=None)
        return state, frozenset(record.moved)

    def _go_with(self, record: Record) -> None:
        """Tell what has happened since this cockpit heard of the run last."""
        if record.run != self._followed:
            self._followed, self._heard = record.run, 0
            self._logbook.move(record.run, None)
        self._logbook.phase = record.phase
        self._relaying = True
        try:
            for event in record.after(self._heard):
                self._logbook.hear(event)
        finally:
            self._relaying = False
        self._heard = record.told

    def keep(self, state: RunState, moved: Collection[str]) -> None:
        """Save where the run stands, if that is this cockpit's to do. A run that has begun without a record gets one."""
        keeper = self.keeper
        if not keeper.claimed:
            return
        if (keeper.record is None or keeper.record.ended) and state.stage not in _NOTHING_TO_TELL:
            keeper.begin(state, self._logbook.events)
        keeper.keep(state, self._logbook.phase, moved)

    def claim_beside(self) -> None:
        """Claim the record for a rollback, which goes on meanwhile, once the controls are had."""
        if self._beside is None and not self.keeper.claimed and self.keeper.writes and self._responsible():
            self._beside = asyncio.create_task(self._claim_beside(), name="record-claim")

    async def _claim_beside(self) -> None:
        try:
            record = await self.keeper.claim()
            if record and not record.ended:
                self._logbook.move(record.run, None)
        except CockpitError:
            await self._wall.sleep(LOOK_AGAIN)
        finally:
            self._beside = None

    async def close(self) -> None:
        """Save the last word and stop."""
        if self._beside:
            self._beside.cancel()
            await asyncio.gather(self._beside, return_exceptions=True)
        await self.keeper.close()

    def guard(self, fence: Fence | None) -> Guard:
        """What stands around a phase's writes."""
        return Guard(fence, self.keeper if self.keeper.writes else None)

    async def take_over(self, fence: Fence | None) -> Taken:
        """Make the run this cockpit's: claim its record, settle what was left open, and say where it goes on.

        Tries until it is answered. NotInControl when the controls are gone again.
        """
        said = ""
        while True:
            try:
                return await self._take_over(self.guard(fence))
            except NotInControl:
                raise
            except Unauthorized as error:
                # Without the record there still is the way of annotations; but no phase can be set.
                self._unshared = True
                self._say(f"the run cannot be shared with other cockpits: {error}")
                return Taken()
            except CockpitError as error:
                said = self._say(f"the run cannot be picked up yet: {error}", said)
            await self._wall.sleep(LOOK_AGAIN)

    async def _take_over(self, guard: Guard) -> Taken:
        record = await self.keeper.claim()
        if self.keeper.fault:
            self._say(f"{self.keeper.fault}; going by what is configured")
        if record is None:
            taken = await self._from_journal(guard)
        elif record.ended:
            taken = Taken()
        else:
            taken = await self._from_record(record, guard)
        self.waits_for = ""
        return taken

    async def _from_record(self, record: Record, guard: Guard) -> Taken:
        if record.run != self._logbook.run or record.run != self._followed:
            self._logbook.move(record.run, go_on_with(record.run))
        self._go_with(record)
        told = await reconcile(record.intents, self._crew, self._logbook, self._clock, guard)
        self.reconciled = (*self.reconciled, *told)
        located = await self._crew.locate() if record.state.stage is Stage.SETTING else None
        picked = pick_up(record, self._crew.playbook, self.keeper.sha256, located, self.reconciled, self._clock.now())
        return Taken(picked.state, picked.words, frozenset(record.moved))

    async def _from_journal(self, guard: Guard) -> Taken:
        """Without a record: what this machine's own journal has left open."""
        left = left_behind(self._crew.playbook.name, self._context, but=self._logbook.run)
        if left is None or not left.intents:
            return Taken()
        self._logbook.move(left.run, go_on_with(left.run))
        told = await reconcile(left.intents, self._crew, self._logbook, self._clock, guard)
        self.reconciled = (*self.reconciled, *told)
        return Taken(hold="; ".join(one.words for one in told if one.found == "contradicted"))

    def _say(self, words: str, said: str = "") -> str:
        """Say it once, and show it while it lasts."""
        self.waits_for = words
        if words != said:
            self._logbook.say(EventType.SOURCE_FAULT, words, source="run record")
        return words

    def _tell(self, event: Event) -> None:
        if not self._relaying:
            self.keeper.hear(event)
            if self.keeper.claimed and self.keeper.record:
                self._heard = self.keeper.record.told
