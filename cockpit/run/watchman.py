"""Notices what changes from tick to tick and says it once: verdicts, gates, soak, faulty sources, pods without a node."""

from __future__ import annotations

from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.plan import Proof
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import words
from cockpit.rules.matrix import findings
from cockpit.rules.nodes import pods_of
from cockpit.run.assess import GOING_HOME, Judgement
from cockpit.run.frame import Judged
from cockpit.run.logbook import Logbook
from cockpit.run.machine import minutes
from cockpit.run.portability import PortabilityWatch
from cockpit.run.state import RunState, Stage
from cockpit.run.telling import verdict_fields

PATIENCE = 60.0
"""Seconds for which a pod may be unschedulable while a phase is being proven, before that is a reason to hold."""


class Watchman:
    """Compares each tick with the one before."""

    def __init__(self, logbook: Logbook, playbook: Playbook) -> None:
        self.aborted = False
        self.judged: Judged | None = None
        """Why the run went back; None until a rollback begins."""
        self._logbook = logbook
        self._playbook = playbook
        self._faults: dict[SourceName, Freshness] = {}
        self._portability = PortabilityWatch(logbook, playbook)
        self.begin()

    def begin(self) -> None:
        """A phase begins: everything about it is new."""
        self.aborted = False
        self.judged = None
        self._last: tuple[Snapshot, Judgement] | None = None
        self._failing: dict[str, Verdict] = {}
        self._verdicts: dict[tuple[str, str], Outcome] = {}
        self._open: bool | None = None
        self._quarter = 0
        self._pending_since: float | None = None

    def resumed(self) -> None:
        """Somebody let go of a hold: what held may hold again."""
        self.aborted = False
        self._pending_since = None

    def notice(self, snapshot: Snapshot, state: RunState, verdict: Judgement, *, flies: bool = True) -> None:
        """Say what has changed; of the run itself only where this cockpit flies it, as the others hear it from there."""
        self._sources(snapshot)
        if flies and not state.stage.ended:
            self._portability.look(snapshot)
        if not flies or state.stage not in (Stage.PROVING, Stage.SOAKING):
            self._remember(state)
            return
        self._last = snapshot, verdict
        for role, verdicts in (("gate", verdict.gates), ("abort", verdict.aborts)):
            for one in verdicts:
                self._verdict(role, one)
        if state.stage is Stage.SOAKING:
            self._gates(verdict.gates)
            self._soak(state)
        self._failures(verdict, state)

    def _remember(self, state: RunState) -> None:
        """Keep what was judged last before a rollback, the findings of that moment with it."""
        if self.judged or self._last is None or state.stage not in GOING_HOME:
            return
        snapshot, verdict = self._last
        found = tuple(f.title for f in findings(snapshot, self._playbook))
        self.judged = Judged(snapshot.time, verdict.gates, verdict.aborts, found)

    def _failures(self, verdict: Judgement, state: RunState) -> None:
        """Every gate of a soak that turns FAIL and every one that no longer does; the way back at any time."""
        gates = verdict.gates if state.stage is Stage.SOAKING else ()
        now = {v.gate: v for v in (*gates, verdict.readiness.verdict) if v.outcome is Outcome.FAIL}
        for one in {v.gate: v for v in (*gates, verdict.readiness.verdict)}.values():
            if one.gate in now and one.gate not in self._failing:
                self._turned(one, f"{one.gate} FAILS: {one.reason}", verdict.gates)
            elif one.gate in self._failing and one.gate not in now:
                self._turned(one, f"{one.gate} fails no longer: {one.outcome}", verdict.gates)
        self._failing = now

    def _turned(self, of: Verdict, text: str, gates: tuple[Verdict, ...]) -> None:
        waiting: list[Json] = [v.gate for v in gates if not v.passed]
        self._logbook.say(EventType.GATE, text, gate=of.gate, verdict=str(of.outcome), open=not waiting, waiting=waiting)

    def _verdict(self, role: str, verdict: Verdict) -> None:
        if self._verdicts.get((role, verdict.gate)) is verdict.outcome:
            return
        self._verdicts[role, verdict.gate] = verdict.outcome
        text = f"{role} {verdict.gate}: {verdict.outcome}: {verdict.reason}"
        self._logbook.say(EventType.VERDICT, text, role=role, **verdict_fields(verdict))

    def _gates(self, gates: tuple[Verdict, ...]) -> None:
        is_open = all(v.passed for v in gates)
        if is_open is not self._open:
            self._open = is_open
            waiting: list[Json] = [v.gate for v in gates if not v.passed]
            text = "all gates pass" if is_open else f"waiting for {', '.join(str(w) for w in waiting)}"
            self._logbook.say(EventType.GATE, text, open=is_open, waiting=waiting)

    def _soak(self, state: RunState) -> None:
        phase = state.current(self._playbook)
        if phase is None or not phase.soak:
            return
        quarter = min(4, int(4 * state.soaked / phase.soak))
        if quarter < self._quarter and state.soaked == 0:
            self._logbook.say(EventType.SOAK, "soak starts anew: a gate failed", soaked=0, soak=phase.soak)
        elif quarter > self._quarter:
            text = f"soaked {minutes(state.soaked, passed=True)} of {minutes(phase.soak)}"
            self._logbook.say(EventType.SOAK, text, soaked=round(state.soaked, 1), soak=phase.soak)
        self._quarter = quarter

    def _sources(self, snapshot: Snapshot) -> None:
        for name, now in snapshot.sources.items():
            before = self._faults.get(name, Freshness.UNSYNCED)
            bad = now.freshness in (Freshness.STALE, Freshness.FAULT)
            was_bad = before in (Freshness.STALE, Freshness.FAULT)
            if (bad and now.freshness is not before) or (was_bad and now.live):
                text = f"{name}: {words(now)}"
                self._logbook.say(EventType.SOURCE_FAULT, text, source=str(name), freshness=str(now.freshness), why=now.why)
            self._faults[name] = now.freshness

    def holds(self, snapshot: Snapshot, verdict: Judgement) -> bool:
        """Every lever of the phase is proven, by sources that are live."""
        return all(r.proof is Proof.PROVEN for r in verdict.readings) and self._live(snapshot)

    def _live(self, snapshot: Snapshot) -> bool:
        needed = [SourceName.DEPLOYMENTS] + ([SourceName.RULES] if self._playbook.alb else [])
        return all(snapshot.source(name).live for name in needed)

    def stuck(self, snapshot: Snapshot, state: RunState) -> str:
        """Why the phase cannot be proven: the scheduler's own words on a pod that has found no node for a while."""
        phase = state.current(self._playbook)
        if phase is None or phase.affinity is None:
            return ""
        pending = [p for p in pods_of(snapshot, phase.affinity.workload) if p.unschedulable]
        if not pending:
            self._pending_since = None
            return ""
        if self._pending_since is None:
            self._pending_since = snapshot.monotonic
        if snapshot.monotonic - self._pending_since < PATIENCE:
            return ""
        known = next((f for f in findings(snapshot, self._playbook) if f"Pod/{pending[0].name}" in f.objects), None)
        title, move = (known.title, f"; {known.rollback}") if known else ("Pending", "")
        return f"{len(pending)} pods of {phase.affinity.workload} {title}: {pending[0].unschedulable}{move}"
