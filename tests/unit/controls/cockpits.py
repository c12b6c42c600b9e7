"""Two cockpits on one API server, every step of either chosen from outside: pauses at any await, lost answers, clock steps."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

from cockpit.clock import ManualClock
from cockpit.connections.kube import KubeClient
from cockpit.controls.api import Place
from cockpit.controls.desk import Desk
from cockpit.controls.document import Document
from cockpit.errors import CockpitError, Unreachable
from cockpit.levers.affinity import AffinityLever
from cockpit.levers.affinity_patch import EPOCH
from cockpit.model.cluster import Ref
from cockpit.model.controls import Cockpit
from cockpit.model.json import canonical
from cockpit.model.playbook import AffinityMode, AffinitySet, Playbook
from cockpit.run.crew import Crew
from cockpit.run.executor import Guard, set_phase
from cockpit.run.logbook import Logbook
from cockpit.run.shared.keeper import Keeper
from cockpit.run.shared.reconcile import reconcile
from cockpit.run.state import RunState
from tests.factories import NOW, PLAYBOOK, phase
from tests.unit.controls.memory import Client, Memory, Obj
from tests.unit.rehearsal.small_world import node

WHERE = "payments"
WORKLOAD = Ref("deployment", WHERE, "payments-api")
DEPLOYMENT = f"/apis/apps/v1/namespaces/{WHERE}/deployments/{WORKLOAD.name}"
PLACE = Place(WHERE, PLAYBOOK.name)
TURNS = 100
"""Turns of the loop after which somebody never comes to rest."""
HOUR = 3600.0


class Lost(Exception):
    """Thrown into a point: the connection broke there."""


@dataclass
class Stop:
    """Where a cockpit's request waits until it is let go."""

    what: str
    go: asyncio.Future[None]


def three_phases() -> Playbook:
    """Each sets the same Deployment to something else, so that every plan is another one."""
    settings = [AffinitySet(WORKLOAD, AffinityMode.PREFERRED, weight=weight) for weight in (10, 50)]
    settings.append(AffinitySet(WORKLOAD, AffinityMode.REQUIRED))
    phases = tuple(replace(phase(f"phase-{i}"), affinity=wanted) for i, wanted in enumerate(settings))
    return replace(PLAYBOOK, phases=phases, alb=None)


@dataclass
class Pilot:
    """One engineer and their cockpit. Nothing of it moves but what `Sky` lets go."""

    name: str
    memory: Memory
    epochs: list[int]
    """The epochs at which one of the pilots has settled what was left to them."""
    settled: int = 0
    calendar: ManualClock = field(default_factory=ManualClock)
    stops: list[Stop] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    flying: bool = False
    shown: tuple[int, str] | None = None
    """The phase whose plan is on the screen, with the plan's hash."""

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.client = Client(self.memory, f"{self.name}@example.com", self.point)
        kube = cast("KubeClient", self.client)
        self.desk = Desk(self.client, PLACE, Cockpit(self.name, f"{self.name}@host"), self.calendar, clock=self.clock)
        self.playbook = three_phases()
        self.lever = AffinityLever(kube, (WORKLOAD,), "run", self.clock, rng=Random(1))
        self.crew = Crew(self.playbook, {"affinity": self.lever})
        self.logbook = Logbook(self.calendar, "run", f"{self.name}@host", None)
        self.keeper = Keeper(
            Document(kube, WHERE, self.playbook.name), self.clock, self.playbook.name, "sha", self.name, self.desk.fence
        )

    async def point(self, what: str) -> None:
        stop = Stop(what, asyncio.get_running_loop().create_future())
        self.stops.append(stop)
        try:
            await stop.go
        except Lost as error:
            raise Unreachable("the connection broke") from error
        finally:
            if stop in self.stops:
                self.stops.remove(stop)

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        async def done() -> None:
            try:
                await work
            except CockpitError as error:
                self.refused.append(str(error))
            except Exception as error:
                self.broken.append(f"{type(error).__name__}: {error}")

        task = asyncio.create_task(done())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def look(self, index: int) -> None:
        """The plan of a phase comes on the screen."""
        wanted = self.playbook.phases[index].affinity
        assert wanted is not None
        self.shown = (index, self.lever.plan(await self.lever.read(), wanted).hash)

    async def look_and_fly(self, index: int) -> None:
        """The same at one go."""
        await self.look(index)
        await self.fly()

    async def fly(self) -> None:
        """Promote by the plan on the screen, which may be hours old; a cockpit does one piece of work at a time."""
        if self.shown is None or self.flying:
            return
        self.flying = True
        try:
            await self._fly(*self.shown)
        finally:
            self.flying = False

    async def _fly(self, index: int, approved: str) -> None:
        """Whoever is new settles first what was left to them."""
        fence = self.desk.bound()
        guard = Guard(fence, self.keeper)
        if not self.keeper.claimed or self.settled != fence():
            left = await self.keeper.claim()
            await reconcile(left.intents if left else (), self.crew, self.logbook, self.calendar, guard)
            self.keeper.begin(RunState("run", stage_at=NOW), ())
            self.settled = fence()
            self.epochs.append(self.settled)
        await set_phase(self.playbook.phases[index], self.crew, self.logbook, approved, guard)


class Sky:
    """The world of two pilots, and the rules that nothing may break in it."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.memory.store(DEPLOYMENT, _deployment())
        self.memory.store("/api/v1/nodes/n1", node("n1", "arm64", 1))
        self.memory.accepted = self._accepted
        self.settled: list[int] = [0]
        """The epochs at which somebody had settled what was left to them."""
        self.written: list[int] = []
        """The epochs of the writes that were accepted, in order."""
        self.breaches: list[str] = []
        """What must never happen."""
        self.pilots = [Pilot(name, self.memory, self.settled) for name in ("ana", "bob")]

    async def open(self) -> None:
        for pilot in self.pilots:
            pilot.desk.start()
        await quiet()

    def _accepted(self, who: str, before: Obj, after: Obj) -> None:
        """A write was carried out: never under an epoch that is over for good, never where an older one has been."""
        old, new = (int(o["metadata"].get("annotations", {}).get(EPOCH, "0")) for o in (before, after))
        epoch = new or old
        moved = canonical(_affinity(before)) != canonical(_affinity(after))
        if old and new and new < old:
            self.breaches.append(f"{who} wrote under epoch {new} over epoch {old}")
        if moved and epoch < max(self.settled):
            self.breaches.append(f"{who} wrote under epoch {epoch}, {max(self.settled)} had settled")
        if moved:
            self.written.append(epoch)

    def check(self) -> None:
        """Nothing has happened so far that must never happen."""
        faults = [pilot.desk.view().why for pilot in self.pilots if "internal" in pilot.desk.view().why]
        assert not [*self.breaches, *faults, *(one for pilot in self.pilots for one in pilot.broken)]

    async def let_go(self, pilot: Pilot, which: int, *, fault: bool = False, spare: str = "none") -> None:
        """One of its requests goes on, or its connection breaks there; none that begins with `spare`."""
        if stops := [stop for stop in pilot.stops if not stop.what.startswith(spare)]:
            stop = stops[which % len(stops)]
            pilot.stops.remove(stop)
            if fault:
                stop.go.set_exception(Lost())
            else:
                stop.go.set_result(None)
        await quiet()

    async def rush(self, pilot: Pilot, count: int, *, spare: str = "none") -> None:
        """Whatever this one waits for goes on at once, while the other one is stopped."""
        for number in range(count):
            await self.let_go(pilot, number, spare=spare)

    async def pass_by(self, seconds: float) -> None:
        """Time for both: a machine that is suspended meanwhile counts it too."""
        for pilot in self.pilots:
            pilot.calendar.elapsed += seconds
            await pilot.clock.advance(seconds)
        await quiet()

    async def end(self) -> None:
        """Everybody is let go, the network works, somebody takes the controls: now there is one holder, and all agree on it."""
        for _ in range(6):
            await self.drain()
            await self.pass_by(2.0)
        self.pilots[0].begin(self.pilots[0].desk.take())
        for _ in range(4):
            await self.drain()
            await self.pass_by(2.0)
        await self.drain()
        assert sorted(self.written) == self.written
        holders = [pilot for pilot in self.pilots if pilot.desk.view().mine]
        named = self.memory.lease(PLACE.name)["spec"]["holderIdentity"]
        assert [f"{p.name}@host/{p.name}" for p in holders] == [named]
        assert all(p.desk.view().epoch == holders[0].desk.view().epoch for p in self.pilots)

    async def drain(self) -> None:
        await quiet()
        for _ in range(400):
            waiting = [(pilot, stop) for pilot in self.pilots for stop in pilot.stops]
            if not waiting:
                return
            for pilot, _ in waiting:
                await self.let_go(pilot, 0)
        raise AssertionError("requests without an end")

    async def close(self) -> None:
        for pilot in self.pilots:
            for task in [*pilot.tasks, *pilot.desk.tasks]:
                task.cancel()
            await asyncio.gather(*pilot.tasks, *pilot.desk.tasks, return_exceptions=True)


async def quiet() -> None:
    """Until everybody waits for something."""
    ready = getattr(asyncio.get_running_loop(), "_ready")  # noqa: B009 (the loop tells nobody else whether it is idle)
    for _ in range(TURNS):
        await asyncio.sleep(0)
        if not ready:
            return
    raise AssertionError("work without an end")


def _affinity(of: Obj) -> Any:
    return of["spec"]["template"]["spec"].get("affinity")


def _deployment() -> Obj:
    metadata = {"name": WORKLOAD.name, "namespace": WHERE, "generation": 1, "labels": {"app": "payments-api"}}
    container = {
        "name": "main",
        "image": "registry.example.com/payments:1",
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
    }
    template = {"metadata": {"labels": {"app": "payments-api"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "payments-api"}}, "template": template}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    return copy.deepcopy({"metadata": metadata, "spec": spec, "status": {**counts, "observedGeneration": 1}})


def wall_step(calendar: ManualClock, seconds: float) -> None:
    """Somebody sets a machine's date."""
    calendar.start = max(datetime(2020, 1, 1, tzinfo=UTC), calendar.start + timedelta(seconds=seconds))
