"""A world at production's own pace, put into a phase by the cockpit's levers, with the real cockpit flying on it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cockpit.assembly import Connections, Options, connect_all, crew
from cockpit.model.plan import Plan
from cockpit.model.playbook import Playbook
from cockpit.playbook import load
from cockpit.rehearsal.client import Ready, World
from cockpit.run.crew import Crew
from tests.bench.terminal import Terminal

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "rehearsal.yaml"
RUN = "bench-1"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world, and the levers to move it."""

    ready: Ready
    playbook: Playbook
    servers: Connections
    crew: Crew

    async def enter(self, index: int) -> None:
        """Write what the phases up to `index` set, in their order; nothing is waited for."""
        for name, desired in self.crew.settings(index).items():
            lever = self.crew.levers[name]
            await self._write(lever.plan(await lever.read(), desired))

    async def way_back(self) -> Plan:
        """The rollback's writes, in the playbook's order."""
        plans = [lever.restore(await lever.read_for_restore()) for lever in self.crew.homeward()]
        return Plan("roll back", tuple(write for plan in plans for write in plan.writes))

    async def go_back(self) -> None:
        """Make the rollback's writes; nothing is waited for."""
        await self._write(await self.way_back())

    @contextmanager
    def cockpit(self, home: Path) -> Iterator[Terminal]:
        """The real cockpit on the prepared world, in a terminal; it picks the run up where it stands. `home` gets the journal."""
        with Terminal(
            (sys.executable, "-m", "tests.bench.flying", handed_on(self.ready)), {"COCKPIT_HOME": str(home)}
        ) as terminal:
            yield terminal

    async def _write(self, plan: Plan) -> None:
        for write in plan.writes:
            await self.crew.levers[write.lever].apply(write)


@asynccontextmanager
async def prepared() -> AsyncIterator[Prepared]:
    """A world of its own, ended on leaving. Its AWS credentials stay in this process's environment."""
    async with AsyncExitStack() as stack:
        world = await World.start(PLAYBOOK, speed=1.0)
        stack.push_async_callback(world.stop)
        ready = await world.ready()
        os.environ.update(ready.env)
        playbook = load(ready.playbook)
        options = Options(context=ready.context, kubeconfig=ready.kubeconfig, clock=ready.clock)
        servers = await connect_all(playbook, options)
        stack.push_async_callback(servers.aclose)
        yield Prepared(ready, playbook, servers, crew(playbook, servers, options, RUN))


def handed_on(ready: Ready) -> str:
    """What the cockpit's process must know of the world, as JSON for its command line."""
    clock = ready.clock
    return json.dumps(
        {
            "kubeconfig": str(ready.kubeconfig),
            "context": ready.context,
            "playbook": str(ready.playbook),
            "env": dict(ready.env),
            "clock": {"origin": clock.origin.isoformat(), "since": clock.since, "speed": clock.speed},
        }
    )
