"""Where a run goes on when another cockpit takes it over: what its record says, as far as the world agrees. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cockpit.levers.base import Found
from cockpit.model.pin import Pin
from cockpit.model.playbook import Playbook
from cockpit.run import machine
from cockpit.run.machine import minutes
from cockpit.run.shared.reconciled import Reconciled
from cockpit.run.shared.record import Record
from cockpit.run.state import HoldBy, RunState, Stage


@dataclass(frozen=True, slots=True)
class PickedUp:
    """The state to go on from, and a sentence about it."""

    state: RunState
    words: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cockpit is that picks up: the SHA-256 of its playbook's text, its cluster and account, and the phase that the world
    stands in (`Crew.located`), which decides when the record was left between two writes.
    """

    sha256: str
    pin: Pin = field(default_factory=Pin)
    located: int | None = None


def phase_index(record: Record, playbook: Playbook) -> int | None:
    """The index, in this playbook, of the phase that the record names, -1 before the first; None when it has none so named."""
    if record.state.phase < 0:
        return -1
    names = [phase.name for phase in playbook.phases]
    return names.index(record.phase) if record.phase in names else None


def standing(record: Record, playbook: Playbook) -> RunState:
    """The record's state for a cockpit with this playbook. In one without such a phase no phase stands, and none follows."""
    index = phase_index(record, playbook)
    return replace(record.state, phase=len(playbook.phases) if index is None else index, ticked=None)


def no_such_phase(record: Record, playbook: Playbook) -> str:
    """Why nobody can go on from the record's phase with this playbook; empty when one can."""
    if phase_index(record, playbook) is not None:
        return ""
    return f"the run stands at {record.phase}, which this playbook does not have: roll back, or open the one it is flown with"


def pick_up(record: Record, playbook: Playbook, place: Place, told: Sequence[Reconciled], now: datetime) -> PickedUp:
    """Go on with the record's run. The soak goes on from what was credited.

    What does not agree holds the run until a person has looked; every reason is said, that of a hold it had already as well.
    """
    state = standing(record, playbook)
    unknown = no_such_phase(record, playbook)
    state = state if unknown and state.stage is Stage.SETTING else _between(state, place.located, record, now)
    elsewhere = record.pin.contradicted(place.pin)
    # Brought here from there, as a restored backup is: nothing of it is known to be true here.
    backup = f"the record is of a run in another place ({elsewhere}): look who has put it here, or roll back" if elsewhere else ""
    wrong = [] if elsewhere else [one.words for one in told if one.found == Found.CONTRADICTED]
    other = record.sha256 != place.sha256 and not state.stage.ended and not unknown
    text = f"{record.holder} flew this run with another text of the playbook: compare them, then resume" if other else ""
    state = _also(state, [reason for reason in (backup, *wrong, unknown, text) if reason], now)
    return PickedUp(state, _words(state, playbook, record))


def _also(state: RunState, reasons: Sequence[str], now: datetime, by: HoldBy = HoldBy.DRIFT) -> RunState:
    """Held for these reasons, and for the one that it is held for already."""
    held = state.hold
    new = [reason for reason in reasons if not held or reason not in held.reason]
    if not new:
        return state
    return machine.hold(replace(state, hold=None), by, "; ".join([*new, *([held.reason] if held else [])]), now)


def _between(state: RunState, located: int | None, record: Record, now: datetime) -> RunState:
    """The same, with what was under way brought to where it can go on from."""
    if state.stage is Stage.ROLLING_BACK:
        words = f"the way back that {record.holder} began was left before its end: roll back again to finish it"
        return machine.end(state, Stage.FAILED, now, words)
    if state.stage is not Stage.SETTING:
        return state
    if located == state.phase:
        return machine.written(state, now)
    if located == state.phase - 1:
        return machine.fall_back(state, now)
    return _also(state, [f"{record.phase} is half set, as {record.holder} has left it: roll back"], now, HoldBy.WRITE)


def _words(state: RunState, playbook: Playbook, record: Record) -> str:
    phase = state.current(playbook)
    where = phase.name if phase else record.phase if state.phase >= 0 else "the beginning"
    soaked = f"; {minutes(state.soaked, passed=True)} of its soak have passed" if state.stage is Stage.SOAKING else ""
    return f"picked up at {where} from {record.holder}{soaked}"
