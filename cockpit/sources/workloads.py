"""The Deployments that a playbook names, and all DaemonSets; both tell what they select."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from random import Random
from typing import TypeVar

from cockpit.clock import Clock
from cockpit.connections import wire
from cockpit.connections.decode import Codec, daemonset_of, deployment_of
from cockpit.connections.decode_labels import label_selector
from cockpit.connections.kube import KubeClient
from cockpit.model.cluster import DaemonSet, Deployment, Ref
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import GONE, Batch
from cockpit.sources.collection import Collection, by_namespace
from cockpit.sources.listwatch import ListWatch
from cockpit.sources.merged import Part, part_of
from cockpit.sources.selectors import SelectorBoard
from cockpit.sources.watched import WatchedSource

W = TypeVar("W", wire.Deployment, wire.DaemonSet)


def selector_key(source: SourceName, ref: Ref) -> str:
    """Where a workload's selector stands on the board."""
    return f"{source}/{ref.namespace}/{ref.name}"


class WorkloadsSource(WatchedSource):
    """Workloads whose selectors are told to a board; `wanted` are told to be absent when a list lacks them."""

    def __init__(
        self, source: SourceName, parts: Sequence[Part], wanted: Iterable[Ref], board: SelectorBoard, clock: Clock
    ) -> None:
        super().__init__(source, parts, clock)
        self._source = source
        self._board = board
        self._wanted = {f"{ref.namespace}/{ref.name}" for ref in wanted}

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Observe until cancelled."""
        async with aclosing(super().batches()) as batches:
            async for batch in batches:
                self._tell_absent(batch)
                yield batch

    def _tell_absent(self, batch: Batch) -> None:
        gone = {key for key, value in batch.changes.items() if value is GONE}
        if batch.listed is not None:
            gone |= self._wanted - batch.listed
        for key in gone:
            self._board.tell(f"{self._source}/{key}", None)


def deployments_source(
    kube: KubeClient, refs: Sequence[Ref], board: SelectorBoard, clock: Clock, random: Random
) -> WorkloadsSource:
    """The named Deployments, each by a field selector: whatever else its namespace holds costs nothing."""

    def build(found: wire.Deployment) -> Deployment:
        _tell(board, SourceName.DEPLOYMENTS, found)
        return deployment_of(found)

    codec: Codec[wire.Deployment, Deployment] = Codec(wire.Deployment, build)
    collections = [
        Collection(
            SourceName.DEPLOYMENTS,
            f"/apis/apps/v1/namespaces/{r.namespace}/deployments",
            codec,
            by_namespace,
            {"fieldSelector": f"metadata.name={r.name}"},
        )
        for r in refs
    ]
    parts = [part_of(ListWatch(kube, each, clock, random)) for each in collections]
    return WorkloadsSource(SourceName.DEPLOYMENTS, parts, refs, board, clock)


def daemonsets_source(
    kube: KubeClient, refs: Sequence[Ref], board: SelectorBoard, clock: Clock, random: Random
) -> WorkloadsSource:
    """All DaemonSets of the cluster: an agent that nobody has listed is one too. `refs` are the listed ones."""

    def build(found: wire.DaemonSet) -> DaemonSet:
        _tell(board, SourceName.DAEMONSETS, found)
        return daemonset_of(found)

    codec: Codec[wire.DaemonSet, DaemonSet] = Codec(wire.DaemonSet, build)
    everywhere = Collection(SourceName.DAEMONSETS, "/apis/apps/v1/daemonsets", codec, by_namespace, {})
    parts = [part_of(ListWatch(kube, everywhere, clock, random))]
    return WorkloadsSource(SourceName.DAEMONSETS, parts, refs, board, clock)


def _tell(board: SelectorBoard, source: SourceName, found: W) -> None:
    selector = label_selector(found.spec.selector if found.spec else None)
    board.tell(f"{source}/{found.metadata.namespace}/{found.metadata.name}", selector)
