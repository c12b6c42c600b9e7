"""A flight's part in the controls: what needs them, what a second person has to say, and what is told when they change hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from cockpit.clock import WallClock
from cockpit.errors import NotInControl
from cockpit.levers.base import Fence
from cockpit.model.controls import Approval, Controls, Standing
from cockpit.model.event import EventType
from cockpit.model.playbook import Phase, Promote
from cockpit.run.logbook import Logbook

VALID = timedelta(minutes=15)
"""A second person's word is void after this."""
REFUSED_SECONDS = 20.0
"""How long it is shown that something that a person asked for was refused."""
ALONG_SECONDS = 2.0
"""Between two attempts of a rollback to take the controls beside it."""


class Desk(Protocol):
    """What a flight needs of `controls.desk.Desk`."""

    @property
    def responsible(self) -> bool:
        """The run is this cockpit's to look after."""
        ...

    def view(self) -> Controls:
        """What is known now."""
        ...

    def bound(self) -> Fence:
        """A fence for one piece of work. NotInControl when this cockpit may not write."""
        ...

    def stands_in_the_way(self) -> str:
        """Why this cockpit may not write now; empty when it may."""
        ...

    async def take(self) -> str:
        """Take the controls; why not, else empty."""
        ...

    async def hand_over(self, to: str) -> str:
        """Offer the controls, or hand them back (empty); why not, else empty."""
        ...

    async def approve(self, run: str, phase: str, plan_hash: str) -> str:
        """Give the second person's word; why not, else empty."""
        ...

    async def use(self, approval: Approval) -> None:
        """Use the second person's word up. NotInControl and the like when it is gone."""
        ...

    async def close(self) -> None:
        """Leave."""
        ...


class Seat:
    """Without a desk nothing is shared: this cockpit is alone with its run, or only observes, and needs no controls."""

    def __init__(self, desk: Desk | None, logbook: Logbook) -> None:
        self._desk = desk
        self._logbook = logbook
        self._wall = WallClock()
        self._refused = ""
        self._refused_at = 0.0
        self._told: tuple[Standing, int] = (Standing.NONE, 0)
        self._asked: set[asyncio.Task[None]] = set()

    def view(self) -> Controls:
        """What is known of the controls; what a person asked for and did not get is said in `why`."""
        if self._desk is None:
            return Controls()
        seen = self._desk.view()
        refused = self._refused if self._wall.monotonic() - self._refused_at < REFUSED_SECONDS else ""
        return replace(seen, why="; ".join(filter(None, (refused, seen.why))))

    @property
    def responsible(self) -> bool:
        """The run is this cockpit's to look after: abort triggers act here, and a person may hold it here."""
        return self._desk is None or self._desk.responsible

    def waits(self) -> str:
        """Why this cockpit may not promote now; empty when it may."""
        return self._desk.stands_in_the_way() if self._desk else ""

    def fence(self) -> Fence | None:
        """The fence for the writes of one phase. NotInControl when this cockpit may not write."""
        return self._desk.bound() if self._desk else None

    # What a person asks for: begun at once; what comes of it is seen in `view`.

    def take(self) -> str:
        """Take the controls. Why that cannot be begun, else empty."""
        return self._begin(lambda desk: desk.take())

    def hand_over(self, to: str) -> str:
        """Offer the controls to the cockpit with this id, or hand them back to nobody. Why that cannot be begun, else empty."""
        return (self.waits() if not self.responsible else "") or self._begin(lambda desk: desk.hand_over(to))

    def approve(self, run: str, phase: str, plan_hash: str) -> str:
        """Give the second person's word. Why that cannot be begun, else empty."""
        return self._begin(lambda desk: desk.approve(run, phase, plan_hash))

    def take_along(self) -> None:
        """Take the controls beside a rollback, which does not wait for them; tried until they are had or the flight closes."""
        if self._desk is not None:
            self._start(self._along(self._desk))

    # The second person

    def second_person(self, run: str, phase: Phase | None, plan_hash: str | None, now: datetime) -> str:
        """Why a second person's word is still needed for leaving `phase` by that plan; None writes nothing and needs nothing."""
        if phase is None or not self.two_person(phase) or plan_hash is None:
            return ""
        if self._desk is None:
            return "two_person: a second engineer approves in their own cockpit, and this one shares nothing"
        return why_not(self._desk.view(), run, phase.name, plan_hash, now)

    def two_person(self, phase: Phase | None) -> bool:
        """The phase is left only with a second person's word."""
        return phase is not None and phase.promote is Promote.TWO_PERSON

    async def use_word(self, phase: Phase | None, plan_hash: str | None) -> None:
        """Use up the word that allowed to leave `phase` by this plan. NotInControl and the like when it is gone."""
        word = self._desk.view().approval if self._desk else None
        if self._desk is None or not self.two_person(phase):
            return
        if word is None or word.plan_hash != plan_hash:
            raise NotInControl("the second person's word is gone")
        await self._desk.use(word)

    # What goes on by itself

    def notice(self) -> None:
        """Say it in the log when the controls have changed hands."""
        if self._desk is None:
            return
        seen = self._desk.view()
        now = (seen.standing, seen.epoch)
        if now == self._told or (seen.standing is Standing.UNKNOWN and not seen.why):
            return
        changed, self._told = self._told[0] is not seen.standing or seen.standing is Standing.THEIRS, now
        if changed:
            holder = seen.holder.operator if seen.holder else ""
            self._logbook.say(EventType.CONTROLS, words(seen), standing=str(seen.standing), epoch=seen.epoch, holder=holder)

    async def close(self) -> None:
        """Hand the controls back and leave."""
        for task in self._asked:
            task.cancel()
        if self._desk:
            await self._desk.close()

    def _begin(self, ask: Callable[[Desk], Awaitable[str]]) -> str:
        if self._desk is None:
            return "this cockpit takes no controls"
        self._refused = ""
        self._start(self._answered(ask(self._desk)))
        return ""

    async def _answered(self, asked: Awaitable[str]) -> None:
        self._refused = await asked
        self._refused_at = self._wall.monotonic()

    async def _along(self, desk: Desk) -> None:
        while await desk.take():
            await WallClock().sleep(ALONG_SECONDS)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)


def why_not(seen: Controls, run: str, phase: str, plan_hash: str, now: datetime) -> str:
    """Why the second person's word does not stand for exactly this plan, and what they would do; empty when it does."""
    word = seen.approval
    asked = f"second person: another engineer presses p in their own cockpit to approve plan {plan_hash}"
    if word is None or (word.run, word.phase) != (run, phase):
        return asked
    if word.plan_hash != plan_hash:
        return f"{asked} ({word.operator} approved plan {word.plan_hash}, which is no longer this one)"
    if abs(now - word.at) > VALID:
        return f"{asked} (the word of {word.operator} is older than {VALID.seconds // 60} min)"
    if seen.me is None or not seen.me.user:
        return "second person: the API server has not said yet who you are"
    if word.user == seen.me.user:
        return f"{asked} (this word is by {word.user}, which is you)"
    return ""


def words(seen: Controls) -> str:
    """Whose the controls are, as a sentence for the log."""
    holder = seen.holder.operator if seen.holder else "somebody else"
    because = f": {seen.why}" if seen.why else ""
    return {
        Standing.MINE: f"{holder} has the controls (epoch {seen.epoch})",
        Standing.THEIRS: f"{holder} has the controls (epoch {seen.epoch}); this cockpit watches",
        Standing.FREE: f"nobody has the controls{because}",
        Standing.UNKNOWN: f"the controls are lost{because}: nothing is written from here but a rollback",
        Standing.NONE: "this cockpit takes no controls",
    }[seen.standing]
