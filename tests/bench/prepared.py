"""A world at production's own pace, put into a phase by the cockpit's levers, with the real cockpit flying on it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from cockpit.assembly import Connections, Options, connect_all, crew
from cockpit.clock import CLOCK_VARIABLE, ScaledClock
from cockpit.model.plan import Plan
from cockpit.model.playbook import Playbook
from cockpit.playbook import load
from cockpit.run.crew import Crew
from tests.bench.served import Served, Size, served

RUN = "bench-1"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world, and the levers to move it."""

    world: Served
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

    async def _write(self, plan: Plan) -> None:
        for write in plan.writes:
            await self.crew.levers[write.lever].apply(write)


@asynccontextmanager
async def prepared(size: Size | None = None, *more: str) -> AsyncIterator[Prepared]:
    """A world of its own, ended on leaving. `more` is for `serve-rehearsal`."""
    async with AsyncExitStack() as stack:
        world = stack.enter_context(served(size, *more))
        stack.enter_context(_in_environment(world.env))
        playbook = load(world.playbook)
        clock = ScaledClock.parse(world.env[CLOCK_VARIABLE])
        options = Options(context=world.context, kubeconfig=world.kubeconfig, clock=clock)
        servers = await connect_all(playbook, options)
        stack.push_async_callback(servers.aclose)
        yield Prepared(world, playbook, servers, crew(playbook, servers, options, RUN))


@contextmanager
def _in_environment(more: dict[str, str]) -> Iterator[None]:
    """The world's credentials and clock, as its own cockpit finds them; the next world brings others."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
