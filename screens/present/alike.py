"""Whether a picture shows anything that the last one did not, but for the time."""

from __future__ import annotations

from dataclasses import fields, replace

from cockpit.model.snapshot import Snapshot, SourceState
from cockpit.run.frame import Frame
from cockpit.run.state import RunState

_APART = {"snapshot", "state"}
_FRAME = tuple(field.name for field in fields(Frame) if field.name not in _APART)
_SEEN = tuple(field.name for field in fields(Snapshot) if field.name not in {"seq", "time", "monotonic", "sources"})


def alike(old: Frame, new: Frame) -> bool:
    """Everything that is drawn is the same, but for what goes on with the clock by less than a second."""
    return (
        _state(old.state) == _state(new.state)
        and all(getattr(old.snapshot, name) is getattr(new.snapshot, name) for name in _SEEN)
        and old.snapshot.sources.keys() == new.snapshot.sources.keys()
        and all(_source(state) == _source(new.snapshot.sources[name]) for name, state in old.snapshot.sources.items())
        and all((a := getattr(old, name)) is (b := getattr(new, name)) or a == b for name in _FRAME)
    )


def _state(state: RunState) -> RunState:
    return replace(state, soaked=float(int(state.soaked)), ticked=None)


def _source(state: SourceState) -> SourceState:
    """Ages are shown only of what is not live, and in whole seconds."""
    return replace(state, age=None if state.age is None else -1.0 if state.live else float(round(state.age)))
