"""Karpenter's NodePools, where the cluster has Karpenter."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from cockpit.clock import Clock
from cockpit.connections.decode_nodepools import NODE_POOLS, serves_node_pools
from cockpit.connections.kube import KubeClient
from cockpit.errors import NotFound
from cockpit.model.snapshot import SourceName
from cockpit.sources.polled import PolledSource

EVERY_SECONDS = 60.0
API = "/apis/karpenter.sh/v1"


def node_pools_source(kube: KubeClient, clock: Clock, random: Random, every: float = EVERY_SECONDS) -> PolledSource:
    """All NodePools. A cluster whose API has none shows none; one that has them and does not let them be listed is a fault."""

    async def ask() -> Mapping[str, object]:
        # Everybody may ask what there is, while an API that is not there is refused to those who may not list it.
        try:
            if not serves_node_pools(await kube.get(API)):
                return {}
        except NotFound:
            return {}
        found: dict[str, object] = {}
        async for page in kube.pages(f"{API}/nodepools"):
            found |= {pool.name: pool for pool in NODE_POOLS.page(page).items}
        return found

    return PolledSource(SourceName.NODEPOOLS, kube, ask, clock, random, every)
