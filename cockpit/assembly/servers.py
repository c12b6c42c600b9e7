"""The servers of a playbook: opened side by side, each that could not be had named with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cockpit.assembly.options import Options
from cockpit.errors import CockpitError, Unreachable, UsageError
from cockpit.model.playbook import Playbook
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.connections.aws import Elb
    from cockpit.connections.cloudwatch import CloudWatchClient
    from cockpit.connections.kube import KubeClient
    from cockpit.connections.registry.client import RegistryClient

T = TypeVar("T")
Begin = Callable[["KubeClient"], None]
HEAD_START_SECONDS = 0.3
"""Wall seconds for which the load balancer's libraries are imported after the cluster's, whose credentials may take longer."""
OPENING_SECONDS = 20.0
"""Wall seconds for which a way home waits for credentials of AWS."""


def _nothing(_: KubeClient) -> None:
    return None


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


async def connect(playbook: Playbook, options: Options, begin: Begin = _nothing) -> Connections:
    """Open the connections side by side. Failures are kept, so that a rollback can use what there is.

    `begin` is called with the cluster's as soon as that is there.
    """
    found = Connections()
    cluster = asyncio.create_task(_cluster(playbook, options, begin))
    account = _soon(_elb(playbook)) if options.going_home else _after(cluster, partial(_elb, playbook))
    found.kube, found.elb = await asyncio.gather(_kept(found, "affinity", cluster), _kept(found, "weights", account))
    try:
        why = _read_only(playbook, options, found.kube)
    except UsageError:
        await found.aclose()
        raise
    if why:
        found.forbid(why)
    return found


async def connect_all(playbook: Playbook, options: Options, begin: Begin = _nothing) -> Connections:
    """Open the connections; raises what the first one that fails raises, since a run needs all of them."""
    found = await connect_to_look(playbook, options, begin)
    for failure in found.failures.values():
        await found.aclose()
        raise failure
    return found


async def connect_to_look(playbook: Playbook, options: Options, begin: Begin = _nothing) -> Connections:
    """Open the connections; raises what the cluster's raises. Whoever only looks can do without the others, and says so."""
    found = await connect(playbook, options, begin)
    found.cloudwatch = await _kept(found, "metrics", _cloudwatch(playbook))
    if found.kube is None:
        await found.aclose()
        raise found.failures["affinity"]
    return found


def _read_only(playbook: Playbook, options: Options, kube: KubeClient | None) -> str:
    """Why nothing may be written; empty when it may. A context that nobody can name is one that the settings may mean."""
    if options.observe:
        return "this cockpit is read-only (--observe)"
    if options.rehearsal:
        return ""
    from cockpit.preferences import load

    try:
        chosen = load()
    except UsageError:
        if options.going_home:
            return ""
        raise
    context = kube.context if kube else options.context or playbook.target.context
    glob = chosen.read_only(context) if context else ", ".join(chosen.read_only_contexts)
    return f"this cockpit is read-only here (read_only_contexts in the settings: {clean(glob, 80)})" if glob else ""


async def _cluster(playbook: Playbook, options: Options, begin: Begin) -> KubeClient:
    from cockpit.connections.kube import KubeClient

    kube = await KubeClient.connect(options.context or playbook.target.context, options.kubeconfig)
    begin(kube)
    return kube


async def _after(first: asyncio.Task[KubeClient], opening: Callable[[], Awaitable[T]]) -> T:
    """The same, a moment after `first` or its head start: both are heavy, and what the cluster is asked for takes longest."""
    await asyncio.wait([first], timeout=HEAD_START_SECONDS)
    return await opening()


async def _elb(playbook: Playbook) -> Elb | None:
    if playbook.alb is None:
        return None
    from cockpit.connections.aws import Elb

    return await Elb.connect(playbook.alb)


async def _soon(opening: Coroutine[None, None, T]) -> T:
    """The same, but not for ever: the other lever waits for it on the way home."""
    try:
        async with asyncio.timeout(OPENING_SECONDS):
            return await opening
    except TimeoutError:
        words = f"no AWS credentials within {OPENING_SECONDS:g} s (a credential_process that hangs?); end it, and roll back again"
        raise Unreachable(words) from None


async def _cloudwatch(playbook: Playbook) -> CloudWatchClient | None:
    if playbook.cloudwatch is None or not any(signal.measure for signal in playbook.signals.values()):
        return None
    from cockpit.connections.cloudwatch import CloudWatchClient

    return await CloudWatchClient.connect(playbook.cloudwatch)


async def _kept(found: Connections, lever: str, opening: Awaitable[T]) -> T | None:
    try:
        return await opening
    except CockpitError as error:
        found.failures[lever] = error
        return None
