"""One run and several cockpits: whoever takes the controls goes on where it stands, everybody else follows, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.controls.document import Document
from cockpit.errors import Conflict, NotInControl
from cockpit.flight import Flight
from cockpit.journal import NAME, Journal
from cockpit.model.controls import Controls, Standing
from cockpit.model.event import EventType
from cockpit.model.pin import Pin
from cockpit.model.plan import Write
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.errors import too_many_requests
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.shared.intent import Intent
from cockpit.run.shared.keeper import NOWHERE, Keeper
from cockpit.run.shared.record import Record
from cockpit.run.shared.sharing import Sharing
from cockpit.run.state import RunState, Stage
from cockpit.settings import run_folder
from tests.contract.leaping import LeapingClock
from tests.factories import PLAYBOOK
from tests.levers import ValueLever
from tests.unit.rehearsal.small_world import NAMESPACE, small_world
from tests.unit.run.test_flight import Steady

SHA = "f" * 64
MAP = "cutover-cockpit-payments-api"


@dataclass
class Door:
    """Refuses ConfigMaps while it is shut."""

    shut: bool = False
    writes: int = 0

    async def before(self, request: RequestInfo) -> None:
        if request.resource == "configmaps":
            self.writes += request.verb in ("create", "update", "patch", "delete")
            if self.shut:
                raise too_many_requests("slow down", 1)


@dataclass
class Shared:
    """Two levers' worth of world, one API server, and a clock of everybody."""

    storage: Storage
    door: Door
    kubeconfig: Path
    levers: dict[str, ValueLever]
    clock: LeapingClock
    stack: AsyncExitStack
    holder: str = "ana"
    epoch: int = 1
    flights: list[Flight] = field(default_factory=list)

    async def join(self, name: str, *, sha: str = SHA, writes: bool = True, pin: Pin = NOWHERE) -> Flight:
        """A cockpit of this operator; whoever is `holder` has the controls."""
        kube = await KubeClient.connect(kubeconfig=self.kubeconfig)
        self.stack.push_async_callback(kube.aclose)
        run = f"payments-api-20261122T0{len(self.flights)}0000Z-000{len(self.flights)}"
        logbook = Logbook(self.clock, run, f"{name}@host", Journal(run_folder(run) / NAME))
        logbook.say(EventType.RUN_STARTED, f"by {name}")
        crew = Crew(PLAYBOOK, dict(self.levers))
        hands = Hands(self, name)
        document = Document(kube, NAMESPACE, "payments-api")
        keeper = Keeper(document, self.clock, "payments-api", sha, logbook.operator, hands.fence if writes else None, pin)
        sharing = Sharing(keeper, crew, logbook, self.clock, lambda: hands.responsible)
        flight = Flight(
            crew, [Steady()], Identity("rehearsal", logbook.operator), self.clock, logbook,
            tick_seconds=0.005, desk=hands, sharing=sharing,
        )  # fmt: skip
        self.flights.append(flight)
        flight.start()
        await asyncio.wait_for(flight.synced.wait(), 20)
        return flight

    def hand(self, name: str) -> None:
        self.holder, self.epoch = name, self.epoch + 1


@dataclass
class Hands:
    """The controls as this test deals them out."""

    world: Shared
    name: str

    @property
    def responsible(self) -> bool:
        return self.world.holder == self.name

    def fence(self) -> int:
        if not self.responsible:
            raise NotInControl(f"{self.world.holder} has the controls")
        return self.world.epoch

    def bound(self) -> Callable[[], int]:
        self.fence()
        return self.fence

    def stands_in_the_way(self) -> str:
        return "" if self.responsible else f"{self.world.holder} has the controls"

    def view(self) -> Controls:
        return Controls(Standing.MINE if self.responsible else Standing.THEIRS, epoch=self.world.epoch)

    async def take(self) -> str:
        self.world.hand(self.name)
        return ""

    async def hand_over(self, to: str) -> str:
        self.world.hand(to)
        return ""

    async def approve(self, run: str, phase: str, plan_hash: str) -> str:
        return ""

    async def use(self, approval: object) -> None:
        return None

    async def close(self) -> None:
        return None


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shared]:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    clock = LeapingClock()
    storage, door = small_world(clock), Door()
    async with AsyncExitStack() as stack:
        serving = await serve(make_app(storage, None, door), tmp_path)
        stack.push_async_callback(serving.stop)
        write_kubeconfig(tmp_path / "config", serving.url, serving.authority, NAMESPACE)
        levers = {name: ValueLever(name) for name in ("weights", "affinity")}
        made = Shared(storage, door, tmp_path / "config", levers, clock, stack)
        yield made
        for flight in made.flights:
            await flight.close()


async def until(flight: Flight, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await flight.next_tick()


async def soaking(world: Shared, flight: Flight) -> None:
    """Into the soak of the first phase."""
    await until(flight, lambda: bool((f := flight.frame()) and f.promote.allowed and f.next_plan))
    shown = flight.frame()
    assert shown is not None
    assert shown.next_plan is not None
    assert flight.promote(shown.next_plan.hash) == ""
    await until(flight, lambda: flight.state.stage is Stage.SOAKING)


def stored(world: Shared) -> Record:
    return Record.parse(world.storage.get("configmaps", NAMESPACE, MAP)["data"])


async def test_a_second_cockpit_follows_and_takes_the_run_over_mid_soak(world: Shared) -> None:
    ana = await world.join("ana")
    await soaking(world, ana)
    ana.course.state = replace(ana.state, soaked=42.0)
    world.clock.elapsed += 11
    bob = await world.join("bob")
    await until(bob, lambda: bob.state.stage is Stage.SOAKING)
    assert (bob.state.run, bob.state.phase, bob.logbook.phase) == (ana.state.run, 0, "canary-5")
    assert "setting canary-5" in [event.message for event in bob.events()], "its history is seen"
    assert bob.promote(None) == "ana has the controls"
    assert [e for e in bob.events() if e.type is EventType.PHASE_STARTED and "picked up" in e.message] == []

    assert ana.hold() == ""
    await until(bob, lambda: bob.state.hold is not None)
    assert ana.resume() == ""
    await until(bob, lambda: bob.state.hold is None)

    proven_at, journey = ana.state.proven_at, list(world.levers["weights"].journey)
    world.hand("bob")
    await until(bob, lambda: any("picked up" in e.message for e in bob.events()))
    assert bob.state.soaked >= 42.0
    assert (bob.state.run, bob.state.proven_at, bob.state.stage) == (ana.state.run, proven_at, Stage.SOAKING)
    assert stored(world).epoch == 2
    assert world.levers["weights"].journey == journey, "nothing is written by taking over"
    assert bob.hold() == ""
    await until(ana, lambda: ana.state.hold is not None)


async def test_an_observer_writes_nothing_and_sees_everything(world: Shared) -> None:
    ana = await world.join("ana")
    await soaking(world, ana)
    await until(ana, lambda: stored(world).state.stage is Stage.SOAKING)
    before = world.door.writes
    eve = await world.join("eve", writes=False)
    await until(eve, lambda: eve.state.stage is Stage.SOAKING)
    assert eve.state.run == ana.state.run
    assert world.door.writes == before


async def test_without_a_record_of_its_intent_no_write_leaves(world: Shared) -> None:
    ana = await world.join("ana")
    await until(ana, lambda: bool((f := ana.frame()) and f.promote.allowed and f.next_plan))
    world.door.shut = True
    assert ana.promote(None) == ""
    await until(ana, lambda: ana.state.hold is not None)
    assert ana.state.hold is not None
    assert "its intent cannot be recorded in the cluster" in ana.state.hold.reason
    assert world.levers["weights"].journey == []


async def test_a_rollback_waits_for_no_record(world: Shared) -> None:
    ana = await world.join("ana")
    await soaking(world, ana)
    world.door.shut = True
    assert ana.roll_back() == ""
    await until(ana, lambda: world.levers["weights"].value == "home")
    world.door.shut = False
    await until(ana, lambda: ana.state.stage is Stage.ROLLED_BACK)
    await until(ana, lambda: stored(world).ended)


@pytest.mark.parametrize("value", ["before", "after", "stranger"])
async def test_a_write_left_without_an_outcome_is_settled_before_anything_else(world: Shared, value: str) -> None:
    wanted = str(PLAYBOOK.phases[0].weights)
    lever = world.levers["weights"]
    lever.value = {"before": "home", "after": wanted, "stranger": "somebody else's"}[value]
    lever.original = None if value == "before" else "home"
    intent = Intent("abc", Write("weights", "weights", "home", wanted), epoch=1)
    state = RunState("payments-api-20261121T000000Z-ffff", Stage.SETTING, 0, phase_at=datetime(2026, 11, 21, tzinfo=UTC))
    left = Record(state, "payments-api", SHA, "canary-5", 1, "zoe@gone").intending(intent)
    world.storage.create("configmaps", {"metadata": {"name": MAP, "namespace": NAMESPACE}, "data": left.as_texts()})
    world.epoch = 2
    ana = await world.join("ana")
    await until(ana, lambda: any("picked up" in e.message for e in ana.events()))
    told = [e.fields["reconciled"] for e in ana.events() if "reconciled" in e.fields]
    assert told == [{"before": "not done", "after": "done", "stranger": "contradicted"}[value]]
    await until(ana, lambda: bool((f := ana.frame()) and f.reconciled))
    await until(ana, lambda: stored(world).intents == ())
    assert ana.state.run == state.run
    match value:
        case "before":
            assert (ana.state.phase, ana.state.hold) == (-1, None)
        case "after":
            assert ana.state.phase == 0
            assert ana.state.hold is None
        case _:
            assert ana.state.hold is not None
            assert "somebody else has written" in ana.state.hold.reason
    assert lever.journey == []


async def test_another_text_of_the_playbook_holds_until_a_person_resumes(world: Shared) -> None:
    ana = await world.join("ana")
    await soaking(world, ana)
    await until(ana, lambda: stored(world).state.stage is Stage.SOAKING)
    world.hand("bob")
    bob = await world.join("bob", sha="0" * 64)
    await until(bob, lambda: bob.state.hold is not None)
    assert bob.state.hold is not None
    assert "another text of the playbook" in bob.state.hold.reason
    assert bob.resume() == ""


@pytest.mark.parametrize("stage", [Stage.SOAKING, Stage.SETTING])
async def test_a_phase_of_another_playbook_is_never_gone_on_from(world: Shared, stage: Stage) -> None:
    state = RunState("payments-api-20261121T000000Z-ffff", stage, 0, phase_at=datetime(2026, 11, 21, tzinfo=UTC), soaked=7.0)
    left = Record(state, "payments-api", SHA, "canary-7", 1, "zoe@gone")
    world.storage.create("configmaps", {"metadata": {"name": MAP, "namespace": NAMESPACE}, "data": left.as_texts()})
    world.epoch = 2
    ana = await world.join("ana")
    await until(ana, lambda: any("picked up at canary-7" in e.message for e in ana.events()))
    assert ana.resume() == ""
    for _ in range(5):
        world.clock.elapsed += 3.0
        await ana.next_tick()
    shown = ana.frame()
    assert shown is not None
    assert "the run stands at canary-7, which this playbook does not have" in shown.promote.why[0]
    assert "canary-7" in ana.promote(None)
    assert (ana.state.stage, ana.state.soaked, ana.logbook.phase) == (stage, 7.0, "canary-7")
    await until(ana, lambda: stored(world).state.hold is None)
    assert (stored(world).state.stage, stored(world).phase) == (stage, "canary-7")
    assert ana.roll_back() == ""
    await until(ana, lambda: ana.state.stage is Stage.ROLLED_BACK)


@pytest.mark.parametrize("stage", [Stage.SOAKING, Stage.SETTING, Stage.ROLLING_BACK])
async def test_a_record_of_another_place_is_not_gone_on_with(world: Shared, stage: Stage) -> None:
    intent = Intent("abc", Write("weights", "weights", "home", "away"), epoch=1)
    state = RunState("payments-api-20261121T000000Z-ffff", stage, 0, phase_at=datetime(2026, 11, 21, tzinfo=UTC))
    there = Pin(cluster_uid="aaa", account="123456789012")
    left = replace(Record(state, "payments-api", SHA, "canary-5", 1, "zoe@gone"), pin=there).intending(intent)
    world.storage.create("configmaps", {"metadata": {"name": MAP, "namespace": NAMESPACE}, "data": left.as_texts()})
    world.epoch = 2
    ana = await world.join("ana", pin=Pin(cluster_uid="bbb", account="123456789012"))
    await until(ana, lambda: any("picked up" in e.message for e in ana.events()))
    told = ana.state.hold.reason if ana.state.hold else ana.state.error
    assert ("its cluster (kube-system UID) is aaa, this one is bbb" in told) is (stage is not Stage.ROLLING_BACK)
    assert ana.state.stage.ended is (stage is Stage.ROLLING_BACK)
    assert ana.promote(None) != ""
    assert [e for e in ana.events() if "reconciled" in e.fields] == [], "what was meant for another place is not looked for here"
    assert stored(world).pin == there
    assert stored(world).intents == (intent,)
    assert (world.levers["weights"].journey, world.levers["weights"].epoch) == ([], 0)


async def test_a_run_is_recorded_with_its_place(world: Shared) -> None:
    ana = await world.join("ana", pin=Pin("aaa", account="1"))
    await soaking(world, ana)
    await until(ana, lambda: stored(world).state.stage is Stage.SOAKING)
    assert stored(world).pin == Pin("aaa", account="1")
    world.hand("bob")
    bob = await world.join("bob", pin=Pin("aaa", account="1"))
    await until(bob, lambda: any("picked up" in e.message for e in bob.events()))
    assert bob.state.hold is None


async def test_a_deposed_cockpit_can_begin_no_write(world: Shared) -> None:
    ana = await world.join("ana")
    await soaking(world, ana)
    kube = await KubeClient.connect(kubeconfig=world.kubeconfig)
    world.stack.push_async_callback(kube.aclose)
    document = Document(kube, NAMESPACE, "payments-api")
    old = Keeper(document, world.clock, "payments-api", SHA, "old@host", lambda: 1)
    new = Keeper(document, world.clock, "payments-api", SHA, "new@host", lambda: 7)
    await ana.close()
    world.flights.clear()
    assert await old.claim() is not None
    assert await new.claim() is not None
    with pytest.raises(NotInControl, match="new@host has taken the controls"):
        await old.intend(Intent("x", Write("weights", "weights", "home", "away"), 1))
    assert stored(world).intents == ()
    with pytest.raises(NotInControl):
        await old.claim()


async def test_nothing_is_written_over_what_was_not_read(world: Shared) -> None:
    kube = await KubeClient.connect(kubeconfig=world.kubeconfig)
    world.stack.push_async_callback(kube.aclose)
    document = Document(kube, NAMESPACE, "payments-api")
    first = await document.write({"a": "1"}, None)
    await document.write({"a": "2"}, first)
    for over in (first, None):
        with pytest.raises(Conflict):
            await document.write({"a": "3"}, over)
    found = await document.read()
    assert found is not None
    assert found.texts == {"a": "2"}
