"""A lever on a plain value in memory: real enough to prove the order of things, and to fail on demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from cockpit.errors import CockpitError, Drift, NotInControl
from cockpit.levers.base import Fence, Found
from cockpit.model.json import Json
from cockpit.model.plan import Plan, Proof, Reading, Write
from cockpit.model.snapshot import Snapshot, SourceName


@dataclass
class ValueLever:
    """Holds `value`; `journey` is shared between levers and records every write in order; `faults` are raised one by one."""

    name: str
    value: Json = "home"
    original: Json = None
    journey: list[str] = field(default_factory=list)
    faults: list[CockpitError] = field(default_factory=list)
    settles_after: int = 0
    epoch: int = 0

    @property
    def source(self) -> SourceName:
        return SourceName.RULES

    def moves(self, desired: object) -> bool:
        return True

    async def read(self) -> Json:
        if self.faults:
            raise self.faults.pop(0)
        return self.value

    async def read_for_restore(self) -> Json:
        return await self.read()

    def seen(self, snapshot: Snapshot) -> Json:
        return self.value

    def plan(self, state: Json, desired: object) -> Plan:
        wanted = str(desired)
        writes = () if state == wanted else (Write(self.name, self.name, state, wanted),)
        return Plan(f"{self.name} to {wanted}", writes, f"{self.name} moves")

    def undo(self, plan: Plan) -> Plan:
        return Plan("undo", tuple(Write(w.lever, w.target, w.after, w.before) for w in reversed(plan.writes)))

    def restore(self, state: Json) -> Plan:
        return Plan("restore", () if self.original is None else (Write(self.name, self.name, state, self.original),))

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        if self.faults:
            raise self.faults.pop(0)
        if fence and (mine := fence()) < self.epoch:
            raise NotInControl(f"{self.name} has epoch {self.epoch}, this cockpit {mine}")
        self.epoch = fence() if fence else self.epoch
        if write.after == self.value:
            return
        if write.before != self.value:
            raise Drift(f"{self.name} is {self.value}")
        self.journey.append(f"{self.name}={write.after}")
        self.original = None if write.after == self.original else (self.original or self.value)
        self.value = write.after

    async def found(self, write: Write) -> Found:
        if self.faults:
            raise self.faults.pop(0)
        if self.value == write.after:
            return Found.DONE
        return Found.NOT_DONE if self.value == write.before else Found.CONTRADICTED

    def reading(self, state: Json, desired: object | None) -> Reading:
        wanted = "home" if desired is None else str(desired)
        self.settles_after -= 1
        right = state == wanted and self.settles_after < 0
        return Reading(self.name, wanted, str(state), "", Proof.PROVEN if right else Proof.UNPROVEN, "" if right else "moving")
