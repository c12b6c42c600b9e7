"""The dialogs over a run: promote and approve (typed), roll back (Enter), quit (Enter)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textual import events

from cockpit.run.frame import Frame
from screens import requests
from screens.dialog import Dialog
from screens.present import asking
from screens.present.controls import approving, person
from screens.present.plan import plan_rows
from screens.present.words import Line, Tone, line


class PromoteDialog(Dialog):
    """Shows the plan and wants the target typed; acts with the plan that it showed when it opened."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame
        self.asked = asking.asked(frame)
        self.text = ""

    def head(self) -> Sequence[Line]:
        """Blast radius and what undoes it."""
        return asking.promote_head(self.frame, self.asked, self.cells)

    def detail(self) -> Sequence[Line]:
        """The diff of each write."""
        return plan_rows(self.asked.plan) if self.asked.plan.writes else ()

    def foot(self) -> Sequence[Line]:
        """What to type."""
        return asking.promote_foot(self.asked, self.text, self.warning, asking.sets(self.frame, self.asked))

    def typed(self, character: str) -> None:
        """One more character."""
        self.text = (self.text + character)[:64]
        self.warning = ""

    def erased(self) -> None:
        """One character less."""
        self.text = self.text[:-1]

    def confirm(self) -> None:
        """Promote, if the right word stands there."""
        if not asking.matches(self.asked, self.text):
            self.warning = f"{self.text or 'nothing'} was typed, {self.asked.word}{self.asked.unit} is asked for"
            return
        approved = self.asked.plan.hash if self.asked.plan.writes or self.asked.word != asking.COMPLETE else ""
        name = self.asked.name
        self.warning = self.cockpit.request(
            lambda flight: requests.promote(flight, approved, name), asking.would(self.frame, f"promoting to {name}")
        )


class ApproveDialog(PromoteDialog):
    """The second person's word for the plan as this cockpit computes it. Moves nothing by itself."""

    def head(self) -> Sequence[Line]:
        """What is approved, for whom."""
        return asking.approve_head(self.frame, self.asked, self.cells)

    def foot(self) -> Sequence[Line]:
        """What to type."""
        return asking.promote_foot(self.asked, self.text, self.warning, "approves it; nothing moves by that")

    def confirm(self) -> None:
        """Approve, if the right word stands there."""
        if not asking.matches(self.asked, self.text):
            super().confirm()
            return
        approved, name = self.asked.plan.hash, self.asked.name
        words = f"approving plan {approved}: {person(self.frame.controls.holder)} promotes"
        self.warning = self.cockpit.request(lambda flight: requests.approve(flight, approved, name), words)


def promoting(frame: Frame) -> PromoteDialog:
    """What p opens: the promotion, or for a watcher of a phase for two persons the approval."""
    return ApproveDialog(frame) if approving(frame) else PromoteDialog(frame)


class Typing(Protocol):
    """Where a filter is typed."""

    typing: bool

    def typed(self, text: str) -> None:
        """More of it."""
        ...


class RollbackDialog(Dialog):
    """Shows what a rollback takes and touches; Enter does it.

    `over` is where a filter was being typed when R was pressed: whoever goes on typing did not mean this, and goes on there.
    """

    def __init__(self, over: Typing | None = None) -> None:
        super().__init__()
        self._over = over

    def reads(self, event: events.Key, *, meant: bool) -> bool:  # noqa: ARG002 (also letters too fast for a key of a person's)
        """Whether the key was the next letter of a filter: then this is left, so that no Enter after it rolls back."""
        if self._over is None or not (event.is_printable and event.character) or event.key == "R":
            return False
        self.cockpit.leave_dialog()
        self._over.typed(f"R{event.character}")
        return True

    def head(self) -> Sequence[Line]:
        """Estimate and blast radius, as they are now."""
        frame = self.cockpit.view.frame
        return asking.rollback_head(frame, self.cells) if frame else ()

    def detail(self) -> Sequence[Line]:
        """The diff of each write, or why it is not known."""
        frame = self.cockpit.view.frame
        if frame is None or frame.rollback_plan is None:
            return [line(("the writes are not known yet; Enter rolls back all the same", Tone.CAUTION))]
        return plan_rows(frame.rollback_plan)

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        frame = self.cockpit.view.frame
        dry = frame is not None and frame.identity.dry_run
        return asking.confirm_foot("tries the rollback: nothing is changed" if dry else "rolls back now", self.warning)

    def confirm(self) -> None:
        """Roll back."""
        frame = self.cockpit.view.frame
        dry = frame is not None and frame.identity.dry_run
        undone = "the rollback is being tried" if dry else "rolling back: every change of this run is being undone"
        words = asking.would(frame, undone)
        self.warning = self.cockpit.request(requests.roll_back, words)
        if self._over and not self.warning:
            self._over.typing = False


class QuitDialog(Dialog):
    """Asked while the run has not ended or a write is under way."""

    def head(self) -> Sequence[Line]:
        """What leaving means."""
        return asking.quit_head(self.cockpit.view.frame, self.cells)

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        return asking.confirm_foot("quits", self.warning)

    def _enter(self) -> None:
        # Leaving changes nothing in the world, so it needs no large terminal.
        self.confirm()

    def confirm(self) -> None:
        """Leave."""
        self.cockpit.leave()
