"""A rollback from the command line is over in a moment: the run's record tells of it all the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from cockpit.clock import ManualClock
from cockpit.model.event import EventType
from cockpit.run.logbook import Logbook
from cockpit.run.shared.beside import Beside
from cockpit.run.shared.keeper import Keeper
from cockpit.run.state import Stage
from tests.contract.leaping import LeapingClock
from tests.unit.run.documents import RUN, SHA, MemoryDocument, left, settled


@dataclass
class SlowDesk:
    """Has the controls once `go` is set; answers `why` before that when it is not empty."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""
    closed: bool = False

    def start(self) -> None:
        return None

    async def take(self) -> str:
        if not self.why:
            await self.go.wait()
        return self.why

    async def close(self) -> None:
        self.closed = True


def made(document: MemoryDocument, desk: SlowDesk) -> tuple[Beside, Logbook]:
    logbook = Logbook(ManualClock(), "run-9", "bob", None)
    logbook.say(EventType.ROLLBACK_STARTED, "on the word of bob")
    keeper = Keeper(document, ManualClock(), "p", SHA, "bob", lambda: 2, wall=LeapingClock())
    return Beside(keeper, desk, logbook, ManualClock()), logbook  # type: ignore[arg-type]


@pytest.mark.parametrize(("safe", "stage"), [(True, Stage.ROLLED_BACK), (False, Stage.FAILED)])
async def test_a_rollback_that_is_over_first_is_in_the_record_with_its_story(safe: bool, stage: Stage) -> None:
    document, desk = MemoryDocument(left().as_texts()), SlowDesk()
    beside, logbook = made(document, desk)
    beside.start()
    logbook.say(EventType.ROLLED_BACK, "safe")
    closing = asyncio.create_task(beside.close(safe=safe))
    await settled()
    assert not closing.done(), "the attempt that is under way is waited for"
    desk.go.set()
    await closing
    assert document.record.state.stage is stage
    assert [(e.type, e.run) for e in document.record.events] == [(EventType.ROLLBACK_STARTED, RUN), (EventType.ROLLED_BACK, RUN)]
    assert desk.closed


async def test_controls_that_were_refused_are_not_waited_for() -> None:
    document, desk = MemoryDocument(left().as_texts()), SlowDesk(why="not allowed")
    beside, _ = made(document, desk)
    beside.start()
    await settled()
    await beside.close(safe=True)
    assert document.record.state.stage is Stage.SOAKING
