"""Where a run goes on when another cockpit takes it over: what its record says, as far as the world agrees. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cockpit.levers.base import Found
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


def phase_index(record: Record, playbook: Playbook) -> int | None:
    """The index, in this playbook, of the phase that the record names, -1 before the first; None when it has none so named."""
    if record.state.phase < 0:
        return -1
    names = [phase.name for phase in playbook.phases]
    return names.index(record.phase) if record.phase in names else None


def pick_up(
    record: Record, playbook: Playbook, sha256: str, located: int | None, told: Sequence[Reconciled], now: datetime
) -> PickedUp:
    """Go on with the record's run, whose phase must be in the playbook (`phase_index`).

    `located` is the phase that the world stands in (`Crew.located`): it decides when the record was left between two writes.
    The soak goes on from what was credited. What does not agree holds the run until a person has looked.
    """
    index = phase_index(record, playbook)
    state = replace(record.state, phase=record.state.phase if index is None else index, ticked=None)
    state = _between(state, located, record, now)
    if wrong := [one for one in told if one.found == Found.CONTRADICTED]:
        state = machine.hold(replace(state, hold=None), HoldBy.DRIFT, "; ".join(one.words for one in wrong), now)
    if index is None:
        state = machine.hold(
            state, HoldBy.DRIFT, f"this playbook has no phase {record.phase}: roll back with the one it had", now
        )
    elif record.sha256 != sha256 and not state.stage.ended:
        words = f"{record.holder} flew this run with another text of the playbook: compare them, then resume"
        state = machine.hold(state, HoldBy.DRIFT, words, now)
    return PickedUp(state, _words(state, playbook, record))


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
    return machine.hold(state, HoldBy.WRITE, f"{record.phase} is half set, as {record.holder} has left it: roll back", now)


def _words(state: RunState, playbook: Playbook, record: Record) -> str:
    phase = state.current(playbook)
    where = phase.name if phase else "the beginning"
    soaked = f"; {minutes(state.soaked, passed=True)} of its soak have passed" if state.stage is Stage.SOAKING else ""
    return f"picked up at {where} from {record.holder}{soaked}"
