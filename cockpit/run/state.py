"""Where a run stands: frozen, advanced only by the pure transitions in `machine`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cockpit.model.playbook import Phase, Playbook


class Stage(StrEnum):
    """The stages of a run. The first five are under way, the last three ended."""

    READY = "ready"
    """Nothing has been set yet (in a dry run: nothing was kept); promote starts the next phase."""
    SETTING = "setting"
    """The phase's writes are being made."""
    PROVING = "proving"
    """Written; not yet observed to hold."""
    SOAKING = "soaking"
    ROLLING_BACK = "rolling back"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Nothing more happens by itself; only a rollback may still be asked for."""
        return self in (Stage.COMPLETED, Stage.ROLLED_BACK, Stage.FAILED)


class HoldBy(StrEnum):
    """Who or what holds a run."""

    OPERATOR = "operator"
    ABORT = "abort"
    WRITE = "write"
    DRIFT = "drift"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: judging goes on, the soak clock stands, promote is blocked until somebody resumes."""

    by: HoldBy
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run. `phase` is an index into the playbook's phases, -1 before the first; `soaked` is in seconds.

    `phase_at` is when the phase began, `proven_at` when it was observed to hold, `stage_at` when the stage began;
    `ticked` is the last tick's monotonic seconds, None unless soak time counts from it.
    """

    run: str
    stage: Stage = Stage.READY
    phase: int = -1
    hold: Hold | None = None
    stage_at: datetime | None = None
    phase_at: datetime | None = None
    proven_at: datetime | None = None
    soaked: float = 0.0
    ticked: float | None = None
    error: str = ""

    def current(self, playbook: Playbook) -> Phase | None:
        """The phase that is set, None before the first."""
        return playbook.phases[self.phase] if 0 <= self.phase < len(playbook.phases) else None

    def following(self, playbook: Playbook) -> Phase | None:
        """The phase that promote would set, None after the last and after a rollback, which ends the run."""
        if self.stage is Stage.ROLLED_BACK:
            return None
        return playbook.phases[self.phase + 1] if self.phase + 1 < len(playbook.phases) else None
