"""Whose run it is, tick by tick: this cockpit flies it, follows whoever does, or picks up what was left under way."""

from __future__ import annotations

from dataclasses import replace

from cockpit.errors import NotInControl
from cockpit.flight.course import Course
from cockpit.model.event import EventType
from cockpit.model.snapshot import Snapshot
from cockpit.run import machine
from cockpit.run.crew import ELSEWHERE
from cockpit.run.shared.sharing import Role, Sharing
from cockpit.run.state import HoldBy, RunState, Stage

LEFT_OVER = "an earlier run has changed this target and what is configured fits no phase of this playbook: roll back first"


class TakingPart:
    """Finds out where the run stands when that is not this cockpit's own doing."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._picked_up = False
        self.elsewhere = ""
        """Why what is configured is no phase to go on from; empty when it is."""

    def look(self, snapshot: Snapshot) -> bool:
        """Whether this cockpit flies the run; where another one does, its state is followed."""
        course, sharing = self._course, self._course.sharing
        role = sharing.role(going_home=course.goes_home) if sharing else Role.FLIES
        if sharing and role is Role.FOLLOWS and (followed := sharing.follow()):
            course.moved = set(followed[1])
            self._go_on_from(followed[0], sharing.unknown)
        elif sharing and role is Role.PICKS_UP:
            if not course.work.under_way:
                course.work.start(self._take_over(sharing), "picking up the run")
        elif not course.goes_home and (sharing is None or sharing.keeper.known):
            self._pick_up(snapshot)
        if sharing and course.goes_home:
            sharing.claim_beside()
        return role is Role.FLIES and (course.goes_home or not (sharing and sharing.unknown))

    def _go_on_from(self, state: RunState, elsewhere: str) -> None:
        self._course.state, self._picked_up, self._course.set_here, self.elsewhere = state, True, False, elsewhere

    async def _take_over(self, sharing: Sharing) -> None:
        """The controls have come to this cockpit: settle what was left to it, and go on where the run stands."""
        course = self._course
        try:
            taken = await sharing.take_over(course.seat.fence())
        except NotInControl:
            return  # gone again, or not renewed in time: the next tick sees
        course.moved |= taken.moved
        if taken.state is not None:
            self._go_on_from(taken.state, sharing.unknown)
            course.watchman.begin()
            course.logbook.say(EventType.PHASE_STARTED, taken.words)
            if hold := taken.state.hold:
                course.logbook.say(EventType.HELD, f"held: {hold.reason}", by=str(hold.by), reason=hold.reason)
        elif taken.hold:
            course.hold(HoldBy.DRIFT, taken.hold)

    def _pick_up(self, snapshot: Snapshot) -> None:
        """Find a run that somebody left under way, once everything needed has been read."""
        course = self._course
        if self._picked_up or course.state.stage is not Stage.READY or course.state.phase >= 0:
            return
        found = course.crew.located(snapshot)
        if found is None:
            return
        self.elsewhere = LEFT_OVER if found == ELSEWHERE else ""
        # As long as nothing is set somebody else may begin: then this cockpit follows.
        self._picked_up = found >= 0
        if found >= 0:
            course.moved |= course.crew.settings(found).keys()
            name = course.crew.playbook.phases[found].name
            course.logbook.phase = name
            begun = machine.written(machine.begin(course.state, found, course.clock.now()), course.clock.now())
            course.state = replace(begun, hold=course.state.hold)
            course.logbook.say(EventType.PHASE_STARTED, f"picked up at {name}, which is set already; its soak starts anew")
