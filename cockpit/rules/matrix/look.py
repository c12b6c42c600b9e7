"""One look: every detector run over one snapshot, and what each could not see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from cockpit.model.finding import Finding, FindingKind
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome
from cockpit.rules.freshness import words
from cockpit.rules.kept import Recent
from cockpit.rules.matrix.advice import ADVICE
from cockpit.rules.matrix.moves import first, standing, way_back
from cockpit.rules.matrix.registry import DETECTORS, EXPLAINS, Detector
from cockpit.rules.matrix.rollouts import one_arch_stuck
from cockpit.rules.matrix.scene import Scene, scene
from cockpit.rules.matrix.unseen import unseen_images
from cockpit.rules.readiness import readiness


class State(StrEnum):
    """What a detector has to say."""

    FOUND = "FOUND"
    CLEAR = "CLEAR"
    """Everything it looks at was seen, and there is nothing."""
    BLIND = "BLIND"
    """Something it looks at cannot be believed now: nothing was found, and that proves nothing."""
    ABSENT = "ABSENT"
    """The playbook has nothing for it to look at."""


@dataclass(frozen=True, slots=True)
class Row:
    """A detector's state. `why` says what it cannot see or why it has nothing to look at."""

    kind: FindingKind
    title: str
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """All findings, the gravest first, and one row for each kind, in the same order."""

    findings: tuple[Finding, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def blind(self) -> tuple[Row, ...]:
        """The detectors that could not see."""
        return tuple(row for row in self.rows if row.state is State.BLIND)

    def row(self, kind: FindingKind) -> Row:
        """What the detector of `kind` has to say; only of a look."""
        return next(row for row in self.rows if row.kind is kind)


NOT_LOOKED = Matrix()
"""Before anything has been observed."""


LASTS = timedelta(seconds=5)
"""A look at a world that has not changed holds so long: some findings wait for a pod to grow old."""


def look(snapshot: Snapshot, playbook: Playbook) -> Matrix:
    """Run every detector. The commands of its findings are in no context: whoever draws them puts them in one."""
    return _recent(snapshot, playbook)


_LOOKED_AT = (
    "nodes", "pods", "deployments", "daemonsets", "events", "usage", "images", "autoscalers", "quotas", "rules", "targets",
)  # fmt: skip


def _parts(snapshot: Snapshot, playbook: Playbook) -> tuple[object, ...]:  # noqa: ARG001 (one shape for all)
    return tuple([getattr(snapshot, name) for name in _LOOKED_AT])


def _standing(snapshot: Snapshot) -> object:
    return {name: (state.freshness, state.why) for name, state in snapshot.sources.items()}


def _look(snapshot: Snapshot, playbook: Playbook) -> Matrix:
    seen = scene(snapshot, playbook)
    images = unseen_images(seen)
    found: list[Finding] = []
    rows: list[Row] = []
    for detector in DETECTORS:
        mine = _detected(detector, seen, snapshot, found)
        found += mine
        rows.append(_row(detector, snapshot, playbook, images, found=bool(mine)))
    now = standing(snapshot, playbook, _unready(snapshot, playbook) if found else "")
    safe = (replace(f, rollback=way_back(seen, f, now), first=first(seen, f)) for f in found)
    return Matrix(tuple(safe), tuple(rows))


_recent = Recent(_look, _parts, _standing, LASTS)


def _unready(snapshot: Snapshot, playbook: Playbook) -> str:
    """Why nobody should be sent home now; what is not known does not keep anybody from it."""
    verdict = readiness(snapshot, playbook).verdict
    return verdict.reason if verdict.outcome is Outcome.FAIL else ""


def findings(snapshot: Snapshot, playbook: Playbook) -> tuple[Finding, ...]:
    """Everything that is detected, the gravest first."""
    return look(snapshot, playbook).findings


def _detected(detector: Detector, seen: Scene, snapshot: Snapshot, before: Iterable[Finding] = ()) -> list[Finding]:
    """What one detector finds; `before` are the findings of those above it. Nothing while a source that it needs is not live."""
    if detector.absent(seen.playbook) or any(not snapshot.source(name).live for name in detector.needs):
        return []
    if detector.kind is FindingKind.ONE_ARCH_STUCK:
        return list(one_arch_stuck(seen, frozenset(o for f in before if f.kind in EXPLAINS for o in f.objects)))
    return list(detector.detect(seen))


def _row(detector: Detector, snapshot: Snapshot, playbook: Playbook, images: str, *, found: bool) -> Row:
    title = ADVICE[detector.kind].title.format(arch=playbook.target.to_arch)
    if found:
        return Row(detector.kind, title, State.FOUND)
    if why := detector.absent(playbook):
        return Row(detector.kind, title, State.ABSENT, why)
    uses = (*detector.needs, *detector.helps)
    if why := _unseen(snapshot, uses) or (images if SourceName.IMAGES in uses else ""):
        return Row(detector.kind, title, State.BLIND, why)
    return Row(detector.kind, title, State.CLEAR)


def _unseen(snapshot: Snapshot, names: Iterable[SourceName]) -> str:
    """The sources among `names` that are not live, in words; empty when all are."""
    states = ((name, snapshot.source(name)) for name in names)
    return "; ".join(f"{name}: {words(state)}" for name, state in states if not state.live)
