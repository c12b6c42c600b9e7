"""What the screens need of a flight: frames to draw, and requests that they pass on. The flight itself lives in `cockpit`."""

from __future__ import annotations

from typing import Protocol

from cockpit.model.event import Event
from cockpit.run.frame import Frame


class Flight(Protocol):
    """A run being flown. Requests return at once with an empty text, or with the reason why they cannot be met now."""

    def frame(self) -> Frame | None:
        """The newest picture; None while the first one is still being put together."""
        ...

    def events(self) -> tuple[Event, ...]:
        """Every event of the run so far, oldest first."""
        ...

    def promote(self, plan_hash: str) -> str:
        """Set the next phase, if its plan still is the one with this hash; after the last phase, complete the run."""
        ...

    def hold(self) -> str:
        """Hold the run: the soak clock stands, judging goes on."""
        ...

    def resume(self) -> str:
        """Let go of a hold."""
        ...

    def roll_back(self) -> str:
        """Roll back now. Waits for nothing: no metrics, no second person."""
        ...

    def take_controls(self) -> str:
        """Take the controls of the run, also from a cockpit that has them; an offer of one's own is taken back by it."""
        ...

    def hand_over(self, cockpit_id: str) -> str:
        """Offer the controls to the cockpit with this id; with an empty one hand them back to nobody."""
        ...

    def approve(self, plan_hash: str) -> str:
        """As the second person, approve the next phase's plan if it still is the one with this hash."""
        ...

    def audit(self) -> str:
        """Audit portability again, now."""
        ...

    def key(self, key: str, meaning: str) -> None:
        """Record a key that was pressed and what it meant."""
        ...

    async def close(self) -> None:
        """Stop observing. Nothing is changed in the world."""
        ...
