"""Which changes between two frames are worth a bell: transitions only, never a state that lasts."""

from __future__ import annotations

from cockpit.run.frame import Frame
from cockpit.run.state import HoldBy, RunState, Stage
from screens.present.trouble import way_back


def rings(old: Frame | None, new: Frame) -> bool:
    """Held by something other than a person, a rollback began or ended, the run ended, or it has lost its way back."""
    if old is None:
        return False
    before, after = old.state, new.state
    if _held(after) and not _held(before):
        return True
    if way_back(new) and not way_back(old) and not after.stage.ended:
        return True
    return after.stage is not before.stage and (after.stage.ended or after.stage is Stage.ROLLING_BACK)


def _held(state: RunState) -> bool:
    return state.hold is not None and state.hold.by is not HoldBy.OPERATOR
