"""Whether the API server would still let a rollback's write through: asked now and then, by a review that persists nothing."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from cockpit.clock import Clock
from cockpit.connections.kube import KubeClient
from cockpit.connections.permits import Permission, permitted
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import SourceName
from cockpit.sources.polled import PolledSource

EVERY_SECONDS = 120.0


def patches(playbook: Playbook) -> dict[str, Permission]:
    """What a rollback of this playbook patches in the cluster, by lever."""
    home = playbook.target.namespace
    found = (
        {"affinity": Permission("patch", "apps", "deployments", home)} if any(phase.affinity for phase in playbook.phases) else {}
    )
    by_ingress = playbook.alb is not None and playbook.alb.ingress is not None
    return found | ({"weights": Permission("patch", "networking.k8s.io", "ingresses", home)} if by_ingress else {})


def access_source(
    kube: KubeClient, wanted: Mapping[str, Permission], clock: Clock, random: Random, every: float = EVERY_SECONDS
) -> PolledSource:
    """What is not permitted of `wanted`, in words, by the same key; nothing while all is."""

    async def ask() -> Mapping[str, object]:
        return {lever: str(patch) for lever, patch in wanted.items() if not await permitted(kube, patch)}

    return PolledSource(SourceName.ACCESS, kube, ask, clock, random, every)
