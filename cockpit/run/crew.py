"""The levers of a playbook, and which of them a phase moves to what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cockpit.errors import CockpitError, Impossible
from cockpit.levers.base import Lever, Signing
from cockpit.model.plan import Plan, Proof, Reading
from cockpit.model.playbook import Phase, Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.freshness import words

AnyLever = Lever[Any, Any]
NO_RECORD = "the record of the original is gone from the target"
UNTOUCHED = -1
ELSEWHERE = -2
"""Where `Crew.located` finds the world when it is in no phase."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Levers by name. One that could not be connected is in `missing` with the reason, so that the others still can act."""

    playbook: Playbook
    levers: Mapping[str, AnyLever] = field(default_factory=dict)
    missing: Mapping[str, CockpitError] = field(default_factory=dict)
    sure: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """By lever: raises Refused when what it has just read is proven to be of another place than the run's."""

    def steps(self, phase: Phase) -> Iterator[tuple[AnyLever, object]]:
        """The levers that a phase moves, with what each is to be. Unreachable and the like when one is missing."""
        for name, desired in moves(phase):
            if name in self.missing:
                raise self.missing[name]
            yield self.levers[name], desired

    def sign(self, run: str) -> None:
        """Write in the name of this run from now on: the shared one, not the one that this cockpit was opened for."""
        for lever in self.levers.values():
            if isinstance(lever, Signing):
                lever.run = run

    def homeward(self) -> Sequence[AnyLever]:
        """All levers in the playbook's rollback order."""
        return [self.levers[name] for name in self.playbook.rollback_order if name in self.levers]

    def plan_from(self, snapshot: Snapshot, phase: Phase) -> Plan:
        """The plan of a phase from what a snapshot shows. Impossible while a lever's source has not synced."""
        parts = []
        for lever, desired in self.steps(phase):
            state = lever.seen(snapshot)
            if state is None:
                raise Impossible(f"{lever.name}: what is configured now has not been read yet")
            parts.append(lever.plan(state, desired))
        return join(f"set {phase.name}", parts)

    def restore_from(self, snapshot: Snapshot) -> Plan:
        """The rollback's writes from what a snapshot shows."""
        states = [(lever, lever.seen(snapshot)) for lever in self.homeward()]
        if unknown := [lever.name for lever, state in states if state is None]:
            raise Impossible(f"{', '.join(unknown)}: not read yet; R reads it first and rolls back all the same")
        return join("roll back", [lever.restore(state) for lever, state in states])

    def settings(self, index: int) -> dict[str, object]:
        """What the phases up to `index` have set, by lever name: the last setting of each counts."""
        wanted: dict[str, object] = {}
        for phase in self.playbook.phases[: index + 1]:
            wanted |= dict(moves(phase))
        return wanted

    def readings(self, snapshot: Snapshot, index: int, moved: Collection[str] = ()) -> tuple[Reading, ...]:
        """How far everything that is set in phase `index` holds; only a live source proves anything.

        For a lever that this run has `moved`, the record of the original must be on its target: without it nothing leads back.
        """
        wanted = self.settings(index)
        return tuple(
            self._reading(self.levers[name], wanted[name], snapshot, name in moved) for name in wanted if name in self.levers
        )

    def _reading(self, lever: AnyLever, desired: object, snapshot: Snapshot, moved: bool) -> Reading:
        state = lever.seen(snapshot)
        if state is None:
            return Reading(lever.name, "", "", "", Proof.UNPROVEN, "not read yet")
        reading, source = lever.reading(state, desired), snapshot.source(lever.source)
        if reading.proof is Proof.PROVEN and not source.live:
            return replace(reading, proof=Proof.UNPROVEN, why=words(source))
        if source.live and moved and not self.moved(lever, state):
            why = NO_RECORD if reading.proof is Proof.PROVEN else "somebody has rolled it back"
            return replace(reading, proof=Proof.CONTRADICTED, why=why)
        return reading

    def unrecorded(self, lever: AnyLever, state: object) -> str:
        """Why "nothing was changed" may be untrue: what is configured is what some phase sets, and no original is recorded."""
        for phase in self.playbook.phases:
            for name, desired in moves(phase):
                if name == lever.name and lever.moves(desired) and not self._changes(name, state, desired):
                    return f"{NO_RECORD}, yet it stands as {phase.name} sets it: set it back by hand (the log says from what)"
        return ""

    def located(self, snapshot: Snapshot) -> int | None:
        """The phase that the world is in, by what is configured; None while that has not been read.

        UNTOUCHED when no run has changed anything, ELSEWHERE when one has but what is configured now fits no phase.
        """
        return self._place({lever.name: lever.seen(snapshot) for lever in self.levers.values()})

    async def locate(self) -> int | None:
        """As `located`, asked of the servers themselves. Unreachable and the like."""
        return self._place({name: await lever.read() for name, lever in self.levers.items()})

    def _place(self, states: Mapping[str, Any]) -> int | None:
        if any(state is None for state in states.values()) or self.missing:
            return None
        if not any(self.moved(lever, states[name]) for name, lever in self.levers.items()):
            return UNTOUCHED
        standing = [i for i in range(len(self.playbook.phases)) if self._stands(i, states)]
        return standing[-1] if standing else ELSEWHERE

    def _stands(self, index: int, states: Mapping[str, Any]) -> bool:
        """Everything that the phases up to `index` set, the last setting of each lever counting, is configured now."""
        wanted = self.settings(index)
        untouched = [lever for name, lever in self.levers.items() if name not in wanted]
        return all(not self._changes(name, states[name], desired) for name, desired in wanted.items()) and not any(
            self.moved(lever, states[lever.name]) for lever in untouched
        )

    def moved(self, lever: AnyLever, state: object) -> bool:
        """A run has changed the lever's target; a damaged record of the original says so too."""
        try:
            # A fence that was left where nothing was written is taken away by a rollback, but is no change.
            return any(write.request.get("only") != "epoch" for write in lever.restore(state).writes)
        except Impossible:
            return True

    def _changes(self, name: str, state: object, desired: object) -> bool:
        try:
            return bool(self.levers[name].plan(state, desired).writes)
        except Impossible:
            return True


def moves(phase: Phase) -> Iterator[tuple[str, object]]:
    """What a phase sets, by lever name, in the order in which it is set."""
    if phase.weights:
        yield "weights", phase.weights
    if phase.affinity:
        yield "affinity", phase.affinity


def join(title: str, plans: Sequence[Plan]) -> Plan:
    """Several levers' plans as one."""
    return Plan(
        title=title,
        writes=tuple(write for plan in plans for write in plan.writes),
        blast_radius="; ".join(plan.blast_radius for plan in plans if plan.blast_radius and plan.writes),
    )
