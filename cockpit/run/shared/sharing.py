"""One cockpit's part in a run that several see: it flies, or it follows whoever does, or it picks the run up from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from cockpit.clock import Clock, WallClock
from cockpit.errors import CockpitError, Forbidden, NotFound, NotInControl
from cockpit.journal import Journal
from cockpit.levers.base import Fence, Found
from cockpit.model.event import Event, EventType
from cockpit.run.crew import Crew
from cockpit.run.executor import Guard
from cockpit.run.logbook import Logbook
from cockpit.run.shared.journals import LeftBehind, go_on_with, left_behind
from cockpit.run.shared.keeper import Keeper
from cockpit.run.shared.pickup import Place, no_such_phase, pick_up, standing
from cockpit.run.shared.reconcile import look, reconcile, settle
from cockpit.run.shared.reconciled import Reconciled
from cockpit.run.shared.record import Record
from cockpit.run.state import RunState, Stage

CATCH_UP = 3.0
SOON = 0.05
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

    `context` is the kubeconfig context, by which this machine's journals are told apart; None: the cluster has just been made,
    and no journal tells of it.
    """

    def __init__(
        self,
        keeper: Keeper,
        crew: Crew,
        logbook: Logbook,
        clock: Clock,
        responsible: Callable[[], bool],
        context: str | None = "",
    ) -> None:
        self.keeper = keeper
        self.reconciled: tuple[Reconciled, ...] = ()
        """What became of the writes that were left without an outcome when this cockpit took over last."""
        self.unknown = ""
        """Why nobody can go on from the run's phase with this playbook; empty when one can."""
        self.waits_for = ""
        """Why picking up takes so long; empty when it does not."""
        self._crew = crew
        self._logbook = logbook
        self._clock = clock
        self._wall = WallClock()
        self._responsible = responsible
        self._context = context
        self._unshared = False
        self._unread = False
        self._settled = False
        self._followed = ""
        self._heard = 0
        self._relaying = False
        self._beside: asyncio.Task[None] | None = None
        logbook.listen(self._tell)

    def role(self, *, going_home: bool) -> Role:
        """What this cockpit is to do now; whoever goes home flies, with or without the controls."""
        responsible = self.keeper.writes and self._responsible()
        if self.keeper.claimed and (not responsible or self.keeper.outdated):
            self.keeper.let_go()
        if going_home:
            return Role.FLIES
        if responsible:
            return Role.FLIES if (self.keeper.claimed and self._settled) or self._unshared else Role.PICKS_UP
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
        self.unknown = no_such_phase(record, self._crew.playbook)
        return standing(record, self._crew.playbook), frozenset(record.moved)

    def _go_with(self, record: Record) -> None:
        """Tell what has happened since this cockpit heard of the run last."""
        if record.run != self._followed:
            self._followed, self._heard = record.run, 0
            self._join(record.run, None)
        self._logbook.phase = record.phase
        self._relaying = True
        try:
            for event in record.after(self._heard):
                # Whose the controls are is seen here as well, and was told before the record could tell it.
                if event.type is not EventType.CONTROLS or not self._heard:
                    self._logbook.hear(event)
        finally:
            self._relaying = False
        self._heard = record.told

    def _join(self, run: str, journal: Journal | None) -> None:
        """Go on in the name of this run: what is told, and what is written."""
        self._logbook.move(run, journal)
        self._crew.sign(run)

    def keep(self, state: RunState, moved: Collection[str]) -> None:
        """Save where the run stands, if that is this cockpit's to do. A run that has begun without a record gets one."""
        keeper = self.keeper
        if not keeper.claimed or (self._unread and state.hold):
            return  # what nobody could read is replaced only once a person has looked
        self._unread = False
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
                self._join(record.run, None)
        except CockpitError:
            await self._wall.sleep(LOOK_AGAIN)
        finally:
            self._beside = None

    async def catch_up(self) -> None:
        """Claim the record for a way back that has outrun it, so that its end can be told; for a few wall seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP):
                while self.keeper.writes and (self.role(going_home=True), self.keeper.claimed) != (Role.FLIES, True):
                    self.claim_beside()
                    await self._wall.sleep(SOON)

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
        said, self._settled = "", False
        while True:
            try:
                taken = await self._take_over(self.guard(fence))
                self._settled = True
                return taken
            except NotInControl:
                raise
            except CockpitError as error:
                said = self._say(f"the run cannot be picked up yet: {error}", said)
            await self._wall.sleep(LOOK_AGAIN)

    async def _take_over(self, guard: Guard) -> Taken:
        try:
            record = await self.keeper.claim()
        except Forbidden as error:
            # Without the record there still is the way of annotations; but no phase can be set.
            self._unshared = True
            self._say(f"the run cannot be shared with other cockpits: {error}")
            return Taken()
        unread, self.unknown, self.reconciled = self.keeper.fault if record is None else "", "", ()
        if record is None:
            taken = await self._from_journal(guard)
        elif record.ended:
            taken = Taken()
        else:
            taken = await self._from_record(record, guard)
        self.waits_for, self._unread = "", bool(unread)
        if unread:
            words = f"{unread}: look at it, then resume to go by what is configured; its old text is kept beside the new one"
            taken = replace(taken, hold="; ".join(filter(None, (words, taken.hold))))
        return taken

    async def _from_record(self, record: Record, guard: Guard) -> Taken:
        if record.run != self._logbook.run or record.run != self._followed:
            self._join(record.run, go_on_with(record.run))
        self._go_with(record)
        # What a record of another place has left open must not be looked for in this one.
        open_here = () if record.pin.contradicted(self.keeper.pin) else record.intents
        answers = await look(open_here, self._crew, guard)
        located = await self._located() if record.state.stage is Stage.SETTING else None
        # From here on nothing is awaited: an intent is settled in the record together with the hold that it leads to.
        self.reconciled = settle(answers, self._logbook, self._clock, guard)
        place = Place(self.keeper.sha256, self.keeper.pin, located)
        playbook = self._crew.playbook
        self.unknown = no_such_phase(record, playbook)
        picked = pick_up(record, playbook, place, self.reconciled, self._clock.now())
        phase = picked.state.current(playbook)
        self.keeper.keep(picked.state, phase.name if phase else record.phase, record.moved)
        return Taken(picked.state, picked.words, frozenset(record.moved))

    async def _located(self) -> int | None:
        """As `Crew.locate`; None when one of the targets is not there any more."""
        try:
            return await self._crew.locate()
        except NotFound:
            return None

    async def _from_journal(self, guard: Guard) -> Taken:
        """Without a record: what this machine's own journal has left open."""
        left = None if self._context is None else self._left_here(self._context)
        if left is None:
            return Taken()
        if left.intents:
            self._join(left.run, go_on_with(left.run))
            self.reconciled = await reconcile(left.intents, self._crew, self._logbook, self._clock, guard)
        wrong = [one.words for one in self.reconciled if one.found == Found.CONTRADICTED]
        return Taken(hold="; ".join(filter(None, (left.fault, *wrong))))

    def _left_here(self, context: str) -> LeftBehind | None:
        return left_behind(self._crew.playbook.name, context, self._logbook.run, self.keeper.pin)

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
                # Whoever loses the controls follows their own run from here on, to its end.
                self._followed, self._heard = self.keeper.record.run, self.keeper.record.told
