"""What a screen or a headless pilot has of a run: its pictures, what it may ask for, and its beginning and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from cockpit.clock import Clock
from cockpit.flight.acts import Acts
from cockpit.flight.course import Course
from cockpit.flight.ticker import Ticker
from cockpit.model.event import Event, EventType
from cockpit.model.playbook import Promote
from cockpit.model.snapshot import Freshness, Snapshot
from cockpit.rules.kept import forget
from cockpit.run.crew import Crew
from cockpit.run.frame import Frame, Identity
from cockpit.run.logbook import Logbook
from cockpit.run.observing import Observing
from cockpit.run.portability import record_use
from cockpit.run.shared.seat import Desk, Seat
from cockpit.run.shared.sharing import Sharing
from cockpit.run.state import HoldBy, RunState, Stage
from cockpit.sources.base import Heeding, Sighted, Source

SYNCING_TICK = 0.1
"""Wall seconds between ticks until every source has been heard from."""


class Flight:
    """Everything of one run but its screen. Requests answer with the reason why they cannot be met, empty when they are.

    `autopilot` promotes wherever the rules permit it; otherwise only phases with `promote: auto` leave by themselves.
    `audit` asks for another portability audit. `observing` has begun with sources that are not among `sources`.
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
        audit: Callable[[], str] | None = None,
        observing: Observing | None = None,
    ) -> None:
        self.crew = crew
        self.clock = clock
        self.logbook = logbook
        self.seat = Seat(desk, logbook)
        self.course = Course(crew, identity, clock, logbook, self.seat, sharing, blocked=blocked)
        self.autopilot = autopilot
        self.tick_seconds = tick_seconds
        self.synced = asyncio.Event()
        """Every source has been read once, or has failed."""
        self.between_ticks: Callable[[bool], None] = lambda busy: None  # noqa: ARG005 (a name for callers)
        """Called after every tick, when nobody waits; with whether something is being written."""
        self._sources = sources
        self.sharing = sharing
        self._on_close = on_close
        self._audit = audit
        self._observing = observing or Observing(clock)
        self._store = self._observing.store
        self._acts = Acts(self.course)
        self._ticker = Ticker(self.course, self._acts)
        self._ticking_task: asyncio.Task[None] | None = None
        self._ticked = asyncio.Event()

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return self.course.state

    @property
    def identity(self) -> Identity:
        """Who is in charge of what."""
        return self.course.identity

    def frame(self) -> Frame | None:
        """The newest picture."""
        return self._ticker.frame

    async def next_tick(self) -> None:
        """Wait until the next tick has drawn its picture."""
        await self._ticked.wait()

    def events(self) -> tuple[Event, ...]:
        """The newest events, as many as are kept; the journal has them all."""
        return tuple(self.logbook.events)

    # What may be asked for

    def promote(self, plan_hash: str | None) -> str:
        """Leave the phase for the next one, by the plan with this hash (None: without a person, by the plan that is shown)."""
        shown, verdict = self._ticker.frame, self._ticker.verdict
        if shown is None or verdict is None:
            return "nothing has been observed yet"
        # A picture is up to a tick old: what a key did since then counts as well.
        now = self._ticker.permission(verdict)
        if not (shown.promote.allowed and now.allowed):
            return "; ".join(now.why or shown.promote.why)
        if (shown.state.stage, shown.state.phase) != (self.state.stage, self.state.phase):
            return "the run has moved on since this was shown: look again"
        following = self.state.following(self.crew.playbook)
        if following is None:
            self.course.complete()
            return ""
        # Nothing is planned from what nobody has judged: what stands there may be somebody's way back.
        if shown.next_plan is None or plan_hash not in (None, shown.next_plan.hash):
            return shown.next_why or "the world has changed since this plan was shown: look at it again"
        if self.state.phase >= 0:
            who = self.logbook.operator if plan_hash is not None else "autopilot"
            act = "would be promoted to" if self.identity.dry_run else "promoted to"
            self.logbook.say(EventType.PROMOTED, f"{self.logbook.phase} {act} {following.name}", to=following.name, who=who)
        else:
            record_use(self.logbook, self.crew.playbook, shown.snapshot)
        self._acts.set_phase(self.state.phase + 1, shown.next_plan.hash)
        return ""

    def promotes_itself(self) -> bool:
        """The phase is left without a person: by the autopilot, or by `promote: auto` in a phase that this cockpit has set."""
        phase = self.course.phase
        return self.autopilot or (self.course.set_here and phase is not None and phase.promote is Promote.AUTO)

    def hold(self) -> str:
        """Hold on the operator's word."""
        if self.state.stage.ended or self.state.stage in (Stage.READY, Stage.ROLLING_BACK):
            return f"nothing to hold: the run is {self.state.stage}"
        if not self.seat.responsible:
            return self.seat.waits()
        self.course.hold(HoldBy.OPERATOR, f"by {self.logbook.operator}")
        return ""

    def resume(self) -> str:
        """Let go of a hold. Writes nothing: a phase that could not be set waits for promote."""
        if self.state.hold is None:
            return "nothing holds"
        if not self.seat.responsible:
            return self.seat.waits()
        self.course.resume()
        return ""

    def roll_back(self) -> str:
        """Go home now, on the operator's word."""
        return self._acts.roll_back()

    def take_controls(self) -> str:
        """Take the controls, also from a cockpit that has them; an offer of one's own is taken back by it."""
        return self.seat.take()

    def hand_over(self, cockpit_id: str) -> str:
        """Offer the controls to the cockpit with this id; with an empty one hand them back to nobody."""
        return self.seat.hand_over(cockpit_id)

    def approve(self, plan_hash: str) -> str:
        """As the second person, approve the next phase's plan if it still is the one with this hash."""
        shown, phase = self.frame(), self.course.phase
        if shown is None or shown.next_plan is None or phase is None or shown.next_plan.hash != plan_hash:
            return "the world has changed since this plan was shown: look at it again"
        return self.seat.approve(self.state.run, phase.name, plan_hash)

    def audit(self) -> str:
        """Audit portability again, now."""
        return self._audit() if self._audit else "there is nobody to audit here"

    def key(self, key: str, meaning: str) -> None:
        """Record a key."""
        self.logbook.say(EventType.KEY, meaning, key=key)

    # Life

    def start(self) -> None:
        """Begin to observe and to tick."""
        if self.sharing:
            self.sharing.keeper.start()
        for source in self._sources:
            if isinstance(source, Sighted):
                source.sees(self._seen)
            if isinstance(source, Heeding):
                source.heeds(lambda: self.state.phase >= 0, lambda: self.state.stage is Stage.ROLLING_BACK)
            self._observing.begin([source])
        self._ticking_task = asyncio.create_task(self._ticking())

    async def close(self) -> None:
        """Stop observing, after a write under way has ended. Nothing is changed in the world."""
        if self._ticking_task:
            self._ticking_task.cancel()
            await asyncio.gather(self._ticking_task, return_exceptions=True)
        await self._observing.aclose()
        await self.course.work.stop()
        if self.sharing:
            if self.course.goes_home:
                await self.sharing.catch_up()
            self.course.keep()  # what has happened since the last tick, as a run's end
            await self.sharing.close()  # the last word, while the controls are still had
        await self.seat.close()
        if self._on_close:
            await self._on_close()
        self.logbook.close()
        forget()

    def tick(self) -> None:
        """Draw one picture, and act on it as the playbook says."""
        snapshot = self._store.freeze()
        allowed = self._ticker.tick(snapshot)
        known = self.sharing is None or self.sharing.keeper.known
        if known and all(s.freshness is not Freshness.UNSYNCED for s in snapshot.sources.values()):
            self.synced.set()
        if allowed.allowed and self.promotes_itself():
            self.promote(None)

    async def _ticking(self) -> None:
        while True:
            try:
                self.tick()
            except Exception as error:
                # Whatever it is: a picture that stands still must not pass for a live one.
                self._ticker.broken(error)
            self._ticked.set()
            self._ticked = asyncio.Event()
            self.between_ticks(bool(self.course.work.words))
            # Whoever waits for the first whole picture should not wait for a tick as well.
            await asyncio.sleep(self.tick_seconds if self.synced.is_set() else min(self.tick_seconds, SYNCING_TICK))

    def _seen(self) -> Snapshot | None:
        shown = self.frame()
        return shown.snapshot if shown else None
