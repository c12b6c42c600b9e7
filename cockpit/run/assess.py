"""Snapshot and state -> Frame: every conclusion of one tick, drawn in one place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from cockpit.errors import CockpitError
from cockpit.model.controls import Controls
from cockpit.model.event import Event
from cockpit.model.plan import Plan, Reading
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Verdict
from cockpit.rules.agents import health, unlisted
from cockpit.rules.judging import aborts, gates
from cockpit.rules.matrix import look
from cockpit.rules.nodes import mix
from cockpit.rules.portability.gate import gate as portable
from cockpit.rules.readiness import NO_RATES, Readiness, readiness, timed
from cockpit.rules.share import intended_share
from cockpit.rules.sidecars import sidecars
from cockpit.rules.signals import Comparison, compare
from cockpit.rules.traffic import traffic
from cockpit.run.crew import Crew
from cockpit.run.frame import Frame, Identity, Judged
from cockpit.run.machine import Permit, permit
from cockpit.run.shared.reconciled import Reconciled
from cockpit.run.state import RunState, Stage
from cockpit.run.worth import Worth

GOING_HOME = (Stage.ROLLING_BACK, Stage.ROLLED_BACK)
"""Stages in which no phase is intended any more."""
NO_CONTROLS = Controls()
ENDED = "the run has ended: leave (q) and start the cockpit anew for another one"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of one snapshot in one state."""

    gates: tuple[Verdict, ...]
    aborts: tuple[Verdict, ...]
    readings: tuple[Reading, ...]
    readiness: Readiness


def judge(
    crew: Crew, snapshot: Snapshot, state: RunState, moved: Collection[str] = (), rates: Mapping[str, float] = NO_RATES
) -> Judgement:
    """Judge the current phase, `moved` being the levers that this run has moved; before the first only the audit is judged.

    `rates` are how fast rolls were seen to go (`Rolls.rates`).
    """
    playbook = crew.playbook
    way_back = timed(readiness(snapshot, playbook), snapshot, playbook, rates)
    phase = state.current(playbook)
    if phase is None or state.stage in (Stage.READY, Stage.ROLLED_BACK):
        return Judgement(_before_the_first(playbook, snapshot, state), (), (), way_back)
    began = state.phase_at or snapshot.time
    return Judgement(
        gates=gates(phase, snapshot, playbook, state.proven_at or began),
        aborts=aborts(phase, snapshot, playbook, began),
        readings=crew.readings(snapshot, state.phase, moved),
        readiness=way_back,
    )


def _before_the_first(playbook: Playbook, snapshot: Snapshot, state: RunState) -> tuple[Verdict, ...]:
    """What must pass before anything is set; once the first phase has begun it stops nothing."""
    if state.phase >= 0 or state.stage is not Stage.READY:
        return ()
    seen = snapshot.source(SourceName.PORTABILITY)
    found = portable(playbook.portability, snapshot.auditing, seen, snapshot.time.date())
    return (found,) if found else ()


def permission(crew: Crew, state: RunState, verdict: Judgement, *, busy: str, blocked: str, second: str = "") -> Permit:
    """Who may promote now. `blocked` is a reason outside the rules (read-only, no controls), empty when there is none.

    `second` is why a second person's word is still needed, empty when it is not.
    """
    if blocked:
        return Permit(False, (blocked,))
    found = permit(state, crew.playbook, verdict.gates, busy, verdict.readiness.verdict, verdict.readings)
    return found if not second or busy or state.stage.ended else Permit(False, (*found.why, second))


def frame(
    crew: Crew,
    identity: Identity,
    snapshot: Snapshot,
    state: RunState,
    verdict: Judgement,
    promote: Permit,
    *,
    events: tuple[Event, ...],
    busy: str,
    retrying: str,
    worth: Worth,
    judged: Judged | None = None,
    controls: Controls = NO_CONTROLS,
    reconciled: tuple[Reconciled, ...] = (),
) -> Frame:
    """Put the picture together."""
    playbook = crew.playbook
    phase, following = state.current(playbook), state.following(playbook)
    next_plan, next_why = _try(lambda: crew.plan_from(snapshot, following)) if following else (None, _nothing_follows(state))
    back, back_why = _try(lambda: crew.restore_from(snapshot))
    return Frame(
        playbook=playbook,
        identity=identity,
        snapshot=snapshot,
        state=state,
        nodes=mix(snapshot, playbook.target),
        traffic=traffic(
            snapshot, playbook, None if phase is None or state.stage in GOING_HOME else intended_share(playbook, phase)
        ),
        latency=latency(crew, snapshot, state.proven_at or snapshot.time),
        agents=health(snapshot, playbook.agents, playbook.target.to_arch),
        gates=verdict.gates,
        aborts=verdict.aborts,
        readings=verdict.readings,
        readiness=verdict.readiness,
        promote=promote,
        next_plan=next_plan,
        next_why=next_why,
        rollback_plan=back,
        rollback_why=back_why,
        matrix=look(snapshot, playbook),
        unlisted=unlisted(snapshot, playbook),
        sidecars=sidecars(snapshot, playbook),
        price=worth.notice(snapshot, playbook, state),
        best_price=worth.best,
        events=events,
        busy=busy,
        retrying=retrying,
        judged=judged,
        controls=controls,
        reconciled=reconciled,
    )


def _nothing_follows(state: RunState) -> str:
    return ENDED if state.stage is Stage.ROLLED_BACK else "this is the last phase"


def latency(crew: Crew, snapshot: Snapshot, since: datetime) -> Comparison | None:
    """The comparison of the playbook's latency; before a phase is proven, of the newest samples."""
    if (name := crew.playbook.latency) is None:
        return None
    found = compare(snapshot, crew.playbook, name, since)
    return found if found.samples else compare(snapshot, crew.playbook, name, datetime.min.replace(tzinfo=since.tzinfo))


def _try(make: Callable[[], Plan]) -> tuple[Plan | None, str]:
    try:
        return make(), ""
    except CockpitError as error:
        return None, str(error)
