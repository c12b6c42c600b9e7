"""The servers of a playbook: opened side by side, each that could not be had named with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
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
OPENING_SECONDS = 20.0
"""Wall seconds for which a way home waits for credentials of AWS."""


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
    account = _soon(_elb(playbook)) if options.going_home else _elb(playbook)
    found.kube, found.elb = await asyncio.gather(
        _kept(found, "affinity", _kube(playbook, options)), _kept(found, "weights", account)
    )
    try:
        why = _read_only(playbook, options, found.kube)
    except UsageError:
        await found.aclose()
        raise
    if why:
        found.forbid(why)
    return found


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


async def _kube(playbook: Playbook, options: Options) -> KubeClient:
    from cockpit.connections.kube import KubeClient

    return await KubeClient.connect(options.context or playbook.target.context, options.kubeconfig)


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


async def _kept(found: Connections, lever: str, opening: Coroutine[None, None, T]) -> T | None:
    try:
        return await opening
    except CockpitError as error:
        found.failures[lever] = error
        return None
