"""What may keep the target's workloads from growing: the autoscalers and the quotas of its namespace; its Ingress."""

from __future__ import annotations

from random import Random

from cockpit.clock import Clock
from cockpit.connections.decode_ingress import INGRESSES
from cockpit.connections.decode_limits import AUTOSCALERS, QUOTAS
from cockpit.connections.kube import KubeClient
from cockpit.model.snapshot import SourceName
from cockpit.sources.collection import Collection, by_namespace
from cockpit.sources.listwatch import ListWatch
from cockpit.sources.merged import part_of
from cockpit.sources.watched import WatchedSource


def autoscalers_source(kube: KubeClient, namespace: str, clock: Clock, random: Random) -> WatchedSource:
    """The namespace's HorizontalPodAutoscalers."""
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    found = Collection(SourceName.AUTOSCALERS, path, AUTOSCALERS, by_namespace, {})
    return WatchedSource(SourceName.AUTOSCALERS, [part_of(ListWatch(kube, found, clock, random))], clock)


def ingresses_source(kube: KubeClient, namespace: str, name: str, clock: Clock, random: Random) -> WatchedSource:
    """The one Ingress whose action is moved."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    only = {"fieldSelector": f"metadata.name={name}"}
    found = Collection(SourceName.INGRESSES, path, INGRESSES, by_namespace, only)
    return WatchedSource(SourceName.INGRESSES, [part_of(ListWatch(kube, found, clock, random))], clock)


def quotas_source(kube: KubeClient, namespace: str, clock: Clock, random: Random) -> WatchedSource:
    """The namespace's ResourceQuotas."""
    found = Collection(SourceName.QUOTAS, f"/api/v1/namespaces/{namespace}/resourcequotas", QUOTAS, by_namespace, {})
    return WatchedSource(SourceName.QUOTAS, [part_of(ListWatch(kube, found, clock, random))], clock)
