"""One look at a playbook's world, for the commands that only look: everything is observed, nothing can be written."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from cockpit.assembly import Options, connect_to_look, crew, sources
from cockpit.commands.flying import playbook_path

if TYPE_CHECKING:
    from cockpit.flight import Flight

PATIENCE = 10.0
"""Wall seconds to wait for the first picture in which every source was heard."""


@asynccontextmanager
async def looking(options: argparse.Namespace, what: str, *, registries: bool = False) -> AsyncIterator[Flight]:
    """A read-only flight of `options.playbook` in `options.context` that has seen what can be seen.

    `what` names it: `a status`. With `registries` it has their answers too, which take longest.
    """
    from cockpit.flight import Flight
    from cockpit.playbook.loader import load
    from cockpit.run.frame import Identity
    from cockpit.run.logbook import Logbook
    from cockpit.settings import operator

    playbook = load(playbook_path(options.playbook))
    how = Options(context=options.context, observe=True)
    servers = await connect_to_look(playbook, how)
    logbook = Logbook(how.clock, what, operator(), None)
    who = Identity(servers.kube.context if servers.kube else "", logbook.operator, read_only=True)
    flight = Flight(
        crew(playbook, servers, how, what), sources(playbook, servers, how.clock), who, how.clock, logbook,
        blocked=f"{what} only looks", on_close=servers.aclose,
    )  # fmt: skip
    flight.start()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await flight.synced.wait()
                await flight.next_tick()
                if registries:
                    await _answered(flight)
        yield flight
    finally:
        await flight.close()


async def _answered(flight: Flight) -> None:
    from cockpit.sources.images import NOT_YET

    while (frame := flight.frame()) and any(image.why == NOT_YET for image in frame.snapshot.images.values()):
        await flight.next_tick()
