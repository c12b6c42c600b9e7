"""A flight from a playbook: connected, checked, with its journal, its part in the controls and in the run's record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.assembly.levers import Say, crew
from cockpit.assembly.logbook import open_logbook, run_name
from cockpit.assembly.observed import audits, permissions, sources
from cockpit.assembly.options import Options
from cockpit.assembly.servers import Connections, connect_all
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook, Promote
from cockpit.run.early import record_early_start

if TYPE_CHECKING:
    from cockpit.connections.kube import KubeClient
    from cockpit.controls.desk import Desk
    from cockpit.flight import Flight
    from cockpit.model.check import Report
    from cockpit.model.pin import Pin
    from cockpit.run.crew import Crew
    from cockpit.run.frame import Identity
    from cockpit.run.logbook import Logbook
    from cockpit.run.observing import Observing
    from cockpit.run.shared.sharing import Sharing


async def launch(path: Path, options: Options, say: Say = lambda _: None) -> Flight:
    """Load the playbook, connect, check, and start to observe. Every failure is a CockpitError, with nothing left open."""
    from cockpit.playbook.loader import load

    say("loading the playbook")
    playbook = await asyncio.to_thread(load, path)
    say("connecting")
    observing, begin = _observing(playbook, options)
    servers: Connections | None = None
    try:
        servers = await connect_all(playbook, options, begin)
        say("preflight")
        return await _ready(playbook, servers, options, observing)
    except BaseException:
        await observing.aclose()
        if servers:
            await servers.aclose()
        raise


def _observing(playbook: Playbook, options: Options) -> tuple[Observing, Callable[[KubeClient], None]]:
    """What is observed, and what begins with it: the cluster's lists are under way while all the rest is still being opened."""
    from cockpit.run.observing import Observing
    from cockpit.sources.cluster import cluster_sources

    observing = Observing(options.clock)
    return observing, lambda kube: observing.begin(cluster_sources(kube, playbook, options.clock))


async def _ready(playbook: Playbook, servers: Connections, options: Options, observing: Observing) -> Flight:
    from cockpit.preflight import fix, preflight

    name = run_name(playbook, options.clock)
    report = await preflight(playbook, servers.kube, servers.elb, servers.cloudwatch, writes=not servers.read_only)
    fix(report.pin, servers.kube, servers.elb)
    logbook = open_logbook(name, options)
    logbook.dry_run = options.dry_run
    _begin(logbook, playbook, servers, report)
    record_early_start(logbook, options.early)
    _name_second_seat(logbook, playbook, options.second_seat)
    desk = _desk(playbook, servers, options, logbook.operator)
    flight = _flight(playbook, servers, options, logbook, report.pin, desk, observing)
    _keep_warm(playbook, servers, logbook)
    flight.start()
    if desk:
        desk.start()
        if options.alone and not servers.read_only:
            await _alone(flight, desk)
    return flight


def _keep_warm(playbook: Playbook, servers: Connections, logbook: Logbook) -> None:
    """Whatever a rollback writes through is open, and its credentials are fetched, before anybody asks for one."""
    if servers.kube:
        servers.kube.keep_warm(lambda words: logbook.say(EventType.SOURCE_FAULT, words, source="credentials"))
    if servers.elb and playbook.alb and not servers.read_only:
        servers.elb.keep_warm(playbook.alb.target_groups[playbook.target.from_arch])


def _begin(logbook: Logbook, playbook: Playbook, servers: Connections, report: Report) -> None:
    context = servers.kube.context if servers.kube else ""
    logbook.say(EventType.RUN_STARTED, f"{playbook.name} by {logbook.operator}", playbook=playbook.source, context=context)
    checks: list[Json] = [{"check": c.name, "result": c.result, "words": c.words} for c in report.checks]
    logbook.say(EventType.PREFLIGHT, "; ".join(report.words), checks=checks, pin=report.pin.as_json())


def _name_second_seat(logbook: Logbook, playbook: Playbook, seat: str) -> None:
    """Where a rehearsal will wait for a second person, say how to become that person."""
    if seat and any(phase.promote is Promote.TWO_PERSON for phase in playbook.phases):
        words = f"two_person: in another terminal `{seat}` opens the second engineer's cockpit (context rehearsal-second)"
        logbook.say(EventType.CONTROLS, words, second_seat=seat)


def _flight(
    playbook: Playbook,
    servers: Connections,
    options: Options,
    logbook: Logbook,
    pin: Pin,
    desk: Desk | None,
    observing: Observing,
) -> Flight:
    from cockpit.flight import Flight

    levers = crew(playbook, servers, options, logbook.run, on_retry=lambda words: flight.course.say_retrying(words))
    probes = not (servers.read_only or options.dry_run)
    audit = audits(playbook, servers, options.clock, pin.account)
    asked = [
        *sources(playbook, servers, options.clock, probes=probes, begun=True),
        *permissions(playbook, servers, options.clock),
    ]
    flight = Flight(
        levers,
        [*asked, audit] if audit else asked,
        _identity(servers, options, logbook.operator, pin),
        options.clock,
        logbook,
        autopilot=options.autopilot,
        tick_seconds=options.tick_seconds,
        blocked=servers.read_only,
        on_close=servers.aclose,
        desk=desk,
        sharing=_sharing(levers, servers, options, logbook, desk, pin),
        audit=audit.again if audit else None,
        observing=observing,
    )
    return flight


def _identity(servers: Connections, options: Options, operator: str, pin: Pin) -> Identity:
    from cockpit.run.frame import Identity

    return Identity(
        context=servers.kube.context if servers.kube else "",
        operator=operator,
        rehearsal=options.rehearsal,
        second_seat=options.second_seat,
        read_only=bool(servers.read_only),
        by_setting=bool(servers.read_only) and not options.observe,
        read_only_why=servers.read_only,
        dry_run=options.dry_run,
        pin=pin,
    )


def _desk(playbook: Playbook, servers: Connections, options: Options, operator: str) -> Desk | None:
    """This cockpit's part in the controls; a dry run has none."""
    if servers.kube is None or options.dry_run:
        return None
    from cockpit.controls.hold import Over
    from cockpit.run.shared.desk import desk

    # A person looks before they take the place of somebody who may only be silent; an autopilot has nobody to do so.
    claim = None if servers.read_only else Over.SILENT if options.alone and options.autopilot else Over.NOBODY
    return desk(playbook, servers.kube, servers.elb, operator, options.clock, claim)


def _sharing(
    levers: Crew, servers: Connections, options: Options, logbook: Logbook, desk: Desk | None, pin: Pin
) -> Sharing | None:
    """This cockpit's part in the run's record; a dry run has none."""
    if servers.kube is None or options.dry_run:
        return None
    from cockpit.run.shared.making import sharing

    fresh = bool(options.rehearsal)
    return sharing(levers, servers.kube, logbook, options.clock, desk, writes=not servers.read_only, pin=pin, fresh=fresh)


async def _alone(flight: Flight, desk: Desk) -> None:
    """NotInControl, with nothing left behind, when somebody else has the controls."""
    from cockpit.errors import NotInControl
    from cockpit.model.controls import Standing

    await desk.opened.wait()
    seen = desk.view()
    if seen.standing in (Standing.THEIRS, Standing.FREE):
        who = seen.holder.operator if seen.holder else "somebody else"
        await flight.close()
        raise NotInControl(f"{who} has the controls of {flight.crew.playbook.name} (epoch {seen.epoch}): nothing was begun here")
