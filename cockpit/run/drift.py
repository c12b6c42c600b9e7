"""The drift tripwire of a run: says who changed what of it, once, and gives the flight a reason to hold.

What is watched is what the run has written: weights, affinity, the records of the originals. Other fields are their owners' own:
a new image during a run is said, because it makes the sides hard to compare, but holds nothing by itself; the gates judge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from cockpit.clock import Clock
from cockpit.model.event import EventType
from cockpit.model.managed import writer
from cockpit.model.plan import Reading
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.rules.tripwire import Look, Memory, watch
from cockpit.run.assess import Judgement
from cockpit.run.logbook import Logbook
from cockpit.run.state import RunState, Stage
from cockpit.sources.pace import patience

GRACE = 5.0
"""Seconds of the clock after a write for which a source may still show what was before it."""
GRACE_WALL = 2.0
WATCHED = (Stage.PROVING, Stage.SOAKING, Stage.COMPLETED)
IMAGES = ("f:spec", "f:template", "f:spec", "f:containers")


class DriftWatch:
    """Looks once a tick."""

    def __init__(self, logbook: Logbook, playbook: Playbook, clock: Clock) -> None:
        self._logbook = logbook
        self._workloads = [f"{ref.namespace}/{ref.name}" for ref in playbook.target.workloads]
        through_ingress = playbook.alb is not None and playbook.alb.ingress is not None
        weights = SourceName.INGRESSES if through_ingress else SourceName.RULES
        self._sources: Mapping[str, SourceName] = {"weights": weights, "affinity": SourceName.DEPLOYMENTS}
        self._grace = patience(clock, GRACE, GRACE_WALL)
        self._images: dict[str, tuple[str, ...]] = {}
        self._phase: tuple[object, ...] = ()
        self._memory = Memory()

    def begin(self) -> None:
        """Something is written by this cockpit: what was seen before counts no more."""
        self._memory = Memory()

    def resumed(self) -> None:
        """Somebody let go of a hold: a change that is still there is told again."""
        self._memory = self._memory.again()

    def look(self, snapshot: Snapshot, state: RunState, verdict: Judgement) -> str:
        """Say every change by others that is new; all of them in words, empty when there is none."""
        if state.stage not in WATCHED:
            return ""
        if self._phase != (phase := (state.run, state.phase, state.phase_at)):
            self._phase = phase
            self.begin()
        self._released(snapshot)
        self._memory, told = watch(self._memory, [self._one(r, snapshot, state) for r in verdict.readings])
        for change in told:
            fields = {"lever": change.lever, "target": change.target, "was": change.was, "is": change.found}
            self._logbook.say(EventType.DRIFT, str(change), **fields, who=change.who or "not known", held=True)
        return "; ".join(str(change) for change in told)

    def _one(self, reading: Reading, snapshot: Snapshot, state: RunState) -> Look:
        name = self._sources.get(reading.lever)
        source = snapshot.source(name) if name else None
        heard = snapshot.time - timedelta(seconds=source.age or 0.0) if source else snapshot.time
        proving = state.stage is Stage.PROVING and state.stage_at is not None
        fresh = not proving or (state.stage_at is not None and heard >= state.stage_at + timedelta(seconds=self._grace))
        return Look(reading, source is None or source.live, fresh)

    def _released(self, snapshot: Snapshot) -> None:
        for key in self._workloads:
            found = snapshot.deployments.get(key)
            if found is None or not snapshot.source(SourceName.DEPLOYMENTS).live:
                continue
            was = self._images.setdefault(key, found.images)
            if was == found.images:
                continue
            self._images[key] = found.images
            by = writer(found.managers, IMAGES)
            old, new, target = ", ".join(was), ", ".join(found.images), f"deployment/{found.name}"
            words = f"{target}: a release during the run: image was {old}, is {new}{f', by {by}' if by else ''}"
            fields = {"lever": "", "target": target, "was": old, "is": new}
            self._logbook.say(EventType.DRIFT, words, **fields, who=str(by or "not known"), held=False)
