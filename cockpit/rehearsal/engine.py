"""The stepper: controllers run in steps of one virtual second, catching up with the clock: the same story at any speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cockpit.clock import Clock
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.daemonsets import DaemonSets
from cockpit.rehearsal.deployments import Deployments
from cockpit.rehearsal.disruption import Budgets
from cockpit.rehearsal.garbage import Garbage
from cockpit.rehearsal.kubelet import Kubelets
from cockpit.rehearsal.replicasets import ReplicaSets
from cockpit.rehearsal.scheduler import Scheduler

SLICE = 0.02
"""Wall seconds after which a long catch-up lets the servers answer."""
TICK = 0.05
"""Wall seconds between wake-ups when a step is shorter than that."""
HOUSEKEEPING = 600


class Engine:
    """Runs the controllers. `each_step` is called with the step's number after them: traffic and scenarios hang on it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kubelets = Kubelets(cluster)
        self.each_step: list[Callable[[int], None]] = []
        self._deployments = Deployments(cluster)
        self._replicasets = ReplicaSets(cluster)
        self._daemonsets = DaemonSets(cluster)
        self._scheduler = Scheduler(cluster)
        self._garbage = Garbage(cluster)
        self._budgets = Budgets(cluster)

    def settle(self, rounds: int = 60) -> None:
        """Run the controllers in place until nothing is left to do: for building the world."""
        for _ in range(rounds):
            self._controllers()
            dirty = self.cluster.dirty
            if not (dirty.deployments or dirty.replicasets or dirty.daemonsets or dirty.pods):
                return

    def advance(self, step: int) -> None:
        """Take all steps up to and with `step`."""
        while self.cluster.step < step:
            self._step()

    async def run(self, clock: Clock, speed: float) -> None:
        """Follow the clock until cancelled."""
        while True:
            await self._catch_up(int(clock.monotonic()))
            next_step = self.cluster.step + 1 - clock.monotonic()
            await asyncio.sleep(max(next_step / speed, TICK))

    async def _catch_up(self, step: int) -> None:
        started = time.monotonic()
        while self.cluster.step < step:
            self._step()
            if time.monotonic() - started > SLICE:
                await asyncio.sleep(0)
                started = time.monotonic()

    def _step(self) -> None:
        self.cluster.step += 1
        self._controllers()
        for call in self.each_step:
            call(self.cluster.step)
        if self.cluster.step % HOUSEKEEPING == 0:
            self.cluster.drop_old_events()

    def _controllers(self) -> None:
        for kind, who, uid in self.cluster.due():
            if kind == "deadline":
                self.cluster.dirty.deployments.add(who)
            else:
                self.kubelets.ring(kind, who, uid)
        self._garbage.run()
        self._deployments.run()
        self._replicasets.run()
        self._daemonsets.run()
        self._scheduler.run()
        self.kubelets.run()
        self._budgets.run()
