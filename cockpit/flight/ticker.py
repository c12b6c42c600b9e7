"""One tick: judge what is seen, act on it as the playbook says, and draw the picture."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from cockpit.flight.acts import Acts
from cockpit.flight.course import Course
from cockpit.flight.taking_part import TakingPart
from cockpit.model.event import Event, EventType
from cockpit.model.playbook import OnAbort
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Outcome
from cockpit.redact import told
from cockpit.run import machine
from cockpit.run.assess import Judgement, frame, judge, permission
from cockpit.run.frame import Frame
from cockpit.run.machine import Permit
from cockpit.run.rolls import Rolls
from cockpit.run.state import HoldBy, Stage
from cockpit.sources.pace import patience

SHOWN_EVENTS = 50
LONGEST = 5.0
"""Wall seconds between two ticks that count as soaked at most."""


class Ticker:
    """Draws one picture after another; `frame` is the newest, `verdict` what it was drawn from. None before the first tick."""

    def __init__(self, course: Course, acts: Acts) -> None:
        self.frame: Frame | None = None
        self.verdict: Judgement | None = None
        self._course = course
        self._acts = acts
        self._part = TakingPart(course)
        self._rolls = Rolls()
        self._shown: deque[Event] = deque(maxlen=SHOWN_EVENTS)
        for event in course.logbook.events:
            self._show(event)
        course.logbook.listen(self._show)

    def tick(self, snapshot: Snapshot) -> Permit:
        """Draw one picture, and act on it as the playbook says. Who may promote by it."""
        course = self._course
        self._rolls.see(snapshot)
        flies = self._part.look(snapshot)
        verdict = self._judge(snapshot)
        before = course.state.proven_at
        if flies:
            self._prove(snapshot, verdict)
        if course.state.proven_at is not before:
            # What was seen before the phase was proven says nothing about it: judge it from here on.
            verdict = self._judge(snapshot)
        if flies:
            longest = patience(course.clock, LONGEST, LONGEST)
            course.state = machine.tick(course.state, snapshot.monotonic, verdict.gates, longest)
        course.watchman.notice(snapshot, course.state, verdict, flies=flies)
        if flies:
            self._abort(verdict)
        course.keep()
        allowed = self.permission(verdict)
        course.seat.notice()
        self.frame = self._draw(snapshot, verdict, allowed)
        return allowed

    def permission(self, verdict: Judgement) -> Permit:
        """Who may promote now, a picture of up to a tick ago having been judged so."""
        course = self._course
        blocked, second = course.blocked or self._part.elsewhere or course.seat.waits(), self._second_person()
        return permission(course.crew, course.state, verdict, busy=course.work.words, blocked=blocked, second=second)

    def broken(self, error: Exception) -> None:
        """A tick failed: hold, and show that on the last picture; rolling back still works, since it needs none."""
        words = told(f"internal error in judging: {type(error).__name__}: {error}", 300)
        self._course.hold(HoldBy.WRITE, words)
        self._course.state = replace(self._course.state, error=words)
        if self.frame:
            self.frame = replace(self.frame, state=self._course.state, promote=Permit(False, (words,)))

    def _judge(self, snapshot: Snapshot) -> Judgement:
        course = self._course
        self.verdict = judge(course.crew, snapshot, course.state, course.moved, self._rolls.rates)
        return self.verdict

    def _draw(self, snapshot: Snapshot, verdict: Judgement, allowed: Permit) -> Frame:
        course = self._course
        return frame(
            course.crew,
            course.identity,
            snapshot,
            course.state,
            verdict,
            allowed,
            events=tuple(self._shown),
            busy=course.work.words,
            retrying=course.waits_for,
            worth=course.worth,
            judged=course.watchman.judged,
            controls=course.seat.view(),
            reconciled=course.sharing.reconciled if course.sharing else (),
        )

    def _second_person(self) -> str:
        course = self._course
        plan = self.frame.next_plan if self.frame else None
        last = course.state.following(course.crew.playbook) is None
        shown = None if last else plan.hash if plan else "once it can be made"
        return course.seat.second_person(course.state.run, course.phase, shown, course.clock.now())

    def _prove(self, snapshot: Snapshot, verdict: Judgement) -> None:
        course = self._course
        if course.state.stage is Stage.PROVING and (problem := course.watchman.stuck(snapshot, course.state)):
            course.hold(HoldBy.STUCK, problem)
        if course.state.stage is Stage.PROVING and course.watchman.holds(snapshot, verdict):
            took = (course.clock.now() - course.state.stage_at).total_seconds() if course.state.stage_at else 0.0
            course.state = machine.proven(course.state, course.clock.now())
            said = f"{course.logbook.phase} proven in {took:.0f} s; soak begins"
            course.logbook.say(EventType.SOAK, said, proven_in=round(took, 1))
        if why := course.drift.look(snapshot, course.state, verdict):
            course.hold(HoldBy.DRIFT, why)

    def _abort(self, verdict: Judgement) -> None:
        course, phase = self._course, self._course.phase
        fired = [v for v in verdict.aborts if v.outcome is Outcome.FAIL]
        half_written = course.state.stage is Stage.SETTING and not course.work.under_way
        under_way = course.state.stage in (Stage.PROVING, Stage.SOAKING) or half_written
        if not fired or phase is None or not under_way or course.watchman.aborted or not course.seat.responsible:
            return
        why = "; ".join(f"{v.gate}: {v.reason}" for v in fired)
        if phase.on_abort is OnAbort.ROLLBACK and not course.blocked and (unsure := course.seat.waits()):
            # By now somebody else may have the controls, and know better. This acts once they are certain again.
            course.hold(HoldBy.ABORT, f"{why}; not rolled back by itself without valid controls ({unsure}): R rolls back")
            return
        course.watchman.aborted = True
        course.logbook.say(EventType.ABORT_TRIGGERED, why, on_abort=str(phase.on_abort))
        way_back = verdict.readiness.verdict
        if phase.on_abort is not OnAbort.ROLLBACK or course.blocked:
            course.hold(HoldBy.ABORT, why)
        elif way_back.outcome is Outcome.FAIL:
            # Going back by itself onto a side that is known to be broken may be worse: that is for a person to decide.
            course.hold(HoldBy.ABORT, f"{why}; not rolled back, as the way back is NOT ready: {way_back.reason}")
        else:
            course.why_back = why
            self._acts.roll_back("the playbook says so (on_abort: rollback)")

    def _show(self, event: Event) -> None:
        """Keep what the newest events on the main screen are; verdicts come in crowds and have a panel of their own."""
        if event.type is not EventType.VERDICT:
            self._shown.append(event)
