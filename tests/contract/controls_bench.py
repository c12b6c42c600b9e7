"""Cockpits with real desks on one embedded API server, over sockets: the seconds of the Lease are turned by hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cockpit.clock import ManualClock
from cockpit.connections.kube import KubeClient
from cockpit.controls.api import Params, Place
from cockpit.controls.desk import Desk
from cockpit.controls.hold import Over
from cockpit.flight import Flight
from cockpit.model.controls import Cockpit, Standing
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.errors import too_many_requests
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.shared.making import sharing
from tests.contract.leaping import LeapingClock
from tests.factories import PLAYBOOK
from tests.levers import ValueLever
from tests.unit.rehearsal.small_world import NAMESPACE, small_world
from tests.unit.run.test_flight import Steady

PLACE = Place(NAMESPACE, PLAYBOOK.name)
WRITING = ("create", "update", "patch", "delete")


@dataclass
class Door:
    """Refuses one cockpit's Leases while it is shut to them, and counts who writes what."""

    shut: bool = False
    writes: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def before(self, request: RequestInfo) -> None:
        if request.verb in WRITING:
            self.writes[request.verb, request.resource] += 1
        if self.shut and request.resource == "leases":
            raise too_many_requests("slow down", 1)


@dataclass
class Line:
    """A desk's connection, which tells whether an answer is awaited: until then no time passes for anybody."""

    kube: KubeClient
    awaited: int = 0

    async def get(self, path: str, params: Params | None = None) -> bytes:
        return await self._counted(self.kube.get(path, params or {}))

    async def ask(self, path: str, body: Json) -> bytes:
        return await self._counted(self.kube.ask(path, body))

    async def post(self, path: str, body: Json, params: Params | None = None) -> bytes:
        return await self._counted(self.kube.post(path, body, params or {}))

    async def put(self, path: str, body: Json, params: Params | None = None) -> bytes:
        return await self._counted(self.kube.put(path, body, params or {}))

    async def delete(self, path: str, body: Json, params: Params | None = None) -> bytes:
        return await self._counted(self.kube.delete(path, body, params or {}))

    async def _counted(self, request: Awaitable[bytes]) -> bytes:
        self.awaited += 1
        try:
            return await request
        finally:
            self.awaited -= 1


@dataclass
class Seated:
    """One cockpit. `clock` is what it counts the seconds of the Lease by."""

    desk: Desk
    clock: ManualClock
    line: Line
    name: str

    @property
    def standing(self) -> Standing:
        return self.desk.view().standing


@dataclass
class Company:
    """Cockpits at one API server, whose seconds pass together."""

    cockpits: list[Seated] = field(default_factory=list, kw_only=True)

    async def pass_by(self, seconds: float) -> None:
        """Time for everybody, in steps; whatever is asked meanwhile is answered before the next one."""
        for _ in range(round(seconds * 2)):
            await self._answered()
            for seat in self.cockpits:
                await seat.clock.advance(0.5)
        await self._answered()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it, while the seconds pass as fast as the requests are answered."""
        async with asyncio.timeout(30):
            while not holds():
                await self.pass_by(0.5)
                await asyncio.sleep(0.005)

    async def _answered(self) -> None:
        async with asyncio.timeout(30):
            while any(seat.line.awaited for seat in self.cockpits):  # noqa: ASYNC110 (nobody else tells)
                await asyncio.sleep(0.002)


@dataclass
class Room(Company):
    """The cluster, and everybody in it."""

    storage: Storage
    door: Door
    kubeconfig: Path
    clock: LeapingClock
    stack: AsyncExitStack
    levers: dict[str, ValueLever]
    flights: list[Flight] = field(default_factory=list)

    async def sit(self, name: str, *, context: str | None = None, claim: Over | None = Over.NOBODY, start: bool = True) -> Seated:
        kube = await KubeClient.connect(context, self.kubeconfig)
        self.stack.push_async_callback(kube.aclose)
        clock, line = ManualClock(), Line(kube)
        desk = Desk(line, PLACE, Cockpit(name, f"{name}@host"), clock, clock=clock, claim=claim, two_person=True)
        self.cockpits.append(Seated(desk, clock, line, name))
        if start:
            desk.start()
        return self.cockpits[-1]

    async def fly(self, name: str) -> tuple[Flight, Seated]:
        """A whole cockpit but for its sources."""
        seat = await self.sit(name, start=False)
        run = f"payments-api-20261122T0{len(self.flights)}0000Z-000{len(self.flights)}"
        logbook = Logbook(self.clock, run, f"{name}@host", None)
        logbook.say(EventType.RUN_STARTED, f"by {name}")
        crew = Crew(PLAYBOOK, dict(self.levers))
        flight = Flight(
            crew,
            [Steady()],
            Identity("rehearsal", logbook.operator),
            self.clock,
            logbook,
            tick_seconds=0.005,
            desk=seat.desk,
            sharing=sharing(crew, seat.line.kube, logbook, self.clock, seat.desk, writes=True),
        )
        self.flights.append(flight)
        flight.start()
        seat.desk.start()
        await asyncio.wait_for(flight.synced.wait(), 20)
        return flight, seat

    def lease(self, name: str = PLACE.name) -> dict[str, Any]:
        return dict(self.storage.get("leases", NAMESPACE, name))

    def presences(self) -> set[str]:
        """Who is seen to be there."""
        names = [str(o["metadata"]["name"]) for o in self.storage.list("leases", NAMESPACE)]
        return {name.removeprefix(f"{PLACE.name}.") for name in names if "." in name}


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    clock = LeapingClock()
    storage, door = small_world(clock), Door()
    async with AsyncExitStack() as stack:
        serving = await serve(make_app(storage, None, door), folder)
        stack.push_async_callback(serving.stop)
        write_kubeconfig(folder / "config", serving.url, serving.authority, NAMESPACE)
        levers = {name: ValueLever(name) for name in ("weights", "affinity")}
        made = Room(storage, door, folder / "config", clock, stack, levers)
        yield made
        for flight in made.flights:
            await flight.close()
        for seat in made.cockpits:
            await seat.desk.close()


async def soaking(flight: Flight) -> None:
    """Into the soak of the first phase."""
    async with asyncio.timeout(30):
        while not ((f := flight.frame()) and f.promote.allowed and f.next_plan):
            await flight.next_tick()
        assert flight.promote(f.next_plan.hash) == ""
        while flight.state.phase < 0 or flight.state.stage.value != "soaking":
            await flight.next_tick()
