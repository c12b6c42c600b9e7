"""How to fly."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cockpit import settings
from cockpit.clock import Clock
from cockpit.model.program import EarlyStart


@dataclass(frozen=True, slots=True)
class Options:
    """How to fly: which cluster, what may be written, whose clock. `rehearsal` names the scenario on the embedded world."""

    context: str | None = None
    kubeconfig: Path | None = None
    observe: bool = False
    dry_run: bool = False
    autopilot: bool = False
    alone: bool = False
    """There is no screen: when somebody else has the controls there is nothing to do here."""
    going_home: bool = False
    """Nothing is done but to roll back, which settings that cannot be read do not hold up."""
    rehearsal: str = ""
    early: tuple[EarlyStart, ...] = ()
    """The waivers of a program by which this run may start, which it records."""
    second_seat: str = ""
    """In a rehearsal, the command that opens the second engineer's cockpit on the same world."""
    clock: Clock = field(default_factory=settings.clock)
    tick_seconds: float = 0.5
