"""Every phase x state x fault from which a rollback may be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cockpit.run import machine
from cockpit.run.state import HoldBy, RunState, Stage

PHASES = 4
"""Of the short playbook: three by weights, the last by affinity."""


class Stand(StrEnum):
    """Where the run stands when R and Enter are pressed."""

    READY = "ready"
    SETTING = "setting"
    PROVING = "proving"
    SOAKING = "soaking"
    HELD = "held"
    AGAIN = "rolling back already"
    COMPLETED = "completed"
    FAILED = "failed"


class Fault(StrEnum):
    """What is wrong at that moment."""

    NONE = "nothing"
    METRICS = "metrics down"
    LEASE = "lease lost"
    """To somebody else, a moment ago: this cockpit does not know it yet."""
    TAKEN = "controls taken"
    """The same, and it has seen it: it only follows the run by now."""
    FLAPPING = "API flapping"
    THROTTLED = "AWS throttled"
    DISK = "disk full"
    JOURNAL = "journal gone"
    PAUSED = "paused Deployment"
    SCALED = "HPA scaling"
    EDITED = "workload edited"


@dataclass(frozen=True)
class Case:
    phase: int
    stand: Stand
    fault: Fault

    def __str__(self) -> str:
        return f"phase {self.phase}, {self.stand}, {self.fault}"

    @property
    def half(self) -> bool:
        """The phase's first write has been made, the others not."""
        return self.stand is Stand.SETTING

    def state(self, run: str, now: datetime) -> RunState:
        """The run's state, by the machine's own transitions."""
        state = RunState(run, stage_at=now)
        if self.phase < 0:
            return machine.end(state, Stage.FAILED, now, "earlier") if self.stand is Stand.FAILED else state
        state = machine.begin(state, self.phase, now)
        if self.stand is Stand.SETTING:
            return state
        state = machine.written(state, now)
        if self.stand is Stand.PROVING:
            return state
        state = machine.proven(state, now)
        match self.stand:
            case Stand.HELD:
                return machine.hold(state, HoldBy.OPERATOR, "by ana@bastion", now)
            case Stand.COMPLETED:
                return machine.end(state, Stage.COMPLETED, now)
            case Stand.FAILED:
                return machine.end(state, Stage.FAILED, now, "earlier")
            case _:
                return state


def every() -> Iterator[Case]:
    for fault in Fault:
        for stand in Stand:
            for phase in phases(stand):
                yield Case(phase, stand, fault)


def phases(stand: Stand) -> range:
    """The phases in which a run can stand so."""
    match stand:
        case Stand.READY:
            return range(-1, 0)
        case Stand.COMPLETED:
            return range(PHASES - 1, PHASES)
        case Stand.FAILED:
            return range(-1, PHASES)
        case _:
            return range(PHASES)
