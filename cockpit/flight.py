"""A run being flown: sources into the store, one picture a tick, requests into the state machine, writes through the levers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from cockpit.clock import Clock
from cockpit.errors import CockpitError, Drift, NotInControl
from cockpit.model.event import Event, EventType
from cockpit.model.json import Json
from cockpit.model.playbook import OnAbort, Promote
from cockpit.model.snapshot import Freshness, Snapshot
from cockpit.model.verdict import Outcome
from cockpit.redact import told
from cockpit.run import machine
from cockpit.run.assess import Judgement, frame, judge, permission
from cockpit.run.crew import ELSEWHERE, Crew, moves
from cockpit.run.drift import DriftWatch
from cockpit.run.executor import Guard, HalfWritten, set_phase
from cockpit.run.frame import Frame, Identity
from cockpit.run.logbook import Logbook
from cockpit.run.machine import Permit
from cockpit.run.rollback import Shared, left_in_words, roll_back
from cockpit.run.rolls import Rolls
from cockpit.run.shared.seat import Desk, Seat
from cockpit.run.shared.sharing import Role, Sharing
from cockpit.run.state import HoldBy, RunState, Stage
from cockpit.run.watchman import Watchman
from cockpit.run.work import Work
from cockpit.run.worth import Worth
from cockpit.sources.base import Sighted, Source
from cockpit.sources.pace import patience
from cockpit.store import Store, drive

SHOWN_EVENTS = 50
LONGEST = 5.0
"""Wall seconds between two ticks that count as soaked at most."""
SYNCING_TICK = 0.1
"""Wall seconds between ticks until every source has been heard from."""
LEFT_OVER = "an earlier run has changed this target and what is configured fits no phase of this playbook: roll back first"


class Flight:
    """Everything of one run but its screen. Requests answer with the reason why they cannot be met, empty when they are.

    `autopilot` promotes wherever the rules permit it; otherwise only phases with `promote: auto` leave by themselves.
    """

    def __init__(
        self,
        crew: Crew,
        sources: Sequence[Source],
        identity: Identity,
        clock: Clock,
        logbook: Logbook,
        *,
        autopilot: bool = False,
        tick_seconds: float = 0.5,
        blocked: str = "",
        on_close: Callable[[], Awaitable[None]] | None = None,
        desk: Desk | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        self.crew = crew
        self.clock = clock
        self.logbook = logbook
        self.identity = identity
        self.state = RunState(run=logbook.run, stage_at=clock.now())
        self.autopilot = autopilot
        self.blocked = blocked
        self.synced = asyncio.Event()
        """Every source has been read once, or has failed."""
        self._sources = sources
        self._on_close = on_close
        self.tick_seconds = tick_seconds
        self._store = Store(clock)
        self._frame: Frame | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._work = Work(self._work_failed)
        self._ticked = asyncio.Event()
        self._picked_up = False
        self._elsewhere = ""
        self._verdict: Judgement | None = None
        self._moved: set[str] = set()
        """The levers that this run has moved."""
        self._why_back = ""
        """The abort trigger that began the rollback; empty when a person did."""
        self._set_here = False
        """The phase that stands was set by this cockpit, not picked up."""
        self.worth = Worth()
        self.seat = Seat(desk, logbook)
        self._sharing = sharing
        self._goes_home = False
        """This cockpit has begun to roll back: from then on it follows nobody."""
        self._rolls = Rolls()
        self._watchman = Watchman(logbook, crew.playbook)
        self._drift = DriftWatch(logbook, crew.playbook, clock)
        self._shown: deque[Event] = deque(maxlen=SHOWN_EVENTS)
        for event in logbook.events:
            self._show(event)
        logbook.listen(self._show)

    # What a screen or a headless pilot asks for

    def frame(self) -> Frame | None:
        """The newest picture."""
        return self._frame

    async def next_tick(self) -> None:
        """Wait until the next tick has drawn its picture."""
        await self._ticked.wait()

    def events(self) -> tuple[Event, ...]:
        """The newest events, as many as are kept; the journal has them all."""
        return tuple(self.logbook.events)

    def promote(self, plan_hash: str | None) -> str:
        """Leave the phase for the next one, by the plan with this hash (None: whatever the playbook's plan is now)."""
        shown = self._frame
        if shown is None or self._verdict is None:
            return "nothing has been observed yet"
        # A picture is up to a tick old: what a key did since then counts as well.
        now = self._permission(self._verdict)
        if not (shown.promote.allowed and now.allowed):
            return "; ".join(now.why or shown.promote.why)
        if self.seat.two_person(self.state.current(self.crew.playbook)) and plan_hash is None and shown.next_plan:
            plan_hash = shown.next_plan.hash  # which is the one that was approved
        if (shown.state.stage, shown.state.phase) != (self.state.stage, self.state.phase):
            return "the run has moved on since this was shown: look again"
        following = self.state.following(self.crew.playbook)
        if following is None:
            self._complete()
            return ""
        if plan_hash is not None and (shown.next_plan is None or shown.next_plan.hash != plan_hash):
            return shown.next_why or "the world has changed since this plan was shown: look at it again"
        if self.state.phase >= 0:
            who = self.logbook.operator if plan_hash is not None else "autopilot"
            self.logbook.say(EventType.PROMOTED, f"{self.logbook.phase} promoted to {following.name}", to=following.name, who=who)
        self._set(self.state.phase + 1, plan_hash)
        return ""

    def hold(self) -> str:
        """Hold on the operator's word."""
        if self.state.stage.ended or self.state.stage in (Stage.READY, Stage.ROLLING_BACK):
            return f"nothing to hold: the run is {self.state.stage}"
        if not self.seat.responsible:
            return self.seat.waits()
        self._hold(HoldBy.OPERATOR, f"by {self.logbook.operator}")
        return ""

    def resume(self) -> str:
        """Let go of a hold. Writes nothing: a phase that could not be set waits for promote."""
        if self.state.hold is None:
            return "nothing holds"
        if not self.seat.responsible:
            return self.seat.waits()
        self.state = machine.resume(self.state)
        self._watchman.resumed()
        self._drift.resumed()
        if self.state.stage is Stage.SETTING and not self._work.under_way:
            self._fall_back()
        self.logbook.say(EventType.RESUMED, f"resumed by {self.logbook.operator}")
        return ""

    def roll_back(self, why: str = "") -> str:
        """Go home now; `why` says on whose word, an operator's when empty."""
        if self.state.stage is Stage.ROLLING_BACK and self._work.under_way:
            return "already rolling back"
        if self.identity.read_only:
            return self.identity.read_only_why or "this cockpit is read-only"
        self.logbook.brave = True
        self.state = machine.roll_back(self.state, self.clock.now())
        self._work.start(self._roll_back(), "rolling back")
        self._goes_home = True
        self.seat.take_along()
        who = "playbook" if why else self.logbook.operator
        act = "dry run, trying the rollback" if self.identity.dry_run else "rolling back"
        self.logbook.say(EventType.ROLLBACK_STARTED, f"{act}: {why or f'on the word of {who}'}", who=who)
        return ""

    def take_controls(self) -> str:
        """Take the controls, also from a cockpit that has them; an offer of one's own is taken back by it."""
        return self.seat.take()

    def hand_over(self, cockpit_id: str) -> str:
        """Offer the controls to the cockpit with this id; with an empty one hand them back to nobody."""
        return self.seat.hand_over(cockpit_id)

    def approve(self, plan_hash: str) -> str:
        """As the second person, approve the next phase's plan if it still is the one with this hash."""
        shown, phase = self._frame, self.state.current(self.crew.playbook)
        if shown is None or shown.next_plan is None or phase is None or shown.next_plan.hash != plan_hash:
            return "the world has changed since this plan was shown: look at it again"
        return self.seat.approve(self.state.run, phase.name, plan_hash)

    def key(self, key: str, meaning: str) -> None:
        """Record a key."""
        self.logbook.say(EventType.KEY, meaning, key=key)

    def _show(self, event: Event) -> None:
        """Keep what the newest events on the main screen are; verdicts come in crowds and have a panel of their own."""
        if event.type is not EventType.VERDICT:
            self._shown.append(event)

    # Life

    def start(self) -> None:
        """Begin to observe and to tick."""
        if self._sharing:
            self._sharing.keeper.start()
        for source in self._sources:
            self._store.register(source.names, source.stale_after)
            if isinstance(source, Sighted):
                source.sees(lambda: self._frame.snapshot if self._frame else None)
            self._tasks.append(asyncio.create_task(drive(source, self._store)))
        self._tasks.append(asyncio.create_task(self._ticking()))

    async def close(self) -> None:
        """Stop observing, after a write under way has ended. Nothing is changed in the world."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._work.stop()
        if self._sharing:
            await self._sharing.close()  # the last word, while the controls are still had
        await self.seat.close()
        if self._on_close:
            await self._on_close()
        self.logbook.close()

    def say_retrying(self, words: str) -> None:
        """A lever waits before it tries again; shown until its work is done."""
        self._work.waits_for = words
        self.logbook.say(EventType.SOURCE_FAULT, words, source="weights")

    async def _ticking(self) -> None:
        while True:
            try:
                self.tick()
            except Exception as error:
                # Whatever it is: a picture that stands still must not pass for a live one.
                self._broken(error)
            self._ticked.set()
            self._ticked = asyncio.Event()
            # Whoever waits for the first whole picture should not wait for a tick as well.
            await asyncio.sleep(self.tick_seconds if self.synced.is_set() else min(self.tick_seconds, SYNCING_TICK))

    def _broken(self, error: Exception) -> None:
        """A tick failed: hold, and show that on the last picture; rolling back still works, since it needs none."""
        words = told(f"internal error in judging: {type(error).__name__}: {error}", 300)
        self._hold(HoldBy.WRITE, words)
        self.state = replace(self.state, error=words)
        if self._frame:
            self._frame = replace(self._frame, state=self.state, promote=Permit(False, (words,)))

    def tick(self) -> None:
        """Draw one picture, and act on it as the playbook says."""
        snapshot = self._store.freeze()
        self._rolls.see(snapshot)
        flies = self._take_part(snapshot)
        verdict = self._verdict = judge(self.crew, snapshot, self.state, self._moved, self._rolls.rates)
        before = self.state.proven_at
        if flies:
            self._prove(snapshot, verdict)
        if self.state.proven_at is not before:
            # What was seen before the phase was proven says nothing about it: judge it from here on.
            verdict = self._verdict = judge(self.crew, snapshot, self.state, self._moved, self._rolls.rates)
        if flies:
            self.state = machine.tick(self.state, snapshot.monotonic, verdict.gates, patience(self.clock, LONGEST, LONGEST))
        self._watchman.notice(snapshot, self.state, verdict, flies=flies)
        if flies:
            self._abort(verdict)
        self._keep()
        allowed = self._permission(verdict)
        self.seat.notice()
        self._frame = frame(
            self.crew, self.identity, snapshot, self.state, verdict, allowed,
            events=tuple(self._shown), busy=self._work.words, retrying=self._waits_for(), worth=self.worth,
            judged=self._watchman.judged, controls=self.seat.view(),
            reconciled=self._sharing.reconciled if self._sharing else (),
        )  # fmt: skip
        known = self._sharing is None or self._sharing.keeper.known
        if known and all(s.freshness is not Freshness.UNSYNCED for s in snapshot.sources.values()):
            self.synced.set()
        if allowed.allowed and self.promotes_itself():
            self.promote(None)

    def _permission(self, verdict: Judgement) -> Permit:
        blocked = self.blocked or self._elsewhere or self.seat.waits()
        return permission(self.crew, self.state, verdict, busy=self._work.words, blocked=blocked, second=self._second_person())

    def _second_person(self) -> str:
        plan = self._frame.next_plan if self._frame else None
        last = self.state.following(self.crew.playbook) is None
        shown = None if last else plan.hash if plan else "once it can be made"
        return self.seat.second_person(self.state.run, self.state.current(self.crew.playbook), shown, self.clock.now())

    def _waits_for(self) -> str:
        return self._work.waits_for or (self._sharing.waits_for if self._sharing else "")

    def _take_part(self, snapshot: Snapshot) -> bool:
        """Whether this cockpit flies the run; where another one does, its state is followed."""
        role = self._sharing.role(going_home=self._goes_home) if self._sharing else Role.FLIES
        if self._sharing and role is Role.FOLLOWS and (followed := self._sharing.follow()):
            self.state, moved = followed
            self._moved, self._picked_up, self._set_here, self._elsewhere = set(moved), True, False, ""
        elif self._sharing and role is Role.PICKS_UP:
            if not self._work.under_way:
                self._work.start(self._take_over(self._sharing), "picking up the run")
        elif not self._goes_home and (self._sharing is None or self._sharing.keeper.known):
            self._pick_up(snapshot)
        if self._sharing and self._goes_home:
            self._sharing.claim_beside()
        return role is Role.FLIES

    async def _take_over(self, sharing: Sharing) -> None:
        """The controls have come to this cockpit: settle what was left to it, and go on where the run stands."""
        try:
            taken = await sharing.take_over(self.seat.fence())
        except NotInControl:
            return  # gone again, or not renewed in time: the next tick sees
        self._moved |= taken.moved
        if taken.state is not None:
            self.state, self._picked_up, self._set_here, self._elsewhere = taken.state, True, False, ""
            self._watchman.begin()
            self.logbook.say(EventType.PHASE_STARTED, taken.words)
            if hold := taken.state.hold:
                self.logbook.say(EventType.HELD, f"held: {hold.reason}", by=str(hold.by), reason=hold.reason)
        elif taken.hold:
            self._hold(HoldBy.DRIFT, taken.hold)

    def _keep(self) -> None:
        """Let every other cockpit know where the run stands."""
        if self._sharing:
            self._sharing.keep(self.state, self._moved)

    def _pick_up(self, snapshot: Snapshot) -> None:
        """Find a run that somebody left under way, once everything needed has been read."""
        if self._picked_up or self.state.stage is not Stage.READY or self.state.phase >= 0:
            return
        found = self.crew.located(snapshot)
        if found is None:
            return
        self._elsewhere = LEFT_OVER if found == ELSEWHERE else ""
        # As long as nothing is set somebody else may begin: then this cockpit follows.
        self._picked_up = found >= 0
        if found >= 0:
            self._moved |= self.crew.settings(found).keys()
            name = self.crew.playbook.phases[found].name
            self.logbook.phase = name
            begun = machine.written(machine.begin(self.state, found, self.clock.now()), self.clock.now())
            self.state = replace(begun, hold=self.state.hold)
            self.logbook.say(EventType.PHASE_STARTED, f"picked up at {name}, which is set already; its soak starts anew")

    def _prove(self, snapshot: Snapshot, verdict: Judgement) -> None:
        if self.state.stage is Stage.PROVING and (problem := self._watchman.stuck(snapshot, self.state)):
            self._hold(HoldBy.STUCK, problem)
        if self.state.stage is Stage.PROVING and self._watchman.holds(snapshot, verdict):
            took = (self.clock.now() - self.state.stage_at).total_seconds() if self.state.stage_at else 0.0
            self.state = machine.proven(self.state, self.clock.now())
            self.logbook.say(
                EventType.SOAK, f"{self.logbook.phase} proven in {took:.0f} s; soak begins", proven_in=round(took, 1)
            )
        if why := self._drift.look(snapshot, self.state, verdict):
            self._hold(HoldBy.DRIFT, why)

    def _abort(self, verdict: Judgement) -> None:
        phase = self.state.current(self.crew.playbook)
        fired = [v for v in verdict.aborts if v.outcome is Outcome.FAIL]
        half_written = self.state.stage is Stage.SETTING and not self._work.under_way
        under_way = self.state.stage in (Stage.PROVING, Stage.SOAKING) or half_written
        if not fired or phase is None or not under_way or self._watchman.aborted or not self.seat.responsible:
            return
        why = "; ".join(f"{v.gate}: {v.reason}" for v in fired)
        self._watchman.aborted = True
        self.logbook.say(EventType.ABORT_TRIGGERED, why, on_abort=str(phase.on_abort))
        way_back = verdict.readiness.verdict
        if phase.on_abort is not OnAbort.ROLLBACK or self.blocked:
            self._hold(HoldBy.ABORT, why)
        elif way_back.outcome is Outcome.FAIL:
            # Going back by itself onto a side that is known to be broken may be worse: that is for a person to decide.
            self._hold(HoldBy.ABORT, f"{why}; not rolled back, as the way back is NOT ready: {way_back.reason}")
        else:
            self._why_back = why
            self.roll_back("the playbook says so (on_abort: rollback)")

    def promotes_itself(self) -> bool:
        """The phase is left without a person: by the autopilot, or by `promote: auto` in a phase that this cockpit has set."""
        phase = self.state.current(self.crew.playbook)
        return self.autopilot or (self._set_here and phase is not None and phase.promote is Promote.AUTO)

    # Work in the world

    def _set(self, index: int, approved: str | None) -> None:
        phase = self.crew.playbook.phases[index]
        self.state = machine.begin(self.state, index, self.clock.now())
        self.logbook.phase = phase.name
        self._set_here = True
        self._watchman.begin()
        self._keep()
        act = "dry run, trying" if self.identity.dry_run else "setting"
        self.logbook.say(EventType.PHASE_STARTED, f"{act} {phase.name}")
        self._work.start(self._set_phase(index, approved), f"{act} {phase.name}")

    async def _set_phase(self, index: int, approved: str | None) -> None:
        phase, left = self.crew.playbook.phases[index], self.crew.playbook.phases[index - 1] if index else None
        try:
            guard = self._sharing.guard(self.seat.fence()) if self._sharing else Guard(self.seat.fence())
            await self.seat.use_word(left, approved)
            await set_phase(phase, self.crew, self.logbook, approved, guard)
        except HalfWritten as error:
            self._hold(HoldBy.WRITE, str(error))
        except CockpitError as error:
            self._fall_back()
            self._hold(HoldBy.DRIFT if isinstance(error, Drift) else HoldBy.WRITE, f"{phase.name} was not set: {error}")
        else:
            self._moved |= {name for name, _ in moves(phase)} if not self.identity.dry_run else set()
            after = machine.rehearsed if self.identity.dry_run else machine.written
            self.state = after(self.state, self.clock.now())

    def _fall_back(self) -> None:
        """Nothing of the phase stands: the one before it is where the run is."""
        self.state = machine.fall_back(self.state, self.clock.now())
        before = self.state.current(self.crew.playbook)
        self.logbook.phase = before.name if before else ""
        self._watchman.begin()

    async def _roll_back(self) -> None:
        keeper = self._sharing.keeper if self._sharing else None
        shared = Shared(keeper, keeper.originals) if keeper else Shared()
        outcome = await roll_back(self.crew, self.logbook, self.clock, shared=shared)
        if outcome.safe:
            back = "everything is configured as it was before the run, and was read back"
            tried = "a dry run: the rollback would be accepted; nothing was changed"
            words = tried if self.identity.dry_run else back + left_in_words(outcome)
            self.logbook.say(EventType.ROLLED_BACK, words, left=list(outcome.left))
            self._end(Stage.ROLLED_BACK, "rolled_back", self._why_back)
        else:
            self._end(Stage.FAILED, "failed", "; ".join(f"{k}: {v}" for k, v in outcome.failures.items()))

    def _complete(self) -> None:
        self.logbook.say(EventType.PROMOTED, f"{self.logbook.phase} was the last phase")
        self._end(
            Stage.COMPLETED, "completed", "a dry run: every write was accepted, nothing was kept" if self.identity.dry_run else ""
        )

    def _end(self, stage: Stage, outcome: str, words: str = "") -> None:
        self.state = machine.end(self.state, stage, self.clock.now(), words if stage is not Stage.COMPLETED else "")
        self.say_finished(f"{outcome}: {words}" if words else outcome, outcome=outcome)

    def say_finished(self, message: str, **fields: Json) -> None:
        """Say that the run is over for this cockpit, with what it found out about price-performance."""
        worth = self.worth.words(self.crew.playbook)
        fields |= self.worth.fields(self.crew.playbook)
        self.logbook.say(EventType.RUN_FINISHED, f"{message}; {worth}" if worth else message, **fields)

    def _hold(self, by: HoldBy, reason: str) -> None:
        before = self.state.hold
        self.state = machine.hold(self.state, by, reason, self.clock.now())
        if self.state.hold is not before:
            self.logbook.say(EventType.HELD, f"held: {reason}", by=str(by), reason=reason)

    def _work_failed(self, error: BaseException) -> None:
        """Work ended by an error that nobody foresaw: say so, and never look as if it were still under way."""
        words = told(f"internal error: {type(error).__name__}: {error}", 300)
        if self.state.stage is Stage.ROLLING_BACK:
            self._end(Stage.FAILED, "failed", words)
            return
        self.state = replace(self.state, error=words)
        self._hold(HoldBy.WRITE, words)
