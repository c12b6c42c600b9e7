"""One case flown: the world brought there, the fault made, R pressed, the world compared."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from cockpit.model.controls import Standing
from cockpit.model.event import Event, EventType
from cockpit.run.state import Stage
from tests.rollback.cases import Case, Fault, Stand
from tests.rollback.faults import expected, journal, standing, under
from tests.rollback.ground import Ground, flight

LIMIT = 60.0
"""Wall seconds for one rollback."""


@dataclass(frozen=True)
class Flown:
    """What came of it. `first` is in wall seconds from Enter to the first intended write, None when nothing was to be written."""

    stage: Stage
    error: str
    wrong: tuple[str, ...]
    """The objects that are not as they must be."""
    first: float | None
    said: tuple[str, ...]


async def fly(case: Case, ground: Ground, folder: Path) -> Flown:
    """Fly the case, and leave the world tidy."""
    name = f"{case.phase}-{case.stand}-{case.fault}".replace(" ", "-")
    async with flight(ground, journal(case.fault, folder, name)) as flown:
        await ground.bring(flown.crew, case.phase, half=case.half)
        flown.course.state = case.state(flown.logbook.run, flown.clock.now())
        await flown.next_tick()
        first: list[float] = []

        def heard(event: Event) -> None:
            if event.type is EventType.WRITE_INTENDED:
                first.append(time.monotonic())

        flown.logbook.listen(heard)
        async with under(case.fault, ground, flown):
            pressed = time.monotonic()
            assert flown.roll_back() == ""
            if case.stand is Stand.AGAIN:
                assert flown.roll_back() == "already rolling back"
            async with asyncio.timeout(LIMIT):
                while not flown.state.stage.ended or flown.state.stage is Stage.COMPLETED:
                    await flown.next_tick()
        if case.fault in (Fault.LEASE, Fault.TAKEN):
            await standing(flown, Standing.MINE)
        now, wanted = await ground.picture(), expected(case.fault, ground.before)
        wrong = tuple(name for name in wanted if now.get(name) != wanted[name])
        said = tuple(e.message for e in flown.events())
        outcome = Flown(flown.state.stage, flown.state.error, wrong, first[0] - pressed if first else None, said)
    await ground.tidy()
    return outcome


def may_fail(case: Case) -> bool:
    """A paused Deployment has its spec back and rolls only when somebody resumes it: no safety yet, where pods had rolled."""
    return case.fault is Fault.PAUSED and case.phase == 3
