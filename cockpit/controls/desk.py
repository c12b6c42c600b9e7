"""The desk of one cockpit: whether it has the controls, who else is there, and everything that a person can do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from cockpit.clock import Clock, UnsleepingClock
from cockpit.controls.api import Api, Place
from cockpit.controls.approvals import Approvals
from cockpit.controls.hold import Floor, Hold, Over
from cockpit.controls.lease import LEASE_SECONDS, RETRY_SECONDS
from cockpit.controls.presence import Presence
from cockpit.controls.reviews import username
from cockpit.errors import CockpitError, NotInControl
from cockpit.model.controls import Approval, Cockpit, Controls, Standing

PATIENCE = 2.0
"""Seconds for which leaving waits until the controls are handed back: without an answer the others wait for the Lease to end."""
ASK_AGAIN = 30.0
LOST_SECONDS = 30.0
"""How long it is said that somebody took the controls from here; whose they are is always known."""
Fence = Callable[[], int]


async def _nothing() -> int:
    return 0


class Desk:
    """One cockpit's part in the controls of a playbook's run. `start` it in an event loop; nothing here raises but the fences.

    `claim` says from whom it takes the controls at the start; None observes, and then nothing is ever written. `calendar` stamps
    dates for people, `clock` counts the seconds of the Lease on the wall. With `two_person` second persons' words are looked for.
    """

    def __init__(
        self,
        api: Api,
        place: Place,
        me: Cockpit,
        calendar: Clock,
        *,
        clock: Clock | None = None,
        floor: Floor = _nothing,
        claim: Over | None = Over.NOBODY,
        two_person: bool = False,
    ) -> None:
        self.opened = asyncio.Event()
        """The controls were taken at the start, or it is known why not."""
        self.looked_round = asyncio.Event()
        """It was asked once who else is there."""
        self._api = api
        self._clock = clock or UnsleepingClock()
        self._calendar = calendar
        self._claim = claim
        self._hold = Hold(api, place, me, self._clock, calendar, floor)
        self._presence = Presence(api, place, self._clock, calendar)
        self._approvals = Approvals(api, place) if two_person else None
        self._claiming = claim is not None
        self._holder: Cockpit | None = None
        self._had = False
        self._lost = ""
        self._lost_at = 0.0
        self.tasks: list[asyncio.Task[None]] = []
        """What goes on by itself between `start` and `close`."""

    def start(self) -> None:
        """Begin: take the controls when nobody has them, renew them, see who is there."""
        work = [self._tend(), self._see_others()] + ([self._introduce()] if self._claim else [])
        self.tasks = [asyncio.create_task(one) for one in work]

    # What is known

    def view(self) -> Controls:
        """What is known now. It may change with the seconds alone."""
        hold = self._hold
        record, standing = hold.record, self._standing()
        return Controls(
            standing=standing,
            me=hold.me,
            holder=self._holder if self._claim else self._now_held_by(),
            epoch=hold.epoch,
            since=record.since if record else None,
            watchers=self._presence.others if self._holder is None else self._without(self._holder),
            offered_to=record.offered_to if record else "",
            approval=self._approvals.approval if self._approvals else None,
            why=self._why(standing),
        )

    @property
    def responsible(self) -> bool:
        """The run is this cockpit's to look after: the controls are its own, even while they cannot be renewed."""
        return self._hold.named

    def fence(self) -> int:
        """The epoch under which this cockpit may write now. NotInControl when it may not, saying who has the controls."""
        if self._hold.mine:
            return self._hold.epoch
        raise NotInControl(self.stands_in_the_way())

    def bound(self) -> Fence:
        """A fence for one piece of work: it holds for the epoch of now alone, however often the controls come back later."""
        epoch = self.fence()

        def same() -> int:
            if (now := self.fence()) != epoch:
                raise NotInControl(f"the controls were lost since this began (epoch {epoch}, now {now}): nothing more is written")
            return epoch

        return same

    def stands_in_the_way(self) -> str:
        """Why this cockpit may not write now; empty when it may."""
        standing = self._standing()
        if standing is Standing.MINE:
            return ""
        if standing is Standing.THEIRS:
            return f"{self._holder.operator if self._holder else 'somebody else'} has the controls: t takes them"
        if standing is Standing.FREE:
            return "nobody has the controls: t takes them"
        if standing is Standing.NONE:
            return "this cockpit only observes"
        return self._why(standing) or "who has the controls is not known yet"

    # What a person does

    async def take(self) -> str:
        """Take the controls, also from somebody who is there; an offer of one's own is withdrawn. Why not, empty when taken."""
        if self._claim is None:
            return "this cockpit only observes"
        self._claiming = False
        why = await self._hold.take()
        self._notice()
        return why

    async def hand_over(self, to: str) -> str:
        """Offer the controls to the cockpit with this id, whose `take` accepts; empty hands them back. Why not, else empty."""
        if not to:
            return await self.release()
        if self._hold.mine and to not in [other.id for other in self._presence.others]:
            return "no such cockpit is watching"
        return await self._hold.offer(to)

    async def release(self) -> str:
        """Hand the controls back to nobody; this cockpit watches from then on. Why not, else empty."""
        why = await self._hold.release()
        self._had = self._had and bool(why)
        self._notice()
        return why

    async def approve(self, run: str, phase: str, plan_hash: str) -> str:
        """As the second person, approve exactly this plan. Why not, else empty."""
        me, standing = self._hold.me, self._standing()
        if self._approvals is None or self._claim is None:
            return "nothing here waits for a second person" if self._claim else "this cockpit only observes"
        if standing is not Standing.THEIRS or self._holder is None:
            return "a second person approves in their own cockpit, while somebody else has the controls"
        if not me.user:
            return "the API server has not said yet who you are: try again"
        if me.user == self._holder.user:
            return f"{me.user} has the controls, and you are {me.user} as well: it takes the credentials of another person"
        try:
            await self._approvals.give(Approval(run, phase, plan_hash, me.operator, me.user, self._calendar.now()))
        except CockpitError as error:
            return f"the approval could not be written: {error}"
        return ""

    async def use(self, approval: Approval) -> None:
        """Use up the second person's word, before the promotion that it allows. NotInControl and the like when it is gone."""
        if self._approvals:
            await self._approvals.use(approval, self._hold.me.user)

    async def close(self) -> None:
        """Leave: hand the controls back and say good-bye, as far as the API server answers soon."""
        for task in self.tasks:
            task.cancel()
        if self._claim is None:
            return
        leaving = [asyncio.ensure_future(self._leave())]
        _, late = await asyncio.wait(leaving, timeout=PATIENCE)
        for task in late:
            task.cancel()

    # What goes on by itself

    async def _tend(self) -> None:
        while True:
            try:
                await self._turn()
            except Exception as error:
                # Whatever it is: the controls lapse unless they are renewed, so this goes on.
                self._hold.fault = f"internal error: {type(error).__name__}: {error}"
                self.opened.set()
            await self._clock.sleep(RETRY_SECONDS)

    async def _turn(self) -> None:
        if self._claim is None:
            await self._hold.look()
        elif self._claiming:
            await self._begin(self._claim)
        else:
            await self._hold.attend()
        self._notice()
        if not self._claiming or self._hold.fault:
            self.opened.set()

    async def _begin(self, claim: Over) -> None:
        taken = not await self._hold.take(claim)
        waits = bool(self._hold.fault) or (claim is Over.SILENT and not self._hold.alive)
        # Somebody may have pressed a key meanwhile.
        self._claiming = self._claiming and not taken and waits

    async def _see_others(self) -> None:
        while True:
            # Whatever one of them raises: that one is tried again, and the others go on.
            with suppress(Exception):
                await self._presence.look(self._hold.me, sweep=self._hold.mine)
            with suppress(Exception):
                if self._approvals:
                    await self._approvals.read()
            with suppress(Exception):
                if self._claim:
                    await self._presence.show(self._hold.me)
            self.looked_round.set()
            await self._clock.sleep(RETRY_SECONDS)

    async def _introduce(self) -> None:
        while True:
            with suppress(Exception):
                user = await username(self._api)
                self._hold.me = replace(self._hold.me, user=user)
            if self._hold.me.user:
                return
            await self._clock.sleep(ASK_AGAIN)

    def _notice(self) -> None:
        """Say once who took the controls from this cockpit."""
        hold = self._hold
        now = hold.record.holder if hold.record else None
        self._holder = now or self._holder
        if self._had and not hold.named and hold.known:
            self._lost_at = self._clock.monotonic()
            self._lost = f"{now.operator} took the controls" if now else "the controls were taken from this cockpit"
        elif hold.named:
            self._lost = ""
        self._had = hold.named

    async def _leave(self) -> None:
        with suppress(CockpitError):
            await asyncio.gather(self._hold.release(), self._presence.leave())

    def _standing(self) -> Standing:
        hold = self._hold
        if self._claim is None:
            return Standing.NONE
        if hold.mine:
            return Standing.MINE
        if hold.named or not hold.known:
            return Standing.UNKNOWN
        if hold.record is not None and hold.record.holder is not None and not hold.expired:
            return Standing.THEIRS
        return Standing.UNKNOWN if self._claiming else Standing.FREE  # about to be taken

    def _why(self, standing: Standing) -> str:
        hold = self._hold
        if standing is Standing.NONE:
            return "" if hold.known else hold.fault
        if standing is Standing.UNKNOWN and hold.named:
            return f"not renewed for {hold.lapsed or 0.0:.0f} s{f' ({hold.fault})' if hold.fault else ''}"
        if standing is Standing.UNKNOWN:
            return hold.fault
        if standing is Standing.FREE and hold.expired and self._holder:
            return f"{self._holder.operator} was not heard from for {LEASE_SECONDS} s"
        lately = self._clock.monotonic() - self._lost_at < LOST_SECONDS
        return self._lost if lately and standing in (Standing.THEIRS, Standing.FREE) else ""

    def _now_held_by(self) -> Cockpit | None:
        """For who takes none: the holder, and nobody once the Lease was handed back or has ended."""
        hold = self._hold
        return hold.record.holder if hold.record and hold.known and not hold.expired else None

    def _without(self, holder: Cockpit) -> tuple[Cockpit, ...]:
        held = self._standing() in (Standing.THEIRS, Standing.MINE)
        return tuple(other for other in self._presence.others if not (held and other.id == holder.id))
