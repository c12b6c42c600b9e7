"""Whole cockpits of several users on one embedded world, each with its own home, around a workload that two persons move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cockpit.assembly import Options, launch
from cockpit.connections.kube import KubeClient
from cockpit.controls.api import Place
from cockpit.controls.approvals import Approvals
from cockpit.flight import Flight
from cockpit.rehearsal.client import Ready, World
from cockpit.run.state import Stage

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "affinity-only.yaml"
SPEED = 20.0


@dataclass
class Crowd:
    """The world, and whoever has opened a cockpit on it."""

    ready: Ready
    flights: list[Flight]
    homes: Path
    monkeypatch: pytest.MonkeyPatch
    stack: AsyncExitStack

    async def open(self, context: str, *, alone: bool = False) -> Flight:
        """One more cockpit, with a home of its own."""
        self.monkeypatch.setenv("COCKPIT_HOME", str(self.homes / str(len(self.flights))))
        how = Options(context=context, kubeconfig=self.ready.kubeconfig, clock=self.ready.clock, tick_seconds=0.1, alone=alone)
        self.flights.append(await launch(self.ready.playbook, how))
        return self.flights[-1]

    async def words(self) -> Approvals:
        """Where the second person's word is kept, for somebody who writes there with kubectl."""
        kube = await KubeClient.connect("rehearsal-second", self.ready.kubeconfig)
        self.stack.push_async_callback(kube.aclose)
        return Approvals(kube, Place("payments", "ledger-worker"))


@asynccontextmanager
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crowd]:
    """A world with a workload to be moved by two persons, at speed."""
    text = PLAYBOOK.read_text().replace("soak: 5m", "soak: 5s").replace("promote: manual", "promote: two_person")
    rules = "  gates: [{rollback: ready}]\n  abort: [{finding: exec_format}]\n"
    text = text[: text.index("  gates:\n")] + rules + text[text.index("  promote:") :]
    (tmp_path / "two.yaml").write_text(text)
    with World.spawn(tmp_path / "two.yaml", speed=SPEED) as world:
        ready = await world.ready()
        for name, value in ready.env.items():
            monkeypatch.setenv(name, value)
        async with AsyncExitStack() as stack:
            made = Crowd(ready, [], tmp_path, monkeypatch, stack)
            try:
                yield made
            finally:
                for flight in reversed(made.flights):
                    await flight.close()


async def until(flight: Flight, holds: Callable[[], bool]) -> None:
    """Wait for it, tick by tick."""
    async with asyncio.timeout(90):
        while not holds():
            await flight.next_tick()


def plan_of(flight: Flight) -> str:
    """The plan on its screen; empty when there is none."""
    shown = flight.frame()
    return shown.next_plan.hash if shown and shown.next_plan else ""


def waits_for(flight: Flight) -> str:
    """Why its holder may not promote."""
    shown = flight.frame()
    return "; ".join(shown.promote.why) if shown else ""


def may(flight: Flight) -> bool:
    """Its holder may promote."""
    shown = flight.frame()
    return bool(shown and shown.promote.allowed)


async def soaking(crowd: Crowd) -> Flight:
    """The first engineer's cockpit, which has set the phase that two persons leave."""
    ana = await crowd.open("rehearsal")
    await until(ana, lambda: may(ana) and plan_of(ana) != "")
    assert ana.promote(plan_of(ana)) == ""
    await until(ana, lambda: ana.state.stage is Stage.SOAKING and waits_for(ana).startswith("second person"))
    return ana


async def follows(other: Flight, ana: Flight) -> None:
    """Until this cockpit has the same run and the same plan on its screen."""
    await until(other, lambda: other.state.run == ana.state.run and plan_of(other) == plan_of(ana))
