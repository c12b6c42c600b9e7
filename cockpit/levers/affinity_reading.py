"""Reading what the affinity lever moves: the Deployments, and the nodes that their pods may find."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import DecodeError

from cockpit.connections import decode
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Unreachable
from cockpit.levers.affinity_placement import Placement
from cockpit.model.cluster import Deployment, Node, Ref


async def placement(client: KubeClient, workloads: Sequence[Ref], *, nodes: bool) -> Placement:
    """The workloads and, when asked for, the nodes; nodes that cannot be read are None."""
    deployments = asyncio.gather(*(_deployment(client, ref) for ref in workloads))
    found, (known, why) = await asyncio.gather(deployments, _nodes(client) if nodes else _not_asked())
    return Placement(dict(zip(workloads, found, strict=True)), known, why)


async def what_is_there(client: KubeClient, workloads: Sequence[Ref]) -> Placement:
    """The workloads that can be read, and why the others cannot; raises what the first one does when none can."""
    asked = await asyncio.gather(*(_deployment(client, ref) for ref in workloads), return_exceptions=True)
    found: dict[Ref, Deployment] = {}
    missing: dict[Ref, CockpitError] = {}
    for ref, one in zip(workloads, asked, strict=True):
        if isinstance(one, CockpitError):
            missing[ref] = one
        elif isinstance(one, BaseException):
            raise one
        else:
            found[ref] = one
    if missing and not found:
        raise next(iter(missing.values()))
    return Placement(found, None, "they were not asked for", {ref: str(error) for ref, error in missing.items()})


def path_of(namespace: str, name: str) -> str:
    """Where the API server has a Deployment."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


async def _deployment(client: KubeClient, ref: Ref) -> Deployment:
    raw = await client.look(path_of(ref.namespace, ref.name))
    try:
        return decode.deployment(raw)
    except DecodeError as fault:
        raise Unreachable(f"{ref}: what the API server sent is no Deployment: {fault}") from None


async def _nodes(client: KubeClient) -> tuple[tuple[Node, ...] | None, str]:
    nodes: list[Node] = []
    try:
        async for page in client.pages("/api/v1/nodes"):
            nodes += decode.NODES.page(page).items
    except CockpitError as fault:
        return None, str(fault)
    except DecodeError as fault:
        return None, f"the list of nodes cannot be read: {fault}"
    return tuple(nodes), ""


async def _not_asked() -> tuple[None, str]:
    return None, "they were not asked for"
