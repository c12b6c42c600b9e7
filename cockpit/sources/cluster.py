"""What of a cluster is observed for a playbook: all nodes, its workloads and agents with their pods, its namespace's Events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from cockpit.clock import Clock
from cockpit.connections import decode
from cockpit.connections.kube import KubeClient
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Source
from cockpit.sources.collection import Collection, by_name, by_namespace
from cockpit.sources.events import EventsSource
from cockpit.sources.listwatch import ListWatch
from cockpit.sources.merged import Part, part_of
from cockpit.sources.namespace import autoscalers_source, ingresses_source, quotas_source
from cockpit.sources.nodepools import node_pools_source
from cockpit.sources.selectors import SelectorBoard, followed
from cockpit.sources.usage import UsageSource
from cockpit.sources.watched import WatchedSource
from cockpit.sources.workloads import daemonsets_source, deployments_source, selector_key


def cluster_sources(kube: KubeClient, playbook: Playbook, clock: Clock, random: Random | None = None) -> tuple[Source, ...]:
    """Every source of the cluster. They go together: pods are listed once their Deployments and DaemonSets have been seen."""
    chance = random or Random()  # noqa: S311 (jitter)
    board = SelectorBoard()
    agents = tuple(agent.daemonset for agent in playbook.agents)
    workloads, namespace = playbook.target.workloads, playbook.target.namespace
    ingress = playbook.alb.ingress if playbook.alb else None
    return (
        nodes_source(kube, clock, chance),
        deployments_source(kube, workloads, board, clock, chance),
        daemonsets_source(kube, agents, board, clock, chance),
        pods_source(kube, workloads, agents, board, clock, chance),
        EventsSource(kube, playbook.target.namespace, clock, chance),
        UsageSource(kube, clock, chance, namespace=playbook.target.namespace),
        autoscalers_source(kube, playbook.target.namespace, clock, chance),
        quotas_source(kube, playbook.target.namespace, clock, chance),
        node_pools_source(kube, clock, chance),
        *([ingresses_source(kube, namespace, ingress.name, clock, chance)] if ingress else []),
    )


def nodes_source(kube: KubeClient, clock: Clock, random: Random) -> WatchedSource:
    """All nodes."""
    nodes = Collection(SourceName.NODES, "/api/v1/nodes", decode.NODES, by_name, {}, big=True)
    return WatchedSource(SourceName.NODES, [part_of(ListWatch(kube, nodes, clock, random))], clock)


def pods_source(
    kube: KubeClient, workloads: Sequence[Ref], agents: Sequence[Ref], board: SelectorBoard, clock: Clock, random: Random
) -> WatchedSource:
    """The pods that the workloads and agents select; never all pods."""
    named = [(SourceName.DEPLOYMENTS, ref) for ref in workloads] + [(SourceName.DAEMONSETS, ref) for ref in agents]
    parts = [_selected(kube, source, ref, board, clock, random) for source, ref in named]
    return WatchedSource(SourceName.PODS, parts, clock)


def _selected(kube: KubeClient, source: SourceName, ref: Ref, board: SelectorBoard, clock: Clock, random: Random) -> Part:
    view: Callable[[str], ListWatch] = lambda selector: ListWatch(kube, _pods(ref.namespace, selector), clock, random)  # noqa: E731
    return followed(board, selector_key(source, ref), SourceName.PODS, view)


def _pods(namespace: str, selector: str) -> Collection:
    path = f"/api/v1/namespaces/{namespace}/pods"
    return Collection(SourceName.PODS, path, decode.PODS, by_namespace, {"labelSelector": selector}, big=True)
