"""The audit as a source: once at the start, again when it is asked for or old, and never in the way of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import Unreachable
from cockpit.model.audit import Audit, Progress
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.sources.portability import EVERY, MISSED, RED_EVERY, PortabilitySource, Say
from cockpit.store import Store, drive
from tests.audits import CLEAR, VETOED, audit

LIMIT = 10.0


@dataclass
class Bench:
    """A survey that goes on when it is told to, and the store that hears of it."""

    clock: ManualClock = field(default_factory=ManualClock)
    begun: int = 0
    says: Say = lambda _: None
    answer: asyncio.Future[Audit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def survey(self, say: Say) -> Audit:
        self.begun += 1
        self.says = say
        return await asyncio.shield(self.answer)

    def ended(self, found: Audit | Exception) -> None:
        last, self.answer = self.answer, asyncio.get_running_loop().create_future()
        if isinstance(found, Exception):
            last.set_exception(found)
        else:
            last.set_result(found)


@asynccontextmanager
async def driven(bench: Bench, *, by_itself: bool = True) -> AsyncIterator[tuple[PortabilitySource, Store]]:
    source, store = PortabilitySource(bench.survey, bench.clock, by_itself=by_itself), Store(bench.clock)
    task = asyncio.create_task(drive(source, store))
    try:
        yield source, store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(store: Store, wanted: Callable[[Snapshot], bool]) -> Snapshot:
    async with asyncio.timeout(LIMIT):
        while not wanted(seen := store.freeze()):  # noqa: ASYNC110 (the clock stands still: only turns of the loop pass)
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)  # the source goes on to rest
    return seen


def state(seen: Snapshot) -> Freshness:
    return seen.source(SourceName.PORTABILITY).freshness


async def test_it_says_how_far_it_is_and_is_live_all_the_while() -> None:
    bench = Bench()
    async with driven(bench) as (_, store):
        seen = await until(store, lambda s: s.auditing.progress is not None)
        assert state(seen) is Freshness.LIVE, "nothing else waits for it"
        assert seen.auditing.audit is None
        await until(store, lambda _: bench.begun == 1)
        bench.says(Progress(12, 40, "image a"))
        await until(store, lambda s: s.auditing.progress == Progress(12, 40, "image a"))
        bench.ended(audit(*CLEAR))
        seen = await until(store, lambda s: s.auditing.audit is not None)
        assert seen.auditing.progress is None
        assert seen.auditing.at == bench.clock.now()


@pytest.mark.parametrize(("rows", "seconds"), [(CLEAR, EVERY), (VETOED, RED_EVERY)], ids=["clear", "red"])
async def test_it_is_made_again_when_it_is_old_and_sooner_while_something_is_red(
    rows: tuple[object, ...], seconds: float
) -> None:
    bench = Bench()
    async with driven(bench) as (_, store):
        await until(store, lambda _: bench.begun == 1)
        bench.ended(audit(*rows))  # type: ignore[arg-type]
        await until(store, lambda s: s.auditing.audit is not None)
        await bench.clock.advance(seconds - 1)
        assert bench.begun == 1
        await bench.clock.advance(2)
        seen = await until(store, lambda _: bench.begun == 2)
        assert seen.auditing.audit is not None, "what was found before stands until the new one has ended"


async def test_somebody_asks_for_another_one_and_two_at_once_are_refused() -> None:
    bench = Bench()
    async with driven(bench) as (source, store):
        await until(store, lambda _: bench.begun == 1)
        assert source.again() == "an audit is under way"
        bench.ended(audit(*VETOED))
        await until(store, lambda s: s.auditing.audit is not None)
        assert source.again() == ""
        await until(store, lambda _: bench.begun == 2)
        bench.ended(audit(*CLEAR))
        seen = await until(store, lambda s: s.auditing.audit == audit(*CLEAR))
        assert seen.auditing.progress is None


@pytest.mark.parametrize(
    ("error", "words"),
    [(Unreachable("no route to host"), "no route to host"), (ValueError("token=s3cret"), "it broke off (ValueError)")],
)
async def test_a_survey_that_fails_is_a_fault_and_is_tried_again(error: Exception, words: str) -> None:
    bench = Bench()
    async with driven(bench) as (_, store):
        await until(store, lambda _: bench.begun == 1)
        bench.ended(error)
        seen = await until(store, lambda s: state(s) is Freshness.FAULT)
        assert seen.source(SourceName.PORTABILITY).why == seen.auditing.why == words
        await bench.clock.advance(RED_EVERY + 1)
        await until(store, lambda _: bench.begun == 2)
        bench.ended(audit(*CLEAR))
        seen = await until(store, lambda s: s.auditing.audit is not None)
        assert (state(seen), seen.auditing.why) == (Freshness.LIVE, "")


async def test_an_audit_that_never_ends_leaves_the_last_one_stale() -> None:
    bench = Bench()
    async with driven(bench) as (_, store):
        await until(store, lambda _: bench.begun == 1)
        bench.ended(audit(*CLEAR))
        await until(store, lambda s: s.auditing.audit is not None)
        await bench.clock.advance(EVERY + 1)
        await until(store, lambda _: bench.begun == 2)
        await bench.clock.advance(MISSED * EVERY + 1)
        assert state(store.freeze()) is Freshness.STALE


async def test_where_no_playbook_asks_for_it_only_a_person_does() -> None:
    bench = Bench()
    async with driven(bench, by_itself=False) as (source, store):
        seen = await until(store, lambda s: state(s) is Freshness.LIVE)
        await bench.clock.advance(10 * EVERY)
        assert (bench.begun, state(store.freeze()), seen.auditing.progress) == (0, Freshness.LIVE, None)
        assert source.again() == ""
        await until(store, lambda _: bench.begun == 1)


async def test_words_of_an_audit_that_never_ends_make_the_last_one_no_younger() -> None:
    bench = Bench()
    async with driven(bench) as (_, store):
        await until(store, lambda _: bench.begun == 1)
        bench.ended(audit(*CLEAR))
        await until(store, lambda s: s.auditing.audit is not None)
        await bench.clock.advance(EVERY + 1)
        await until(store, lambda _: bench.begun == 2)
        await bench.clock.advance((MISSED - 1) * EVERY)
        bench.says(Progress(1, 2, "still at it"))
        seen = await until(store, lambda s: s.auditing.progress == Progress(1, 2, "still at it"))
        assert state(seen) is Freshness.STALE


async def test_once_a_phase_has_begun_only_a_person_has_it_made_again() -> None:
    bench = Bench()
    async with driven(bench) as (source, store):
        await until(store, lambda _: bench.begun == 1)
        source.heeds(lambda: True, lambda: False)
        bench.ended(audit(*VETOED))
        await until(store, lambda s: s.auditing.audit is not None)
        for _ in range(30):
            await bench.clock.advance(RED_EVERY + 1)
            seen = await until(store, lambda s: True)
        assert (bench.begun, state(seen)) == (1, Freshness.LIVE)
        assert source.again() == ""
        await until(store, lambda _: bench.begun == 2)


async def test_no_audit_is_begun_during_a_rollback_though_somebody_asks() -> None:
    bench, home = Bench(), [False]
    async with driven(bench) as (source, store):
        source.heeds(lambda: True, lambda: home[0])
        await until(store, lambda s: state(s) is Freshness.LIVE)
        assert bench.begun == 0, "taken over in the middle of a run"
        assert source.again() == ""
        home[0] = True  # before the source has turned to it
        await until(store, lambda s: True)
        assert bench.begun == 0
        assert "rollback" in source.again()
        home[0] = False
        assert source.again() == ""
        await until(store, lambda _: bench.begun == 1)
