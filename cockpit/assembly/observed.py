"""Everything that is observed for a playbook."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from cockpit.assembly.servers import Connections
from cockpit.clock import Clock
from cockpit.model.audit import Audit
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import SourceName

if TYPE_CHECKING:
    from cockpit.sources.base import Source
    from cockpit.sources.portability import PortabilitySource


def sources(playbook: Playbook, servers: Connections, clock: Clock, *, probes: bool = False, begun: bool = False) -> list[Source]:
    """Everything that is observed; but for the cluster's own sources when those have `begun` before.

    With `probes` also what the playbook allows to ask inside of containers.
    """
    from cockpit.sources.alb import AlbSource
    from cockpit.sources.cluster import cluster_sources

    found: list[Source] = []
    if servers.kube:
        found += () if begun else cluster_sources(servers.kube, playbook, clock)
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


def audits(playbook: Playbook, servers: Connections, clock: Clock, account: str = "") -> PortabilitySource | None:
    """The portability audit, made by itself where the playbook has it gate the first phase; None without a cluster to ask.

    `account` is the one that the run is pinned to, if any: where the playbook names none, no other one's surfaces are looked at.
    """
    from cockpit.connections.registry.client import RegistryClient
    from cockpit.sources.portability import PortabilitySource, Say

    if servers.kube is None:
        return None
    servers.registry = servers.registry or RegistryClient(playbook.registries)
    asking = _pinned(playbook, account)

    async def made(say: Say) -> Audit:
        from cockpit.audit import ask, survey

        asked = ask.Servers(servers.kube, servers.registry)
        return await survey.survey(ask.Ask(clock.now().date(), asking), asked, say)

    return PortabilitySource(made, clock, by_itself=playbook.portability.require != "off")


def _pinned(playbook: Playbook, account: str) -> Playbook:
    """The playbook with its AWS surfaces in this account, unless it names one itself."""
    surfaces = playbook.portability.aws
    if surfaces is None or surfaces.account or not account:
        return playbook
    return replace(playbook, portability=replace(playbook.portability, aws=replace(surfaces, account=account)))


def _signals(playbook: Playbook, servers: Connections, clock: Clock) -> list[Source]:
    """Whoever is asked for signals, as one source."""
    from cockpit.sources.prometheus import MetricsSource, keep, urgent_first
    from cockpit.sources.signals import Signals

    parts: list[Source] = []
    if playbook.prometheus:
        promql = {name: signal for name, signal in urgent_first(playbook).items() if signal.measure is None}
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
