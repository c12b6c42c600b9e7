"""Putting a flight together from a playbook: connections, levers, sources, journal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

from cockpit import settings
from cockpit.clock import Clock
from cockpit.errors import CockpitError
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import SourceName
from cockpit.settings import operator, run_folder
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.connections.aws import Elb
    from cockpit.connections.cloudwatch import CloudWatchClient
    from cockpit.connections.kube import KubeClient
    from cockpit.connections.registry.client import RegistryClient
    from cockpit.controls.desk import Desk
    from cockpit.flight import Flight
    from cockpit.run.crew import AnyLever, Crew
    from cockpit.run.logbook import Logbook
    from cockpit.run.shared.sharing import Sharing
    from cockpit.sources.base import Source

Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """How to fly: which cluster, what may be written, whose clock. `rehearsal` names the scenario on the embedded world."""

    context: str | None = None
    kubeconfig: Path | None = None
    observe: bool = False
    dry_run: bool = False
    autopilot: bool = False
    alone: bool = False
    """There is no screen: when somebody else has the controls there is nothing to do here."""
    rehearsal: str = ""
    clock: Clock = field(default_factory=settings.clock)
    tick_seconds: float = 0.5


@dataclass(slots=True)
class Connections:
    """The servers of a playbook. One that could not be had is None, with the reason in `failures` by the lever that needs it."""

    kube: KubeClient | None = None
    elb: Elb | None = None
    cloudwatch: CloudWatchClient | None = None
    registry: RegistryClient | None = None
    failures: dict[str, CockpitError] = field(default_factory=dict)
    read_only: str = ""
    """Why nothing may be written; empty when it may."""

    def forbid(self, why: str) -> None:
        """Let no request leave that changes anything, whoever sends it."""
        self.read_only = why
        for server in (self.kube, self.elb):
            if server:
                server.read_only = why

    async def drop(self, lever: str, why: CockpitError) -> None:
        """Close the connection that `lever` writes through, as if it could not be had."""
        self.failures[lever] = why
        if lever == "affinity" and self.kube:
            kube, self.kube = self.kube, None
            await kube.aclose()
        elif lever == "weights" and self.elb:
            elb, self.elb = self.elb, None
            elb.close()

    async def aclose(self) -> None:
        """Close what is open."""
        if self.kube:
            await self.kube.aclose()
        if self.elb:
            self.elb.close()
        if self.cloudwatch:
            self.cloudwatch.close()
        if self.registry:
            await self.registry.aclose()


async def connect(playbook: Playbook, options: Options) -> Connections:
    """Open the connections side by side. Failures are kept, so that a rollback can use what there is."""
    found = Connections()
    found.kube, found.elb = await asyncio.gather(
        _kept(found, "affinity", _kube(playbook, options)), _kept(found, "weights", _elb(playbook))
    )
    if why := _read_only(playbook, options, found.kube):
        found.forbid(why)
    return found


def _read_only(playbook: Playbook, options: Options, kube: KubeClient | None) -> str:
    """Why nothing may be written; empty when it may. A context that nobody can name is one that the settings may mean."""
    if options.observe:
        return "this cockpit is read-only (--observe)"
    if options.rehearsal:
        return ""
    from cockpit.preferences import load

    chosen = load()
    context = kube.context if kube else options.context or playbook.target.context
    glob = chosen.read_only(context) if context else ", ".join(chosen.read_only_contexts)
    return f"this cockpit is read-only here (read_only_contexts in the settings: {clean(glob, 80)})" if glob else ""


async def connect_all(playbook: Playbook, options: Options) -> Connections:
    """Open the connections; raises what the first one that fails raises, since a run needs all of them."""
    found = await connect_to_look(playbook, options)
    for failure in found.failures.values():
        await found.aclose()
        raise failure
    return found


async def connect_to_look(playbook: Playbook, options: Options) -> Connections:
    """Open the connections; raises what the cluster's raises. Whoever only looks can do without the others, and says so."""
    found = await connect(playbook, options)
    found.cloudwatch = await _kept(found, "metrics", _cloudwatch(playbook))
    if found.kube is None:
        await found.aclose()
        raise found.failures["affinity"]
    return found


async def _kube(playbook: Playbook, options: Options) -> KubeClient:
    from cockpit.connections.kube import KubeClient

    return await KubeClient.connect(options.context or playbook.target.context, options.kubeconfig)


async def _elb(playbook: Playbook) -> Elb | None:
    if playbook.alb is None:
        return None
    from cockpit.connections.aws import Elb

    return await Elb.connect(playbook.alb)


async def _cloudwatch(playbook: Playbook) -> CloudWatchClient | None:
    if playbook.cloudwatch is None or not any(signal.measure for signal in playbook.signals.values()):
        return None
    from cockpit.connections.cloudwatch import CloudWatchClient

    return await CloudWatchClient.connect(playbook.cloudwatch)


async def _kept(found: Connections, lever: str, opening: Coroutine[None, None, T]) -> T | None:
    try:
        return await opening
    except CockpitError as error:
        found.failures[lever] = error
        return None


def run_name(playbook: Playbook, clock: Clock) -> str:
    """A name for a new run, safe as a label value: `payments-api-20261122T020000Z-1f3a`."""
    return f"{playbook.name[:40]}-{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def crew(playbook: Playbook, servers: Connections, options: Options, run: str, on_retry: Say | None = None) -> Crew:
    """The levers that the playbook's phases move; one without its server is named as missing."""
    from cockpit.levers.affinity import AffinityLever, workloads_moved
    from cockpit.levers.ingress import IngressLever
    from cockpit.levers.weights import WeightsLever
    from cockpit.run.crew import Crew

    levers: dict[str, AnyLever] = {}
    moved = workloads_moved(playbook)
    if servers.kube and moved:
        levers["affinity"] = AffinityLever(servers.kube, moved, run, options.clock, dry_run=options.dry_run)
    if playbook.alb and playbook.alb.ingress:
        if servers.kube:
            home = playbook.target.namespace
            levers["weights"] = IngressLever(
                servers.kube, servers.elb, playbook.alb, home, run, options.clock, dry_run=options.dry_run
            )
    elif servers.elb and playbook.alb:
        levers["weights"] = WeightsLever(servers.elb, playbook.alb, options.clock, dry_run=options.dry_run, on_retry=on_retry)
    needed = {name for name, used in (("affinity", moved), ("weights", playbook.alb)) if used}
    # An Ingress is written through the cluster; without the load balancer only the proof is missing.
    through = {"weights": "affinity"} if playbook.alb and playbook.alb.ingress else {}
    lost = {name: servers.failures.get(through.get(name, name)) for name in sorted(needed)}
    sure = {name: servers.kube.sure for name in levers if servers.kube and name in ("affinity", *through)}
    return Crew(playbook, levers, {name: error for name, error in lost.items() if error}, sure)


def sources(playbook: Playbook, servers: Connections, clock: Clock, *, probes: bool = False) -> list[Source]:
    """Everything that is observed. With `probes` also what the playbook allows to ask inside of containers."""
    from cockpit.sources.alb import AlbSource
    from cockpit.sources.cluster import cluster_sources

    found: list[Source] = []
    if servers.kube:
        found += cluster_sources(servers.kube, playbook, clock)
        found.append(_images(servers, playbook, clock, probes=probes))
    if servers.elb and playbook.alb:
        found.append(AlbSource(servers.elb, playbook.alb, clock))
    elif playbook.alb:
        found.append(_unavailable(servers, "weights", (SourceName.RULES, SourceName.TARGETS), clock))
    return [*found, *_signals(playbook, servers, clock)]


def permissions(playbook: Playbook, servers: Connections, clock: Clock) -> list[Source]:
    """Whether a rollback would be let write; whoever may not write does not ask."""
    from cockpit.sources.access import access_source, patches

    wanted = patches(playbook)
    if servers.kube is None or servers.read_only or not wanted:
        return []
    return [access_source(servers.kube, wanted, clock, Random())]  # noqa: S311 (jitter)


def _signals(playbook: Playbook, servers: Connections, clock: Clock) -> list[Source]:
    """Whoever is asked for signals, as one source."""
    from cockpit.sources.prometheus import MetricsSource, keep
    from cockpit.sources.signals import Signals

    parts: list[Source] = []
    if playbook.prometheus:
        promql = {name: signal for name, signal in playbook.signals.items() if signal.measure is None}
        parts.append(MetricsSource(playbook.prometheus, promql, clock, keep=keep(playbook)))
    if playbook.cloudwatch and servers.cloudwatch:
        from cockpit.sources.cloudwatch import CloudWatchSource

        parts.append(CloudWatchSource(servers.cloudwatch, playbook.cloudwatch, playbook.signals, clock, keep=keep(playbook)))
    elif "metrics" in servers.failures:
        parts.append(_unavailable(servers, "metrics", (SourceName.METRICS,), clock))
    return parts if len(parts) < 2 else [Signals(parts, clock)]


def _unavailable(servers: Connections, lever: str, names: tuple[SourceName, ...], clock: Clock) -> Source:
    from cockpit.sources.unavailable import UnavailableSource

    return UnavailableSource(names, str(servers.failures.get(lever, "not connected")), clock)


def _images(servers: Connections, playbook: Playbook, clock: Clock, *, probes: bool) -> Source:
    from cockpit.connections.registry.client import RegistryClient
    from cockpit.sources.images import ImagesSource

    servers.registry = servers.registry or RegistryClient(playbook.registries)
    probe = None
    if probes and playbook.probes.exec and servers.kube:
        from cockpit.sources.probing import ExecProbe

        probe = ExecProbe(servers.kube.execute, playbook.target.to_arch)
    return ImagesSource(servers.registry, playbook, clock, probe=probe)


async def launch(path: Path, options: Options, say: Say = lambda _: None) -> Flight:
    """Load the playbook, connect, check, and start to observe. Every failure is a CockpitError, with nothing left open."""
    from cockpit.playbook.loader import load

    say("loading the playbook")
    playbook = await asyncio.to_thread(load, path)
    say("connecting")
    servers = await connect_all(playbook, options)
    try:
        say("preflight")
        return await _ready(playbook, servers, options)
    except BaseException:
        await servers.aclose()
        raise


async def _ready(playbook: Playbook, servers: Connections, options: Options) -> Flight:
    from cockpit.flight import Flight
    from cockpit.preflight import fix, preflight
    from cockpit.run.frame import Identity

    name = run_name(playbook, options.clock)
    report = await preflight(playbook, servers.kube, servers.elb, servers.cloudwatch, writes=not servers.read_only)
    fix(report.pin, servers.kube, servers.elb)
    logbook = open_logbook(name, options)
    logbook.dry_run = options.dry_run
    context = servers.kube.context if servers.kube else ""
    logbook.say(EventType.RUN_STARTED, f"{playbook.name} by {logbook.operator}", playbook=playbook.source, context=context)
    checks: list[Json] = [{"check": c.name, "result": c.result, "words": c.words} for c in report.checks]
    logbook.say(EventType.PREFLIGHT, "; ".join(report.words), checks=checks, pin=report.pin.as_json())
    identity = Identity(
        context=context,
        operator=logbook.operator,
        rehearsal=options.rehearsal,
        read_only=bool(servers.read_only),
        by_setting=bool(servers.read_only) and not options.observe,
        read_only_why=servers.read_only,
        dry_run=options.dry_run,
        pin=report.pin,
    )
    desk = _desk(playbook, servers, options, logbook.operator)
    levers = crew(playbook, servers, options, name, on_retry=lambda words: flight.say_retrying(words))
    flight = Flight(
        levers,
        [
            *sources(playbook, servers, options.clock, probes=not (servers.read_only or options.dry_run)),
            *permissions(playbook, servers, options.clock),
        ],
        identity,
        options.clock,
        logbook,
        autopilot=options.autopilot,
        tick_seconds=options.tick_seconds,
        blocked=servers.read_only,
        on_close=servers.aclose,
        desk=desk,
        sharing=_sharing(levers, servers, options, logbook, desk),
    )
    if servers.kube:
        servers.kube.keep_warm()
    flight.start()
    if desk:
        desk.start()
        if options.alone and not servers.read_only:
            await _alone(flight, desk)
    return flight


def _desk(playbook: Playbook, servers: Connections, options: Options, operator: str) -> Desk | None:
    """This cockpit's part in the controls; a dry run has none."""
    if servers.kube is None or options.dry_run:
        return None
    from cockpit.controls.hold import Over
    from cockpit.run.shared.desk import desk

    # A person looks before they take the place of somebody who may only be silent; an autopilot has nobody to do so.
    claim = None if servers.read_only else Over.SILENT if options.alone and options.autopilot else Over.NOBODY
    return desk(playbook, servers.kube, servers.elb, operator, options.clock, claim)


def _sharing(levers: Crew, servers: Connections, options: Options, logbook: Logbook, desk: Desk | None) -> Sharing | None:
    """This cockpit's part in the run's record; a dry run has none."""
    if servers.kube is None or options.dry_run:
        return None
    from cockpit.run.shared.making import sharing

    return sharing(levers, servers.kube, logbook, options.clock, desk, writes=not servers.read_only)


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


def open_logbook(run: str, options: Options) -> Logbook:
    """The run's logbook with its journal on disk. Refused when the disk takes no journal: no write goes unrecorded."""
    from cockpit.errors import Refused
    from cockpit.journal import Journal
    from cockpit.run.logbook import Logbook

    try:
        journal = Journal(run_folder(run) / "journal.jsonl")
    except OSError as error:
        raise Refused(f"no journal can be kept: {error}; set $COCKPIT_HOME to a folder that can be written") from None
    return Logbook(options.clock, run, operator(), journal)
