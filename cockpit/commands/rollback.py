"""`cockpit rollback`: home now, without a screen, a journal, metrics or sources."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from cockpit.assembly import Connections, Options, connect, crew, open_logbook, run_name
from cockpit.commands.flying import playbook_path
from cockpit.commands.history import last_run
from cockpit.commands.out import line, warn
from cockpit.errors import CockpitError, Exit, Refused, UsageError
from cockpit.headless import Output
from cockpit.headless import line as event_line
from cockpit.model.event import EventType
from cockpit.model.playbook import Playbook
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import Outcome, Shared, left_in_words, roll_back
from cockpit.settings import operator

if TYPE_CHECKING:
    from cockpit.run.shared.beside import Beside


def run(options: argparse.Namespace) -> int:
    """Roll back and wait until it is proven."""
    from cockpit.playbook.loader import load

    playbook = load(playbook_path(options.playbook))
    return int(asyncio.run(_home(playbook, options)))


async def _home(playbook: Playbook, options: argparse.Namespace) -> Exit:
    how = Options(context=options.context, going_home=True)
    _settings()
    servers = await connect(playbook, how)
    if servers.read_only:
        await servers.aclose()
        raise Refused(f"nothing was rolled back: {servers.read_only}")
    logbook = _logbook(playbook, how)
    logbook.listen(lambda event: line(event_line(event, Output(options.output))))
    try:
        await _identity(playbook, servers)
        levers = _levers(crew(playbook, servers, how, logbook.run))
        context = servers.kube.context if servers.kube else ""
        words = f"rolling back {playbook.name} on the word of {logbook.operator}"
        logbook.say(EventType.ROLLBACK_STARTED, words, context=context)
        beside = _beside(playbook, servers, logbook, how)
        if beside:
            beside.start()
        outcome = Outcome(0, {"all": "stopped"})
        try:
            shared = beside.shared if beside else Shared()
            outcome = await roll_back(levers, logbook, how.clock, options.give_up_after, shared)
            _tell(outcome, logbook, playbook, context)
        finally:
            if beside:
                await beside.close(safe=outcome.safe)
        return Exit.OK if outcome.safe else Exit.ENDED
    finally:
        logbook.close()
        await servers.aclose()


def _tell(outcome: Outcome, logbook: Logbook, playbook: Playbook, context: str) -> None:
    """Say what came of it, while the run's record still listens."""
    failures = "; ".join(f"{name}: {why}" for name, why in outcome.failures.items())
    if outcome.safe:
        words = f"{outcome.written} writes" if outcome.written else _nothing(playbook, context)
        back = f"safe: everything is as it was before the run ({words}){left_in_words(outcome)}"
        logbook.say(EventType.ROLLED_BACK, back, left=list(outcome.left))
    ended = "rolled_back" if outcome.safe else "failed"
    logbook.say(EventType.RUN_FINISHED, f"{ended}: {failures}" if failures else ended, outcome=ended)


def _settings() -> None:
    """Settings that nobody can read hold up no way back: whoever typed this command has said where it goes."""
    from cockpit.preferences import load

    try:
        load()
    except UsageError as error:
        warn(f"cockpit: going on without the settings, read_only_contexts too: {error}")


def _beside(playbook: Playbook, servers: Connections, logbook: Logbook, how: Options) -> Beside | None:
    """What goes on beside the rollback, where there is a cluster to do it in."""
    if servers.kube is None:
        return None
    from cockpit.run.shared.beside import Beside
    from cockpit.run.shared.desk import desk
    from cockpit.run.shared.making import keeper

    mine = desk(playbook, servers.kube, servers.elb, logbook.operator, how.clock)
    return Beside(keeper(playbook, servers.kube, logbook.operator, how.clock, mine), mine, logbook, how.clock)


def _nothing(playbook: Playbook, context: str) -> str:
    """Why there was nothing to do, as far as this machine knows: what came of the last run that did change something."""
    past = last_run(playbook.name, context)
    return "nothing had been changed" + (f"; last run here: {past.words()}" if past else "")


async def _identity(playbook: Playbook, servers: Connections) -> None:
    """Never touch another cluster or account; but the other lever goes home, and what cannot be asked stands in no way."""
    from cockpit.preflight import doubts

    for lever, error in (await doubts(playbook, servers.kube, servers.elb)).items():
        if isinstance(error, Refused):
            await servers.drop(lever, error)
        else:
            warn(f"cockpit: going on although: {error}")


def _levers(levers: Crew) -> Crew:
    """The same; raises what stands in the way when no lever can be moved, and says so of one that cannot."""
    if not levers.levers:
        words = "\n".join(dict.fromkeys(map(str, levers.missing.values())))
        first = next(iter(levers.missing.values()))
        raise first if words == str(first) else Refused(words)
    for lever, error in levers.missing.items():
        warn(f"cockpit: {lever} is not rolled back: {error}")
    return levers


def _logbook(playbook: Playbook, how: Options) -> Logbook:
    name = run_name(playbook, how.clock)
    try:
        return open_logbook(name, how)
    except CockpitError as error:
        warn(f"cockpit: going on without a journal: {error}")
        return Logbook(how.clock, name, operator(), None)
