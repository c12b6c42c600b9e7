"""What a flight does in the world: set a phase, or go home."""

from __future__ import annotations

from cockpit.errors import CockpitError, Drift
from cockpit.flight.course import Course
from cockpit.model.event import EventType
from cockpit.run import machine
from cockpit.run.crew import moves
from cockpit.run.executor import Guard, HalfWritten, set_phase
from cockpit.run.rollback import Shared, left_in_words, roll_back
from cockpit.run.state import HoldBy, Stage


class Acts:
    """Begins the work and says how it ended. Nothing is awaited by who asks."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def set_phase(self, index: int, approved: str) -> None:
        """Begin to set a phase, by the plan with this hash."""
        course = self._course
        phase = course.crew.playbook.phases[index]
        course.state = machine.begin(course.state, index, course.clock.now())
        course.logbook.phase = phase.name
        course.set_here = True
        course.watchman.begin()
        course.keep()
        act = "dry run, trying" if course.identity.dry_run else "setting"
        course.logbook.say(EventType.PHASE_STARTED, f"{act} {phase.name}")
        course.work.start(self._set_phase(index, approved), f"{act} {phase.name}")

    def roll_back(self, why: str = "") -> str:
        """Go home now; `why` says on whose word, an operator's when empty. Why that cannot be begun, else empty."""
        course = self._course
        if course.state.stage is Stage.ROLLING_BACK and course.work.under_way:
            return "already rolling back"
        if course.identity.read_only:
            return course.identity.read_only_why or "this cockpit is read-only"
        course.logbook.brave = True
        course.state = machine.roll_back(course.state, course.clock.now())
        course.work.start(self._roll_back(), "rolling back")
        course.goes_home = True
        course.seat.take_along()
        who = "playbook" if why else course.logbook.operator
        act = "dry run, trying the rollback" if course.identity.dry_run else "rolling back"
        course.logbook.say(EventType.ROLLBACK_STARTED, f"{act}: {why or f'on the word of {who}'}", who=who)
        return ""

    async def _set_phase(self, index: int, approved: str) -> None:
        course, phases = self._course, self._course.crew.playbook.phases
        phase, left = phases[index], phases[index - 1] if index else None
        try:
            fence = course.seat.fence()
            guard = course.sharing.guard(fence) if course.sharing else Guard(fence)
            await course.seat.use_word(left, approved)
            await set_phase(phase, course.crew, course.logbook, approved, guard)
        except HalfWritten as error:
            course.hold(HoldBy.WRITE, str(error))
        except CockpitError as error:
            course.fall_back()
            course.hold(HoldBy.DRIFT if isinstance(error, Drift) else HoldBy.WRITE, f"{phase.name} was not set: {error}")
        else:
            course.moved |= {name for name, _ in moves(phase)} if not course.identity.dry_run else set()
            after = machine.rehearsed if course.identity.dry_run else machine.written
            course.state = after(course.state, course.clock.now())

    async def _roll_back(self) -> None:
        course = self._course
        keeper = course.sharing.keeper if course.sharing else None
        shared = Shared(keeper, keeper.originals) if keeper else Shared()
        outcome = await roll_back(course.crew, course.logbook, course.clock, shared=shared)
        if outcome.safe:
            back = "everything is configured as it was before the run, and was read back"
            tried = "a dry run: the rollback would be accepted; nothing was changed"
            words = tried if course.identity.dry_run else back + left_in_words(outcome)
            course.logbook.say(EventType.ROLLED_BACK, words, left=list(outcome.left))
            course.end(Stage.ROLLED_BACK, "rolled_back", course.why_back)
        else:
            words = "; ".join(f"{k}: {v}" for k, v in outcome.failures.items())
            course.end(Stage.FAILED, "failed", words + left_in_words(outcome))
