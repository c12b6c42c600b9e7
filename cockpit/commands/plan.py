"""`cockpit plan`: the exact writes of the phases and of the rollback, from what is configured now. Writes nothing."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from typing import Any

from cockpit.assembly import Connections, Options, connect_all, crew
from cockpit.commands.flying import playbook_path
from cockpit.commands.out import line
from cockpit.commands.queries import queries
from cockpit.errors import Exit, Impossible, UsageError
from cockpit.model.diff import diff
from cockpit.model.plan import Plan
from cockpit.model.playbook import Phase, Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.ahead import SOURCES, ahead
from cockpit.run.crew import Crew, join


def run(options: argparse.Namespace) -> int:
    """Print the plans."""
    from cockpit.playbook.loader import load

    playbook = load(playbook_path(options.playbook))
    phases = _chosen(playbook, options.phase)
    for text in queries(playbook):
        line(text)
    for text in asyncio.run(_plans(playbook, phases, Options(context=options.context))):
        line(text)
    return Exit.OK


def _chosen(playbook: Playbook, name: str | None) -> tuple[Phase, ...]:
    found = tuple(p for p in playbook.phases if name in (None, p.name))
    if not found:
        raise UsageError(f"no phase {name!r} in {playbook.source}: it has {', '.join(p.name for p in playbook.phases)}")
    return found


async def _plans(playbook: Playbook, phases: tuple[Phase, ...], how: Options) -> list[str]:
    servers = await connect_all(playbook, how)
    try:
        levers = crew(playbook, servers, how, "plan")
        states = {name: await lever.read() for name, lever in levers.levers.items()}
        seen = await _seen(playbook, servers, phases, how)
        texts = [text for phase in phases for text in _phase(levers, states, phase, seen)]
        back = join("roll back", [lever.restore(states[lever.name]) for lever in levers.homeward()])
        return [*texts, *_words("rollback", back, "nothing was changed by a run: there is nothing to roll back")]
    finally:
        await servers.aclose()


async def _seen(playbook: Playbook, servers: Connections, phases: tuple[Phase, ...], how: Options) -> Snapshot | None:
    """What tells whether pods find room; None when no phase rolls any."""
    if servers.kube is None or not any(phase.affinity for phase in phases):
        return None
    from cockpit.commands.observing import observe

    return await observe(servers.kube, playbook, how.clock, SOURCES)


def _phase(levers: Crew, states: dict[str, Any], phase: Phase, seen: Snapshot | None) -> Iterator[str]:
    try:
        plan = join(phase.name, [lever.plan(states[lever.name], desired) for lever, desired in levers.steps(phase)])
    except Impossible as error:
        yield f"{phase.name}: cannot be set from what is configured now: {error}"
        return
    head, *rest = _words(phase.name, plan, "already set")
    yield head
    if seen and any(write.lever == "affinity" for write in plan.writes) and (room := ahead(seen, phase)):
        yield f"  {room.reason}" if room.passed else f"  ! {room.reason}"
    yield from rest


def _words(name: str, plan: Plan, empty: str) -> Iterator[str]:
    if not plan.writes:
        yield f"{name}: {empty}"
        return
    yield f"{name}: {len(plan.writes)} write{'s' if len(plan.writes) > 1 else ''}" + (
        f" ({plan.blast_radius})" if plan.blast_radius else ""
    )
    for write in plan.writes:
        yield f"  {write.lever}: {write.target}"
        yield from (f"    {text}" for text in diff(write.before, write.after))
