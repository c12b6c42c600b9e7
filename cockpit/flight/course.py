"""Where the run stands for this cockpit, and what every part of a flight may do about it: hold, go on, come to an end."""

from __future__ import annotations

from dataclasses import replace

from cockpit.clock import Clock
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.playbook import Phase
from cockpit.redact import told
from cockpit.run import machine
from cockpit.run.crew import Crew
from cockpit.run.drift import DriftWatch
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.shared.seat import Seat
from cockpit.run.shared.sharing import Sharing
from cockpit.run.state import HoldBy, RunState, Stage
from cockpit.run.watchman import Watchman
from cockpit.run.work import Work
from cockpit.run.worth import Worth


class Course:
    """The state of the run, with the one piece of work that may be under way and whoever watches over it.

    `blocked` is why nothing may be written, whatever the rules say; empty when it may.
    """

    def __init__(
        self,
        crew: Crew,
        identity: Identity,
        clock: Clock,
        logbook: Logbook,
        seat: Seat,
        sharing: Sharing | None = None,
        *,
        blocked: str = "",
    ) -> None:
        self.crew = crew
        self.identity = identity
        self.clock = clock
        self.logbook = logbook
        self.seat = seat
        self.sharing = sharing
        self.blocked = blocked
        self.state = RunState(run=logbook.run, stage_at=clock.now())
        self.moved: set[str] = set()
        """The levers that this run has moved."""
        self.set_here = False
        """The phase that stands was set by this cockpit, not picked up."""
        self.goes_home = False
        """This cockpit has begun to roll back: from then on it follows nobody."""
        self.why_back = ""
        """The abort trigger that began the rollback; empty when a person did."""
        self.worth = Worth()
        self.work = Work(self._work_failed)
        self.watchman = Watchman(logbook, crew.playbook)
        self.drift = DriftWatch(logbook, crew.playbook, clock)

    @property
    def phase(self) -> Phase | None:
        """The phase that stands or is being set; None before the first one."""
        return self.state.current(self.crew.playbook)

    def hold(self, by: HoldBy, reason: str) -> None:
        """Hold, and say so unless it is held already."""
        before = self.state.hold
        self.state = machine.hold(self.state, by, reason, self.clock.now())
        if self.state.hold is not before:
            self.logbook.say(EventType.HELD, f"held: {reason}", by=str(by), reason=reason)

    def resume(self) -> None:
        """Let go of a hold. Writes nothing: a phase that could not be set waits for promote."""
        self.state = machine.resume(self.state)
        self.watchman.resumed()
        self.drift.resumed()
        if self.state.stage is Stage.SETTING and self.phase and not self.work.under_way:
            self.fall_back()
        self.logbook.say(EventType.RESUMED, f"resumed by {self.logbook.operator}")

    def fall_back(self) -> None:
        """Nothing of the phase stands: the one before it is where the run is."""
        self.state = machine.fall_back(self.state, self.clock.now())
        self.logbook.phase = self.phase.name if self.phase else ""
        self.watchman.begin()

    def keep(self) -> None:
        """Let every other cockpit know where the run stands."""
        if self.sharing:
            self.sharing.keep(self.state, self.moved)

    def complete(self) -> None:
        """The last phase has been left."""
        self.logbook.say(EventType.PROMOTED, f"{self.logbook.phase} was the last phase")
        tried = "a dry run: every write was accepted, nothing was kept"
        self.end(Stage.COMPLETED, "completed", tried if self.identity.dry_run else "")

    def end(self, stage: Stage, outcome: str, words: str = "") -> None:
        """The run is over, in this stage; `words` say more about the outcome."""
        self.state = machine.end(self.state, stage, self.clock.now(), words if stage is not Stage.COMPLETED else "")
        self.say_finished(f"{outcome}: {words}" if words else outcome, outcome=outcome)

    def say_finished(self, message: str, **fields: Json) -> None:
        """Say that the run is over for this cockpit, with what it found out about price-performance."""
        worth = self.worth.words(self.crew.playbook)
        fields |= self.worth.fields(self.crew.playbook)
        self.logbook.say(EventType.RUN_FINISHED, f"{message}; {worth}" if worth else message, **fields)

    def say_retrying(self, words: str) -> None:
        """A lever waits before it tries again; shown until its work is done."""
        self.work.waits_for = words
        self.logbook.say(EventType.SOURCE_FAULT, words, source="weights")

    @property
    def waits_for(self) -> str:
        """Why the work under way takes so long; empty when it does not."""
        return self.work.waits_for or (self.sharing.waits_for if self.sharing else "")

    def _work_failed(self, error: BaseException) -> None:
        """Work ended by an error that nobody foresaw: say so, and never look as if it were still under way."""
        words = told(f"internal error: {type(error).__name__}: {error}", 300)
        if self.state.stage is Stage.ROLLING_BACK:
            self.end(Stage.FAILED, "failed", words)
            return
        self.state = replace(self.state, error=words)
        self.hold(HoldBy.WRITE, words)
