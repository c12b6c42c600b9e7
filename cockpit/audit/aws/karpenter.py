"""Karpenter NodePools, which Kubernetes is asked for."""

from __future__ import annotations

from cockpit.audit.aws.choosing import Item, choose, missing
from cockpit.audit.aws.each import each
from cockpit.connections.decode_nodepools import NODE_POOLS
from cockpit.connections.kube import KubeClient
from cockpit.errors import NotFound
from cockpit.model.nodepool import NodePool
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.pools import judge_pool
from cockpit.rules.portability.aws.verdict import Judged, Verdict, unknown

LIST = "/apis/karpenter.sh/v1/nodepools"


async def look(kube: KubeClient | None, selection: Selection) -> list[Judged]:
    """A verdict on each chosen NodePool. Tags are the labels that its nodes have."""
    if kube is None:
        why = "no cluster was asked for its NodePools"
        return [unknown(selection.surface, name, why, selection.owner) for name in selection.names or ("*",)]
    try:
        pools = await _pools(kube)
    except NotFound:
        why = "the cluster's API has no karpenter.sh/v1 NodePools"
        right = "leave portability.aws.karpenter out of the playbook, or look at the cluster"
        return [unknown(selection.surface, name, why, selection.owner, right) for name in selection.names or ("*",)]

    async def judge(item: Item) -> Verdict:
        return judge_pool(pools[item.name])

    chosen = await choose(selection, [Item(name, tags=pool.labels) for name, pool in pools.items()])
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


async def _pools(kube: KubeClient) -> dict[str, NodePool]:
    found: dict[str, NodePool] = {}
    async for page in kube.pages(LIST):
        found |= {pool.name: pool for pool in NODE_POOLS.page(page).items}
    return found
