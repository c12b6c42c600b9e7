"""The pure transitions of a run, and who may promote.

Soak time counts only while the phase is proven, nothing holds and every gate says PASS; a failing gate starts the soak anew,
since every gate must hold for the whole of it. All other outcomes stop the clock and keep what has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from cockpit.model.plan import Proof, Reading
from cockpit.model.playbook import Playbook
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run.state import Hold, HoldBy, RunState, Stage


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether promote may act now; `why` says everything that it waits for, shortest words first."""

    allowed: bool
    why: tuple[str, ...] = ()


def begin(state: RunState, phase: int, now: datetime) -> RunState:
    """Start to set a phase."""
    return replace(
        state,
        stage=Stage.SETTING,
        phase=phase,
        stage_at=now,
        phase_at=now,
        proven_at=None,
        soaked=0.0,
        ticked=None,
        hold=None,
        error="",
    )


def written(state: RunState, now: datetime) -> RunState:
    """The phase's writes were accepted; now they must be observed."""
    return replace(state, stage=Stage.PROVING, stage_at=now) if state.stage is Stage.SETTING else state


def fall_back(state: RunState, now: datetime) -> RunState:
    """A phase could not be set and nothing of it stands: back to the one before it, which has to be proven and soaked again."""
    before = begin(state, state.phase - 1, now)
    return replace(before, stage=Stage.PROVING if before.phase >= 0 else Stage.READY)


def rehearsed(state: RunState, now: datetime) -> RunState:
    """A dry run's writes were accepted and nothing was kept: the next phase may be tried at once."""
    return replace(state, stage=Stage.READY, stage_at=now)


def proven(state: RunState, now: datetime) -> RunState:
    """The phase was observed to hold; the soak begins."""
    if state.stage is not Stage.PROVING:
        return state
    return replace(state, stage=Stage.SOAKING, stage_at=now, proven_at=now, soaked=0.0, ticked=None)


def tick(state: RunState, monotonic: float, gates: Sequence[Verdict], longest: float = inf) -> RunState:
    """Let soak time pass up to `monotonic` seconds, as far as the verdicts allow: from one tick at which all pass to the next.

    No more than `longest` seconds count between two ticks: nobody has looked while a process was stopped or its machine asleep.
    """
    passing = state.stage is Stage.SOAKING and not state.hold and all(v.passed for v in gates)
    if not passing:
        failed = state.stage is Stage.SOAKING and any(v.outcome is Outcome.FAIL for v in gates)
        return replace(state, ticked=None, soaked=0.0 if failed else state.soaked)
    passed = min(monotonic - state.ticked, longest) if state.ticked is not None else 0.0
    return replace(state, ticked=monotonic, soaked=state.soaked + passed)


def hold(state: RunState, by: HoldBy, reason: str, now: datetime) -> RunState:
    """Hold; the first reason stays until somebody resumes. Before the first phase only a failed write can hold."""
    if state.hold or state.stage.ended or state.stage is Stage.ROLLING_BACK:
        return state
    if state.stage is Stage.READY and by is HoldBy.OPERATOR:
        return state
    return replace(state, hold=Hold(by, reason, now))


def resume(state: RunState) -> RunState:
    """Let go of a hold. Nothing is written by that: a phase that could not be set waits for promote again."""
    return replace(state, hold=None)


def roll_back(state: RunState, now: datetime) -> RunState:
    """Start to roll back, from any stage."""
    return replace(state, stage=Stage.ROLLING_BACK, stage_at=now, hold=None, error="")


def end(state: RunState, stage: Stage, now: datetime, error: str = "") -> RunState:
    """The run has ended."""
    return replace(state, stage=stage, stage_at=now, hold=None, error=error)


def permit(
    state: RunState,
    playbook: Playbook,
    gates: Sequence[Verdict],
    busy: str = "",
    way_back: Verdict | None = None,
    readings: Sequence[Reading] = (),
) -> Permit:
    """May a person (or `auto`) promote now? `way_back` is the rollback's readiness, which blocks promote when it is not PASS.

    `readings` are what the phase has set: it is left only while all of that is proven to stand. Before the first phase `gates` is
    what must pass for the run to begin.
    """
    if busy:
        return Permit(False, (busy,))
    if state.stage.ended or state.stage is Stage.ROLLING_BACK:
        return Permit(
            False, (f"the run is {state.stage}" if state.stage is Stage.ROLLING_BACK else f"the run has {_ended(state)}",)
        )
    why = [f"held: {state.hold.reason}"] if state.hold else []
    if way_back and not way_back.passed:
        why.append(f"{way_back.gate}: {way_back.reason}")
    phase = state.current(playbook)
    if phase is None or state.stage is Stage.READY:
        if phase is None:
            why += [f"{v.gate}: {v.reason}" for v in gates if not v.passed]
        return Permit(not why, tuple(why))
    if state.stage is not Stage.SOAKING:
        return Permit(False, (*why, f"{phase.name} is not proven yet"))
    if state.soaked < phase.soak:
        why.append(f"soak {minutes(phase.soak - state.soaked)}")
    why += [f"{r.lever} {r.proof}{f': {r.why}' if r.why else ''}" for r in readings if r.proof is not Proof.PROVEN]
    names = {way_back.gate} if way_back else set()
    why += [
        v.gate if v.outcome is Outcome.FAIL else f"{v.gate} {v.outcome}" for v in gates if not v.passed and v.gate not in names
    ]
    return Permit(not why, tuple(why))


def _ended(state: RunState) -> str:
    return {Stage.COMPLETED: "completed", Stage.ROLLED_BACK: "been rolled back"}.get(state.stage, "failed")


def minutes(seconds: float, *, passed: bool = False) -> str:
    """`7:41`, or `1:05:00` from an hour on. What is left rounds up, so that 0:00 means done; what has passed rounds down."""
    whole = int(seconds) + (not passed and seconds > int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
