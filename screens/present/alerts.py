"""Which changes between two frames are worth a bell: transitions only, never a state that lasts."""

from __future__ import annotations

from cockpit.run.frame import Frame
from cockpit.run.state import HoldBy, RunState, Stage


def rings(old: Frame | None, new: Frame) -> bool:
    """The run was held by something other than a person, or a rollback began or ended, or the run ended."""
    if old is None:
        return False
    before, after = old.state, new.state
    if _held(after) and not _held(before):
        return True
    return after.stage is not before.stage and (after.stage.ended or after.stage is Stage.ROLLING_BACK)


def _held(state: RunState) -> bool:
    return state.hold is not None and state.hold.by is not HoldBy.OPERATOR
