"""Which changes between two frames are worth a bell: transitions only, never a state that lasts."""

from __future__ import annotations

from cockpit.model.controls import Controls, Standing
from cockpit.run.frame import Frame
from cockpit.run.state import HoldBy, RunState, Stage
from screens.present.trouble import way_back


def rings(old: Frame | None, new: Frame) -> bool:
    """Held by no person, a rollback began or ended, the run ended, its way back is lost, or the controls want somebody."""
    if old is None:
        return False
    before, after = old.state, new.state
    if _held(after) and not _held(before):
        return True
    if _called(new.controls) and not _called(old.controls):
        return True
    if way_back(new) and not way_back(old) and not after.stage.ended:
        return True
    return after.stage is not before.stage and (after.stage.ended or after.stage is Stage.ROLLING_BACK)


def _called(of: Controls) -> bool:
    """The controls want somebody: they are lost, or offered to this cockpit."""
    return (of.standing is Standing.UNKNOWN and bool(of.why)) or (of.standing is Standing.THEIRS and of.offered_to_me)


def _held(state: RunState) -> bool:
    return state.hold is not None and state.hold.by is not HoldBy.OPERATOR
