"""The three dialogs: promote (typed), roll back (Enter), quit (Enter)."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.run.frame import Frame
from screens.dialog import Dialog
from screens.present import plan
from screens.present.words import Line, Tone, line


class PromoteDialog(Dialog):
    """Shows the plan and wants the target typed; acts with the plan that it showed when it opened."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame
        self.asked = plan.asked(frame)
        self.text = ""

    def head(self) -> Sequence[Line]:
        """Blast radius and what undoes it."""
        return plan.promote_head(self.frame, self.asked, self.cells)

    def detail(self) -> Sequence[Line]:
        """The diff of each write."""
        return plan.plan_rows(self.asked.plan) if self.asked.plan.writes else ()

    def foot(self) -> Sequence[Line]:
        """What to type."""
        return plan.promote_foot(self.asked, self.text, self.warning)

    def typed(self, character: str) -> None:
        """One more character."""
        self.text = (self.text + character)[:64]
        self.warning = ""

    def erased(self) -> None:
        """One character less."""
        self.text = self.text[:-1]

    def confirm(self) -> None:
        """Promote, if the right word stands there."""
        if not plan.matches(self.asked, self.text):
            self.warning = f"{self.text or 'nothing'} was typed, {self.asked.word}{self.asked.unit} is asked for"
            return
        approved = self.asked.plan.hash if self.asked.plan.writes or self.asked.word != plan.COMPLETE else ""
        self.warning = self.cockpit.promote(approved, self.asked.name)


class RollbackDialog(Dialog):
    """Shows what a rollback takes and touches; Enter does it."""

    def head(self) -> Sequence[Line]:
        """Estimate and blast radius, as they are now."""
        frame = self.cockpit.view.frame
        return plan.rollback_head(frame, self.cells) if frame else ()

    def detail(self) -> Sequence[Line]:
        """The diff of each write, or why it is not known."""
        frame = self.cockpit.view.frame
        if frame is None or frame.rollback_plan is None:
            return [line(("the writes are not known yet; Enter rolls back all the same", Tone.CAUTION))]
        return plan.plan_rows(frame.rollback_plan)

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        return plan.confirm_foot("rolls back now", self.warning)

    def confirm(self) -> None:
        """Roll back."""
        self.warning = self.cockpit.roll_back()


class QuitDialog(Dialog):
    """Asked while the run has not ended or a write is under way."""

    def head(self) -> Sequence[Line]:
        """What leaving means."""
        return plan.quit_head(self.cockpit.view.frame, self.cells)

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        return plan.confirm_foot("quits", self.warning)

    def _enter(self) -> None:
        # Leaving changes nothing in the world, so it needs no large terminal.
        self.confirm()

    def confirm(self) -> None:
        """Leave."""
        self.cockpit.leave()
