"""One look at a playbook's world, for the commands that only look: everything is observed, nothing can be written."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cockpit.assembly import Connections, Options, connect_to_look, crew, sources
from cockpit.commands.flying import playbook_path
from cockpit.commands.out import warn
from cockpit.model.playbook import Playbook

if TYPE_CHECKING:
    from cockpit.flight import Flight

PATIENCE = 10.0
"""Wall seconds to wait for the first picture in which every source was heard."""


@asynccontextmanager
async def looking(
    options: argparse.Namespace, what: str, *, registries: bool = False, controls: bool = False
) -> AsyncIterator[Flight]:
    """A read-only flight of `options.playbook` in `options.context` that has seen what can be seen.

    `what` names it: `a status`. With `registries` it has their answers too, which take longest; with `controls` it sees whose
    those are.
    """
    from cockpit.flight import Flight
    from cockpit.playbook.loader import load
    from cockpit.run.frame import Identity
    from cockpit.run.logbook import Logbook
    from cockpit.run.shared.desk import desk
    from cockpit.run.shared.making import sharing
    from cockpit.settings import operator

    playbook = load(playbook_path(options.playbook))
    how = Options(context=options.context, observe=True)
    servers = await connect_to_look(playbook, how)
    for text in asked(playbook, servers):
        warn(f"cockpit: {text}")
    logbook = Logbook(how.clock, what, operator(), None)
    who = Identity(servers.kube.context if servers.kube else "", logbook.operator, read_only=True)
    levers = crew(playbook, servers, how, what)
    seen = desk(playbook, servers.kube, servers.elb, logbook.operator, how.clock, None) if servers.kube and controls else None
    flight = Flight(
        levers, sources(playbook, servers, how.clock), who, how.clock, logbook,
        blocked=f"{what} only looks", on_close=servers.aclose, desk=seen,
        sharing=sharing(levers, servers.kube, logbook, how.clock, None) if servers.kube else None,
    )  # fmt: skip
    flight.start()
    if seen:
        seen.start()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await flight.synced.wait()
                if seen:
                    await seen.opened.wait()
                    await seen.looked_round.wait()
                await flight.next_tick()
                if registries:
                    await _answered(flight)
        yield flight
    finally:
        await flight.close()


def asked(playbook: Playbook, servers: Connections) -> Iterator[str]:
    """Who is asked, by address: the same playbook may mean a served world or the real thing."""
    names = [f"cluster {servers.kube.server}"] if servers.kube else []
    if playbook.alb:
        endpoint = servers.elb.endpoint if servers.elb else playbook.alb.endpoint_url
        names.append(f"AWS {endpoint or f'in {playbook.alb.region}'}")
    if playbook.prometheus:
        names.append(f"Prometheus {_address(playbook.prometheus.url)}")
    yield f"asking {', '.join(names)}"
    if playbook.alb and not playbook.alb.endpoint_url and _is_bundled(playbook):
        yield (
            "this bundled playbook asks AWS itself; for a served world take the `playbook` of serve-rehearsal's line, "
            "and the `env` beside it"
        )


def _address(url: str) -> str:
    """Host and port alone: the rest may hold a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _is_bundled(playbook: Playbook) -> bool:
    from cockpit.playbook.loader import bundled

    return Path(playbook.source).resolve() in {path.resolve() for path in bundled()}


async def _answered(flight: Flight) -> None:
    from cockpit.sources.images import NOT_YET

    while (frame := flight.frame()) and any(image.why == NOT_YET for image in frame.snapshot.images.values()):
        await flight.next_tick()
