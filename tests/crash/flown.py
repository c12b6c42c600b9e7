"""What the flights of the crash tests have in common: a short playbook, and a cockpit down to its levers, journal and record."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.clock import Clock
from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.controls.document import Document
from cockpit.journal import NAME, Journal
from cockpit.levers.affinity import AffinityLever
from cockpit.levers.weights import WeightsLever
from cockpit.model.playbook import AffinityMode, AffinitySet, Alb, Playbook
from cockpit.run import machine
from cockpit.run.crew import Crew, moves
from cockpit.run.executor import Guard, set_phase
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import Outcome, Shared, roll_back
from cockpit.run.shared.keeper import Keeper
from cockpit.run.shared.sharing import Sharing
from cockpit.run.state import RunState, Stage
from cockpit.settings import run_folder
from tests.factories import API, PLAYBOOK, phase

RUN = "payments-api-20261122T020000Z-1f3a"
SHA = "0" * 64


def playbook(alb: Alb | None) -> Playbook:
    """Three phases: a fifth of the traffic, the affinity, all of the traffic. Without a load balancer the affinity twice."""
    prefer = replace(phase("prefer-arm"), affinity=AffinitySet(API, AffinityMode.PREFERRED, weight=80))
    require = replace(phase("require-arm"), affinity=AffinitySet(API, AffinityMode.REQUIRED))
    phases = (phase("canary-20", 20), require, phase("all", 100)) if alb else (prefer, require)
    return replace(PLAYBOOK, phases=phases, alb=alb)


@dataclass
class Cockpit:
    """One cockpit without a screen and without sources, that has the controls under `epoch`."""

    crew: Crew
    logbook: Logbook
    keeper: Keeper
    sharing: Sharing
    clock: Clock
    epoch: int
    state: RunState

    def fence(self) -> int:
        return self.epoch

    def stand(self, state: RunState) -> None:
        self.state = state
        phase = state.current(self.crew.playbook)
        self.logbook.phase = phase.name if phase else ""
        moved = [name for p in self.crew.playbook.phases[: state.phase + 1] for name, _ in moves(p)]
        self.sharing.keep(state, set(moved))

    async def fly(self) -> None:
        """Set the phases that are left, one after the other."""
        while (following := self.state.following(self.crew.playbook)) is not None:
            self.stand(machine.begin(self.state, self.state.phase + 1, self.clock.now()))
            await set_phase(following, self.crew, self.logbook, None, Guard(self.fence, self.keeper))
            self.stand(machine.proven(machine.written(self.state, self.clock.now()), self.clock.now()))

    async def home(self) -> Outcome:
        """Roll back."""
        self.stand(machine.roll_back(self.state, self.clock.now()))
        shared = Shared(self.keeper, self.keeper.originals)
        outcome = await roll_back(self.crew, self.logbook, self.clock, 300.0, shared)
        self.stand(machine.end(self.state, Stage.ROLLED_BACK if outcome.safe else Stage.FAILED, self.clock.now()))
        return outcome


async def board(stack: AsyncExitStack, kubeconfig: Path, alb: Alb | None, clock: Clock, epoch: int, run: str = RUN) -> Cockpit:
    """A cockpit with the controls under `epoch`, whose journal is in $COCKPIT_HOME; closed by `stack`."""
    kube = await KubeClient.connect(kubeconfig=kubeconfig)
    stack.push_async_callback(kube.aclose)
    book = playbook(alb)
    levers: dict[str, AffinityLever | WeightsLever] = {"affinity": AffinityLever(kube, (API,), run, clock)}
    if alb:
        elb = await Elb.connect(alb)
        stack.callback(elb.close)
        levers["weights"] = WeightsLever(elb, alb, clock)
    logbook = Logbook(clock, run, f"ana@host-{epoch}", Journal(run_folder(run) / NAME))
    stack.callback(logbook.close)
    crew = Crew(book, levers)
    keeper = Keeper(Document(kube, "payments", book.name), clock, book.name, SHA, logbook.operator, lambda: epoch)
    sharing = Sharing(keeper, crew, logbook, clock, lambda: True)
    keeper.start()
    stack.push_async_callback(sharing.close)
    return Cockpit(crew, logbook, keeper, sharing, clock, epoch, RunState(run))
