"""Keeps the record of a run in the cluster: whoever has the controls writes it, everybody else follows it.

It is only ever written over the version that was read, and never over one of a higher epoch or of another run than the one that
was claimed with the controls: so a cockpit that has lost them, and does not know it yet, can begin no other write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from random import Random

from cockpit.clock import Clock, WallClock
from cockpit.controls.document import Document, Stored
from cockpit.errors import CockpitError, Conflict, NotFound, NotInControl, Refused, Unreachable
from cockpit.levers.base import Fence
from cockpit.model.event import Event
from cockpit.model.json import Json, canonical
from cockpit.model.pin import Pin
from cockpit.run.shared.intent import Intent, Unreadable
from cockpit.run.shared.pacing import Pacing
from cockpit.run.shared.record import Record
from cockpit.run.state import RunState, Stage

AGAIN = 1.0
"""Wall seconds until a saving that failed is tried again."""
TRIES = 3
NOWHERE = Pin()
_CLAIM = {"epoch", "holder"}
"""All that is there of a record when the controls were taken before any run began."""
ASIDE = "unreadable.json"
"""The texts of a record that could not be read, beside the one that came after it: what undoes a run may be in there."""
_GOING_HOME = (Stage.ROLLING_BACK, Stage.ROLLED_BACK, Stage.FAILED)


class Keeper:
    """The record of the run of one playbook, `sha256` being that of its text. Without a `fence` it is only read.

    `holder` is who writes it. Times are the run's clock's; `wall` is for what waits on the network.
    """

    def __init__(
        self,
        document: Document,
        clock: Clock,
        playbook: str,
        sha256: str,
        holder: str,
        fence: Fence | None = None,
        pin: Pin = NOWHERE,
        wall: Clock | None = None,
    ) -> None:
        self.sha256 = sha256
        self.pin = pin
        """Where this cockpit is, which goes into what it records."""
        self.record: Record | None = None
        """The newest that is known; None when there is none, or it cannot be read."""
        self.heard = asyncio.Event()
        """It was read once, or could not be."""
        self.fault = ""
        """Why it cannot be read or written now; empty while it can."""
        self.claimed = False
        """This cockpit writes it."""
        self._document = document
        self._clock = clock
        self._wall = wall or WallClock()
        self._playbook = playbook
        self._holder = holder
        self._fence = fence
        self._claimed_at = 0
        self._stored: Stored | None = None
        self._newest: Stored | None = None
        self._seen = False
        self._aside: dict[str, str] = {}
        self._past: tuple[Event, ...] = ()
        self._pacing = Pacing(clock, self._wall)
        self._lock = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def known(self) -> bool:
        """It was read once, or could not be."""
        return self.heard.is_set()

    @property
    def writes(self) -> bool:
        """It may be claimed at all."""
        return self._fence is not None

    @property
    def outdated(self) -> bool:
        """It was claimed under controls that this cockpit has lost since, and has again: others may have written in between."""
        try:
            return self.claimed and self._epoch() != self._claimed_at
        except NotInControl:
            return False

    def start(self) -> None:
        """Begin to watch, and to save what is told from now on."""
        self._tasks = [asyncio.create_task(self._watch(), name="record-watch"), asyncio.create_task(self._write(), name="record")]

    async def close(self, patience: float = 2.0) -> None:
        """Save what is not saved yet, for `patience` wall seconds at most, and stop."""
        # A saving that hangs on a dead connection would be waited for.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.claimed and self._pacing.pending:
            with suppress(CockpitError, TimeoutError):
                async with asyncio.timeout(patience):
                    await self._flush()

    # Taking it over

    async def claim(self) -> Record | None:
        """Make it this cockpit's to write, under the epoch of its controls: the record as it was before, None without one.

        After that nobody of an older epoch can add to it, or make one where there is none: the epoch alone is left there.
        NotInControl, Unreachable and the like; an unreadable record is none, with the reason in `fault`.
        """
        async with self._lock:
            for _ in range(TRIES):
                with suppress(Conflict, NotFound):
                    return await self._claim()
        raise Unreachable("the record of the run in the cluster changes all the time")

    async def _claim(self) -> Record | None:
        epoch = self._epoch()
        stored = await self._document.read()
        before, self.fault = _parsed(stored)
        self.heard.set()
        if stored and stored.epoch > epoch:
            raise NotInControl(f"{stored.holder} has taken the controls after this cockpit (epoch {stored.epoch})")
        mine = replace(before, epoch=epoch, holder=self._holder, sequence=before.sequence + 1) if before else None
        there = dict(stored.texts) if stored else {}
        self._aside = _set_aside(there) if self.fault else {key: there[key] for key in (ASIDE,) if key in there}
        texts = mine.as_texts() | self._aside if mine else {**there, "epoch": str(epoch), "holder": self._holder}
        self._seen = False
        self._stored = await self._document.write(texts, stored)
        self.record, self.claimed, self._claimed_at = mine, True, epoch
        return before

    def let_go(self) -> None:
        """The controls are gone: from now on only follow, at once what was seen of whoever writes it now."""
        self.claimed = False
        if self._seen:
            self._stored = self._newest
            self.record, self.fault = _parsed(self._newest)

    # What the holder tells

    def begin(self, state: RunState, past: Iterable[Event]) -> None:
        """A new run begins, of which `past` has happened so far. What a completed one has left behind stays known."""
        if not self.claimed or (self.record and self.record.run == state.run):
            return
        fresh = Record(state, self._playbook, self.sha256, holder=self._holder, pin=self.pin)
        if self.record:
            self._aside = {}
            kept = () if self.record.state.stage is Stage.ROLLED_BACK else self.record.originals
            fresh = replace(fresh, originals=kept, sequence=self.record.sequence)
        for event in past:
            fresh = fresh.heard(event)
        self.record = fresh
        self._pacing.mark(urgent=True)

    def keep(self, state: RunState, phase: str, moved: Iterable[str] = ()) -> None:
        """Where the run stands now. Saved at once when more than its soak has changed, else every now and then."""
        if not self.claimed or self.record is None:
            return
        now = replace(state, ticked=None)
        if now.stage in _GOING_HOME:
            now = replace(now, run=self.record.run)  # whoever rolls back may never have heard of the run
        if now.run != self.record.run:
            return
        before, self.record = self.record, replace(self.record, state=now, phase=phase, moved=tuple(sorted(moved)))
        if now.stage is Stage.ROLLED_BACK:
            self.record = replace(self.record, intents=())  # everything was read back
        if now.stage is not before.state.stage:
            self._pacing.mark(urgent=True)
        longer = now.soaked != before.state.soaked and self._pacing.due
        if longer or replace(now, soaked=0.0) != replace(before.state, soaked=0.0):
            self._pacing.mark()

    def hear(self, event: Event) -> None:
        """An event of the run."""
        if not self.claimed or self.record is None or event.run != self.record.run:
            return
        longer = self.record.heard(event)
        if longer is not self.record:
            self.record = longer
            self._pacing.mark()

    async def intend(self, intent: Intent) -> None:
        """Record a write that is about to be made. Refused when that cannot be done, NotInControl when it is not ours to do."""
        if not self.claimed or self.record is None:
            raise NotInControl("nothing was written: the record of the run in the cluster is not this cockpit's to write")
        self.record = self.record.intending(intent)
        try:
            await self._flush()
        except BaseException as error:
            self.settle(intent, done=False)
            if isinstance(error, CockpitError) and not isinstance(error, NotInControl):
                raise Refused(f"nothing was written: its intent cannot be recorded in the cluster ({error})") from error
            raise

    def note(self, intent: Intent) -> None:
        """Record a write of the way back as soon as may be."""
        if self.claimed and self.record:
            self.record = self.record.intending(intent)
            self._pacing.mark(urgent=True)

    def settle(self, intent: Intent, *, done: bool) -> None:
        """The outcome of a write is known."""
        if self.claimed and self.record:
            self.record = self.record.settled(intent, done=done)
            self._pacing.mark(urgent=True)

    async def originals(self) -> Mapping[str, Mapping[str, tuple[Json, Json]]]:
        """What stood on each lever's targets before the run and what the run has left there; empty when that is not known."""
        found: dict[str, dict[str, tuple[Json, Json]]] = {}
        mine = self.record if self.record and not self.record.pin.contradicted(self.pin) else None
        for kept in mine.originals if mine else ():
            found.setdefault(kept.lever, {})[kept.target] = kept.before, kept.after
        return found

    # The tasks

    def _epoch(self) -> int:
        if self._fence is None:
            raise NotInControl("this cockpit only looks")
        return self._fence()

    def _same_epoch(self) -> int:
        """The epoch of the claim. What was told under it is worth nothing once somebody else has had the controls."""
        if (epoch := self._epoch()) != self._claimed_at:
            self.let_go()
            raise NotInControl(f"the controls were lost in between (epoch {self._claimed_at}, now {epoch}): nothing was written")
        return epoch

    async def _watch(self) -> None:
        async with aclosing(self._document.watch(self._clock, Random())) as found:  # noqa: S311 (spreads retries)
            async for one in found:
                self.heard.set()
                if isinstance(one, CockpitError):
                    self.fault = str(one)
                    continue
                self._newest, self._seen = one, True
                if not self.claimed:
                    self._stored = one
                    self.record, self.fault = _parsed(one)

    async def _write(self) -> None:
        while True:
            await self._pacing.wait()
            if not self._pacing.pending:
                continue  # saved with an intent meanwhile
            try:
                await self._flush()
            except CockpitError as error:
                # Controls that could not be renewed in time may come back; `let_go` says when they are gone.
                self.fault = str(error)
                await self._wall.sleep(AGAIN)

    async def _flush(self) -> None:
        """Save the record as it is when its turn comes."""
        async with self._lock:
            for _ in range(TRIES):
                if not self.claimed or self.record is None:
                    self._pacing.sent()
                    return
                try:
                    await self._save(self.record)
                except (Conflict, NotFound):
                    await self._look_again(self.record)
                else:
                    return
        raise Unreachable("the record of the run in the cluster changes all the time")

    async def _save(self, record: Record) -> None:
        record = replace(record, epoch=self._same_epoch(), sequence=record.sequence + 1)
        self._pacing.sent()
        try:
            self._stored = await self._document.write(record.as_texts() | self._aside, self._stored)
        except BaseException:  # cancelled, too: whether it has arrived is not known
            self._pacing.mark()
            raise
        finally:
            # What was sent may have arrived: the next one must not have its number.
            if self.record and self.claimed:
                self.record = replace(self.record, epoch=record.epoch, sequence=record.sequence)
        self._pacing.saved()
        self.fault = ""

    async def _look_again(self, mine: Record) -> None:
        """Somebody else has written, or an answer was lost: go on only if what is there now is still this cockpit's."""
        stored = await self._document.read()
        there, _ = _parsed(stored)
        if stored and stored.epoch > self._claimed_at:
            self._lost_to(stored)
            raise NotInControl(f"{stored.holder} has taken the controls (epoch {stored.epoch}): nothing was written")
        if there and there.run != mine.run and not there.ended:
            self._lost_to(stored)
            raise NotInControl(f"{there.holder} had begun another run ({there.run}): nothing was written; look again")
        self._stored = stored

    def _lost_to(self, stored: Stored | None) -> None:
        """Somebody else writes it now. What was watched may be newer than what was just read, never of a lower epoch then."""
        if not self._seen or (stored and (self._newest is None or self._newest.epoch < stored.epoch)):
            self._newest, self._seen = stored, True
        self.let_go()


def _set_aside(texts: Mapping[str, str]) -> dict[str, str]:
    """The same under one key, for whoever has to find out by hand what was in there."""
    return {ASIDE: canonical({key: text for key, text in texts.items() if key not in _CLAIM | {ASIDE}})}


def _parsed(stored: Stored | None) -> tuple[Record | None, str]:
    if stored is None or not set(stored.texts) - _CLAIM:
        return None, ""
    try:
        return Record.parse(stored.texts), ""
    except Unreadable as error:
        return None, str(error)
