"""What a person asks of the flight: each is recorded as a key with its meaning, then passed on. Answers are sentences."""

from __future__ import annotations

from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.flight import Flight


def hold_or_resume(flight: Flight, frame: Frame) -> str:
    """Hold, or let go of a hold; what came of it."""
    if frame.state.hold:
        flight.key("space", "resume")
        return flight.resume() or "resumed: the soak clock runs while every gate can be judged"
    flight.key("space", "hold")
    return flight.hold() or "held: the soak clock stands, judging goes on; space resumes"


def promote(flight: Flight, plan_hash: str, name: str) -> str:
    """Promote by the plan with this hash; the reason when it was refused, else empty."""
    flight.key("enter", f"promote to {name} by plan {plan_hash}" if plan_hash else f"promote to {name}")
    return flight.promote(plan_hash)


def roll_back(flight: Flight) -> str:
    """Roll back now; the reason when it was refused, else empty."""
    flight.key("enter", "roll back")
    return flight.roll_back()


def approve(flight: Flight, plan_hash: str, name: str) -> str:
    """Give the second person's word for this plan; the reason when it was refused, else empty."""
    flight.key("enter", f"approve plan {plan_hash} of {name}")
    return flight.approve(plan_hash)


def audit(flight: Flight) -> str:
    """Audit portability again; what comes of it."""
    flight.key("a", "audit portability again")
    return flight.audit() or "auditing: what it finds takes the place of what is shown"


def take_controls(flight: Flight) -> str:
    """Take the controls; the reason when they cannot be taken, else empty."""
    flight.key("enter", "take the controls")
    return flight.take_controls()


def hand_over(flight: Flight, cockpit_id: str, name: str) -> str:
    """Offer the controls to a cockpit, or hand them back to nobody (empty); the reason when that cannot be, else empty."""
    flight.key("enter", f"hand the controls to {name}")
    return flight.hand_over(cockpit_id)


def unfinished(frame: Frame | None) -> bool:
    """Leaving now deserves a question: a write is under way or the run has not ended."""
    return frame is None or bool(frame.busy) or not frame.state.stage.ended


def completed(frame: Frame | None) -> bool:
    """The run came to its intended end."""
    return frame is not None and frame.state.stage is Stage.COMPLETED
