"""A run and its portability gate: refused before the first phase, recorded when it begins, in nobody's way later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from cockpit.clock import ManualClock
from cockpit.flight import Flight
from cockpit.headless import Progress as Headway
from cockpit.model.auditing import NOT_AUDITED, Auditing
from cockpit.model.event import Event, EventType
from cockpit.model.playbook import Portability
from cockpit.model.snapshot import SourceName
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.shared.record import Record
from cockpit.run.state import Stage
from cockpit.sources.base import Kind, Observation
from cockpit.sources.portability import KEY
from tests.audits import CLEAR, VETOED, audited
from tests.factories import PLAYBOOK
from tests.levers import ValueLever
from tests.unit.run.test_flight import Steady

GATED = replace(PLAYBOOK, portability=Portability("waived_ok"))
LIMIT = 10.0


@dataclass
class Told:
    """An audit that is what the test says."""

    names = (SourceName.PORTABILITY,)
    stale_after = 1e9
    now: asyncio.Queue[Auditing] = field(default_factory=asyncio.Queue)
    begun: Callable[[], bool] = lambda: True
    going_home: Callable[[], bool] = lambda: True

    def heeds(self, begun: Callable[[], bool], going_home: Callable[[], bool]) -> None:
        self.begun, self.going_home = begun, going_home

    async def observe(self) -> AsyncIterator[Observation]:
        yield Observation(SourceName.PORTABILITY, Kind.LISTED, 0.0, keys=frozenset({KEY}))
        while True:
            yield Observation(SourceName.PORTABILITY, Kind.UPSERT, 0.0, KEY, await self.now.get())


class Others(Steady):
    names = tuple(name for name in SourceName if name is not SourceName.PORTABILITY)

    async def observe(self) -> AsyncIterator[Observation]:
        async for observation in super().observe():
            if observation.source is not SourceName.PORTABILITY:
                yield observation


@asynccontextmanager
async def flying(first: Auditing) -> AsyncIterator[tuple[Flight, Told]]:
    clock, told = ManualClock(), Told()
    told.now.put_nowait(first)
    levers = {name: ValueLever(name) for name in ("weights", "affinity")}
    flight = Flight(
        Crew(GATED, levers),
        [Others(), told],
        Identity("rehearsal", "ana@bastion"),
        clock,
        Logbook(clock, "run", "ana@bastion", None),
        tick_seconds=0.001,
        audit=lambda: "an audit is under way",
    )
    flight.start()
    try:
        await asyncio.wait_for(flight.synced.wait(), LIMIT)
        await seen(flight, first)
        yield flight, told
    finally:
        await flight.close()


async def seen(flight: Flight, wanted: Auditing) -> None:
    async with asyncio.timeout(LIMIT):
        while not ((picture := flight.frame()) and picture.snapshot.auditing == wanted):
            await flight.next_tick()


def gates(flight: Flight) -> list[Event]:
    return [e for e in flight.events() if e.type is EventType.GATE and e.fields.get("gate") == "portability"]


async def begin(flight: Flight) -> str:
    picture = flight.frame()
    assert picture is not None and picture.next_plan is not None
    return flight.promote(picture.next_plan.hash)


async def test_promote_is_refused_with_the_component_and_an_autopilot_with_the_same_words() -> None:
    async with flying(audited(*VETOED)) as (flight, _):
        picture = flight.frame()
        assert picture is not None
        assert [(v.gate, str(v.outcome)) for v in picture.gates] == [("portability", "FAIL")]
        words = "portability: FIX image/…/edr/sensor:7.16.2 (1 of 5 red)"
        assert await begin(flight) == words
        assert flight.promote(None) == words
        assert flight.state.stage is Stage.READY
        [said] = gates(flight)
        assert said.fields["verdict"] == "FAIL" and said.fields["colour"] == "red"
        assert said.fields["red"] == ["image/registry.example.com/edr/sensor:7.16.2"]
        assert Headway(flight, 0.0).standstill() == f"no progress for 0 s: {words}"


async def test_nothing_begins_before_the_audit_has_ended() -> None:
    async with flying(NOT_AUDITED) as (flight, _):
        assert await begin(flight) == "portability: it has not been audited here"
        assert gates(flight) == [], "what is not known yet is no news"


async def test_a_rollback_waits_for_no_audit() -> None:
    async with flying(audited(*VETOED)) as (flight, _):
        assert flight.roll_back() == ""


async def test_an_audit_is_told_when_a_phase_has_begun_and_when_a_rollback_is_under_way() -> None:
    async with flying(audited(*CLEAR)) as (flight, told):
        assert (told.begun(), told.going_home()) == (False, False)
        assert await begin(flight) == ""
        assert (told.begun(), told.going_home()) == (True, False)
        assert flight.roll_back() == ""
        assert (told.begun(), told.going_home()) == (True, True)


async def test_a_run_that_begins_says_on_whose_waivers() -> None:
    async with flying(audited(*VETOED)) as (flight, told):
        told.now.put_nowait(audited(*CLEAR))
        await seen(flight, audited(*CLEAR))
        assert await begin(flight) == ""
        failed, passed, begun = gates(flight)
        assert [e.fields["verdict"] for e in (failed, passed, begun)] == ["FAIL", "PASS", "PASS"]
        assert begun.fields["waivers"] == [
            {
                "component": "image/registry.example.com/payments/ledger-export:1.9.4",
                "reason": "stays on x86 until January",
                "owner": "team-ledger",
                "expires": "2026-12-15",
            }
        ]
        assert begun.fields["colour"] == "waived"
        assert "begun on 1 waiver: image/registry.example.com/payments/ledger-export:1.9.4 by team-ledger" in begun.message
        order = [e.type for e in flight.events()]
        assert order.index(EventType.PHASE_STARTED) == flight.events().index(begun) + 1, "before anything is written"


async def test_what_turns_red_later_is_said_and_stops_nothing() -> None:
    async with flying(audited(*CLEAR)) as (flight, told):
        assert await begin(flight) == ""
        told.now.put_nowait(audited(*VETOED))
        await seen(flight, audited(*VETOED))
        picture = flight.frame()
        assert picture is not None
        assert "portability" not in [v.gate for v in picture.gates]
        assert not any("portability" in why for why in picture.promote.why)
        assert flight.state.hold is None
        assert gates(flight)[-1].fields["verdict"] == "FAIL"


async def test_somebody_who_asks_for_another_audit_is_told_why_not() -> None:
    async with flying(audited(*CLEAR)) as (flight, _):
        assert flight.audit() == "an audit is under way"


async def test_the_record_in_the_cluster_carries_the_audits_colour_and_the_words() -> None:
    async with flying(audited(*CLEAR)) as (flight, _):
        assert await begin(flight) == ""
        record = Record(flight.state, GATED.name, "")
        for event in flight.events():
            record = record.heard(event)
        again = Record.parse(record.as_texts())
        assert (again.portability, record.as_texts()["portability"]) == ("waived", "waived")
        assert any("begun on 1 waiver" in event.message for event in again.events)
