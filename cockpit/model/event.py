"""The event lines of a run: a contract with scripts, and the journal's own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cockpit.model.json import Json


class EventType(StrEnum):
    """The closed list of event types, plus KEY, which only the journal holds."""

    RUN_STARTED = "run_started"
    PREFLIGHT = "preflight"
    PHASE_STARTED = "phase_started"
    WRITE_INTENDED = "write_intended"
    WRITE_DONE = "write_done"
    WRITE_FAILED = "write_failed"
    VERDICT = "verdict"
    SOAK = "soak"
    GATE = "gate"
    HELD = "held"
    RESUMED = "resumed"
    ABORT_TRIGGERED = "abort_triggered"
    PROMOTED = "promoted"
    ROLLBACK_STARTED = "rollback_started"
    ROLLED_BACK = "rolled_back"
    DRIFT = "drift"
    CONTROLS = "controls"
    """The controls have changed hands, or were lost."""
    SOURCE_FAULT = "source_fault"
    RUN_FINISHED = "run_finished"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Event:
    """One line: when, which run, what, in which phase, a sentence for people, and further fields."""

    time: datetime
    run: str
    type: EventType
    phase: str
    message: str
    fields: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """The event as one JSON object; `time` is RFC 3339 in UTC."""
        stamp = self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head: dict[str, Json] = {
            "time": stamp,
            "run": self.run,
            "type": str(self.type),
            "phase": self.phase,
            "message": self.message,
        }
        return head | {key: value for key, value in self.fields.items() if key not in head}
