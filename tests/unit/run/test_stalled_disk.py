"""A disk that stands still: nobody waits for it but who sets a phase, and whoever goes home does not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from cockpit.clock import ManualClock
from cockpit.journal import Journal
from cockpit.run.crew import Crew
from cockpit.run.executor import set_phase
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import roll_back
from tests.factories import PLAYBOOK
from tests.levers import ValueLever

PHASE = PLAYBOOK.phases[1]


class Disk:
    """fsync begins, and ends when it is let go; `spun` counts those that ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go, self.spun = Event(), Event(), 0
        real = os.fsync

        def stalled(file: int) -> None:
            self.begun.set()
            if not self.go.wait(30):
                raise OSError(110, "nobody has let it go")
            real(file)
            self.spun += 1

        monkeypatch.setattr("os.fsync", stalled)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(monkeypatch)
    yield made
    made.go.set()


@pytest.fixture
def logbook(tmp_path: Path, disk: Disk) -> Iterator[Logbook]:
    made = Logbook(ManualClock(), "run", "ana", Journal(tmp_path / "journal.jsonl"))
    yield made
    disk.go.set()
    made.close()


async def test_a_rollback_is_home_while_the_disk_stands_still(disk: Disk, logbook: Logbook) -> None:
    lever = ValueLever("weights", value="away", original="home")
    outcome = await roll_back(Crew(PLAYBOOK, {"weights": lever}), logbook, ManualClock())
    assert (outcome.safe, lever.value) == (True, "home")
    assert disk.spun == 0


async def test_a_phase_is_written_only_once_its_intent_is_on_the_disk_and_nothing_else_waits(
    disk: Disk, logbook: Logbook
) -> None:
    levers = {name: ValueLever(name) for name in ("weights", "affinity")}
    setting = asyncio.create_task(set_phase(PHASE, Crew(PLAYBOOK, {**levers}), logbook, None))
    await asyncio.to_thread(disk.begun.wait, 30)
    for _ in range(20):
        await asyncio.sleep(0)  # ticks, keys and renewals go on
    assert not setting.done()
    assert levers["weights"].journey == []
    assert disk.spun == 0
    disk.go.set()
    await asyncio.wait_for(setting, 30)
    assert levers["weights"].journey != []
    assert disk.spun >= 1


async def test_whoever_waits_for_the_disk_can_be_told_to_stop(disk: Disk, logbook: Logbook) -> None:
    lever = ValueLever("weights")
    setting = asyncio.create_task(set_phase(PHASE, Crew(PLAYBOOK, {"weights": lever}), logbook, None))
    await asyncio.to_thread(disk.begun.wait, 30)
    setting.cancel()
    await asyncio.wait([setting], timeout=30)
    assert setting.cancelled()
    assert (lever.journey, disk.spun) == ([], 0)


async def test_a_journal_can_be_opened_again_although_its_last_words_are_not_on_the_disk(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.syncing.LAST_SECONDS", 0.01)
    first = Journal(tmp_path / "two.jsonl")
    first.write({"message": "one"})
    synced = first.synced()
    await asyncio.to_thread(disk.begun.wait, 30)
    first.close()
    with Journal(tmp_path / "two.jsonl") as second:
        second.write({"message": "two"})
    assert not synced.done()
    disk.go.set()
    assert await asyncio.wrap_future(synced) is None  # type: ignore[func-returns-value]


async def test_one_call_for_all_that_was_written_while_the_last_one_ran(disk: Disk, tmp_path: Path) -> None:
    with Journal(tmp_path / "many.jsonl") as journal:
        first = journal.synced()
        await asyncio.to_thread(disk.begun.wait, 30)
        later = [journal.synced() for _ in range(50)]
        disk.go.set()
        await asyncio.gather(*map(asyncio.wrap_future, {first, *later}))
    assert disk.spun == 2
