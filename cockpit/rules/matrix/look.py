"""One look: every detector run over one snapshot, and what each could not see."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cockpit.model.finding import Finding, FindingKind
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot, SourceName, SourceState
from cockpit.rules.freshness import words
from cockpit.rules.matrix.advice import ADVICE
from cockpit.rules.matrix.registry import DETECTORS, EXPLAINS, Detector
from cockpit.rules.matrix.rollouts import one_arch_stuck
from cockpit.rules.matrix.scene import Scene, scene


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


NOT_LOOKED = Matrix()
"""Before anything has been observed."""


_recent: deque[tuple[Snapshot, Playbook, str, Matrix]] = deque(maxlen=2)
"""One tick asks for the same look several times (for the picture, for each trigger), and most ticks bring nothing new."""
LASTS = timedelta(seconds=5)
"""A look at a world that has not changed holds so long: some findings wait for a pod to grow old."""


def look(snapshot: Snapshot, playbook: Playbook, context: str = "") -> Matrix:
    """Run every detector. `context` is the kubeconfig context for the commands; the playbook's own when empty."""
    for was, of, there, matrix in tuple(_recent):
        if of is playbook and there == context and _same(was, snapshot):
            return matrix
    matrix = _look(snapshot, playbook, context)
    _recent.append((snapshot, playbook, context, matrix))
    return matrix


def _same(was: Snapshot, now: Snapshot) -> bool:
    """Nothing that is looked at has changed: the store hands out the same maps until something in them does."""
    if was is now:
        return True
    if not timedelta() <= now.time - was.time < LASTS or any(getattr(was, n) is not getattr(now, n) for n in _LOOKED_AT):
        return False
    return was.sources.keys() == now.sources.keys() and all(_alike(was.sources[n], now.sources[n]) for n in now.sources)


_LOOKED_AT = (
    "nodes", "pods", "deployments", "daemonsets", "events", "images", "autoscalers", "quotas", "rules", "targets",
)  # fmt: skip


def _alike(was: SourceState, now: SourceState) -> bool:
    return was.freshness is now.freshness and was.why == now.why


def _look(snapshot: Snapshot, playbook: Playbook, context: str) -> Matrix:
    seen = scene(snapshot, playbook, context)
    found: list[Finding] = []
    rows: list[Row] = []
    for detector in DETECTORS:
        mine = _detected(detector, seen, snapshot, found)
        found += mine
        rows.append(_row(detector, snapshot, playbook, bool(mine)))
    return Matrix(tuple(found), tuple(rows))


def findings(snapshot: Snapshot, playbook: Playbook, context: str = "") -> tuple[Finding, ...]:
    """Everything that is detected, the gravest first."""
    return look(snapshot, playbook, context).findings


def _detected(detector: Detector, seen: Scene, snapshot: Snapshot, before: Iterable[Finding] = ()) -> list[Finding]:
    """What one detector finds; `before` are the findings of those above it. Nothing while a source that it needs is not live."""
    if detector.absent(seen.playbook) or any(not snapshot.source(name).live for name in detector.needs):
        return []
    if detector.kind is FindingKind.ONE_ARCH_STUCK:
        return list(one_arch_stuck(seen, frozenset(o for f in before if f.kind in EXPLAINS for o in f.objects)))
    return list(detector.detect(seen))


def _row(detector: Detector, snapshot: Snapshot, playbook: Playbook, found: bool) -> Row:
    title = ADVICE[detector.kind].title.format(arch=playbook.target.to_arch)
    if found:
        return Row(detector.kind, title, State.FOUND)
    if why := detector.absent(playbook):
        return Row(detector.kind, title, State.ABSENT, why)
    if why := _unseen(snapshot, (*detector.needs, *detector.helps)):
        return Row(detector.kind, title, State.BLIND, why)
    return Row(detector.kind, title, State.CLEAR)


def _unseen(snapshot: Snapshot, names: Iterable[SourceName]) -> str:
    """The sources among `names` that are not live, in words; empty when all are."""
    states = ((name, snapshot.source(name)) for name in names)
    return "; ".join(f"{name}: {words(state)}" for name, state in states if not state.live)
