"""Pods."""

from __future__ import annotations

from typing import Any

import msgspec

from cockpit.connections.wire.meta import Meta, Owner, Part, Quantities, StatusCondition


class PodAnnotations(Part):
    """The one annotation of pods that is read."""

    default_container: str | None = msgspec.field(default="", name="kubectl.kubernetes.io/default-container")


class PodMeta(Meta):
    """A pod's metadata."""

    annotations: PodAnnotations | None = None


class SpreadConstraint(Part):
    """A topology spread constraint."""

    topology_key: str = ""
    max_skew: int = 1
    when_unsatisfiable: str | None = ""
    label_selector: Any = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None


class SpecContainer(Part):
    """A container as asked for."""

    name: str = ""
    image: str | None = ""
    resources: Quantities | None = None
    restart_policy: str | None = None


class PodSpec(Part):
    """The part of a pod's spec that decides where it runs and what it takes."""

    node_name: str | None = ""
    containers: list[SpecContainer] | None = None
    init_containers: list[SpecContainer] | None = None
    overhead: dict[str, str | int | float] | None = None
    resources: Quantities | None = None


class Waiting(Part):
    """A container that waits."""

    reason: str | None = ""
    message: str | None = ""


class Terminated(Part):
    """A container that has ended."""

    exit_code: int = 0
    reason: str | None = ""
    message: str | None = ""


class ContainerState(Part):
    """One of waiting, terminated (or running, of which nothing is read)."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part):
    """A container as it is."""

    name: str = ""
    image_id: str | None = msgspec.field(default="", name="imageID")
    ready: bool = False
    restart_count: int = 0
    state: ContainerState | None = None
    last_state: ContainerState | None = None


class PodStatus(Part):
    """A pod's status."""

    phase: str = ""
    conditions: list[StatusCondition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(Part):
    """A pod."""

    metadata: PodMeta
    spec: PodSpec | None = None
    status: PodStatus | None = None


class ScannedMeta(Part):
    """Whose pod it is."""

    namespace: str = ""
    deletion_timestamp: str | None = None
    labels: msgspec.Raw = msgspec.Raw(b"")
    owner_references: list[Owner] | None = None


class ScannedPod(Part):
    """A pod as the scan of all pods reads it; `status` stays raw, as it is wanted of DaemonSets' pods only."""

    metadata: ScannedMeta = msgspec.field(default_factory=ScannedMeta)
    spec: PodSpec | None = None
    status: msgspec.Raw = msgspec.Raw(b"")
