"""Everything that an audit judges, from the cluster and from manifests, with the containers that admission would add."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from cockpit.audit.admission import admitted, why
from cockpit.audit.ask import Ask, Scope, Servers
from cockpit.audit.cluster import Cluster, gather, injected, running_like
from cockpit.audit.manifests import Manifests, read
from cockpit.audit.objects import Found
from cockpit.audit.telling import Count, Teller
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Forbidden
from cockpit.model.audit import Progress
from cockpit.model.cluster import Node
from cockpit.model.nodepool import NodePool
from cockpit.model.workload import Budget, Use, Workload

_DRY_RUNS_AT_ONCE = 6


@dataclass(slots=True)
class Components:
    """What was found. `nodes` is None when no cluster was asked, or it did not say."""

    workloads: list[Workload] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    nodes: tuple[Node, ...] | None = None
    pools: tuple[NodePool, ...] = ()
    faults: list[str] = field(default_factory=list)


Begin = Callable[[Iterable[str]], None]


async def components(ask: Ask, servers: Servers, teller: Teller, begin: Begin = lambda _: None) -> Components:
    """Read the cluster and the manifests; what cannot be read is among the faults.

    `begin` is told of images as soon as a template names them: their registries can be asked meanwhile.
    """
    found = Components()
    if ask.scope is not Scope.NONE and servers.kube is not None:
        await _cluster(servers.kube, ask, teller, begin, found)
    elif ask.scope is not Scope.NONE:
        found.faults.append(f"the cluster could not be asked: {servers.why.get('kube', 'there is no connection to it')}")
    read_in = Manifests()
    for path in ask.manifests:
        await asyncio.to_thread(read, path, servers.stdin, read_in)
    found.workloads += read_in.workloads
    found.budgets += read_in.budgets
    found.faults += read_in.faults
    return found


async def _cluster(kube: KubeClient, ask: Ask, teller: Teller, begin: Begin, found: Components) -> None:
    say = teller.area("cluster")
    say(Progress(0, 1, "listing the cluster"))
    cluster = await gather(kube, ask)
    say(Progress(1, 1, "the cluster is listed"))
    begin(use.image for made in cluster.made.values() for use in made.workload.uses)
    found.workloads += await _admit(kube, cluster, teller)
    found.budgets += [cluster.budgets[key] for key in sorted(cluster.budgets)]
    found.nodes = tuple(cluster.nodes.values()) if cluster.nodes is not None else None
    found.pools = tuple(cluster.pools.values())
    found.faults += sorted(cluster.faults)
    found.faults += _absent(ask, cluster)


def _absent(ask: Ask, cluster: Cluster) -> list[str]:
    """The playbook's own workloads that are not there, where their list could be had."""
    if ask.playbook is None or any(fault.startswith("Deployments") for fault in cluster.faults):
        return []
    there = {made.workload.ref for made in cluster.made.values()}
    return [
        f"{ref} of the playbook is not in namespace {ref.namespace}" for ref in ask.playbook.target.workloads if ref not in there
    ]


async def _admit(kube: KubeClient, cluster: Cluster, teller: Teller) -> list[Workload]:
    """Every workload as admission would have its pods. Nobody who may not make pods in a namespace is asked there twice."""
    turns, refused = asyncio.Semaphore(_DRY_RUNS_AT_ONCE), dict[str, str]()
    count = Count(teller.area("admission"), len(cluster.made))

    async def one(key: str) -> Workload:
        async with turns:
            done = await _admitted(kube, cluster, key, refused)
        count.done(done.name)
        return done

    return list(await asyncio.gather(*(one(key) for key in sorted(cluster.made))))


async def _admitted(kube: KubeClient, cluster: Cluster, key: str, refused: dict[str, str]) -> Workload:
    made = cluster.made[key]
    workload, namespace = made.workload, made.workload.ref.namespace
    seen = injected(cluster, key)
    if not made.template:
        return workload
    words = refused.get(namespace, "")
    if not words:
        try:
            uses = await admitted(kube, made)
            return replace(workload, uses=_with(uses, seen))
        except CockpitError as error:
            words = why(error)
            if isinstance(error, Forbidden):
                refused[namespace] = words
    return await _by_its_pods(kube, cluster, key, made, words)


async def _by_its_pods(kube: KubeClient, cluster: Cluster, key: str, made: Found, words: str) -> Workload:
    """What runs tells as much as a dry run: it has been admitted."""
    if key not in cluster.running:
        with suppress(CockpitError):
            cluster.running[key] = await running_like(kube, made.workload)
    unseen = "" if cluster.running.get(key) else words
    return replace(made.workload, uses=_with(made.workload.uses, injected(cluster, key)), unseen=unseen)


def _with(uses: tuple[Use, ...], more: tuple[Use, ...]) -> tuple[Use, ...]:
    known = {use.container for use in uses}
    return (*uses, *(use for use in more if use.container not in known))
