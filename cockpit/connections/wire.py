"""The parts of Kubernetes objects that the cockpit reads, as typed partial structs over the raw JSON.

Everything that Go may leave out or write as null has a default. `gc=False`: the values form trees, and 80% of the cost of a big
list would otherwise be the cyclic collector's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Part(msgspec.Struct, rename="camel", gc=False):
    """Base of all: camelCase on the wire, unknown fields ignored."""


class ListMeta(Part):
    """A list's version, and where it goes on."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class List(Part, Generic[T]):
    """A page of a list."""

    metadata: ListMeta
    items: list[T] | None = None


class ListHead(Part):
    """A page without its items."""

    metadata: ListMeta


class Owner(Part):
    """An owner reference."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class Meta(Part):
    """Object metadata. `labels` stays raw: pods of one revision share the same text, which makes a cheap key to intern by."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: str | None = None
    labels: msgspec.Raw = msgspec.Raw(b"")
    owner_references: list[Owner] | None = None


class AnnotatedMeta(Meta):
    """Metadata with its annotations, for what the cockpit writes back."""

    annotations: dict[str, str] | None = None


class ManagedEntry(Part):
    """One entry of managedFields."""

    manager: str | None = ""
    time: datetime | None = None
    subresource: str | None = ""
    fields_v1: Any = msgspec.field(default=None, name="fieldsV1")


class ManagedMeta(AnnotatedMeta):
    """Metadata that tells who wrote which field."""

    managed_fields: list[ManagedEntry] | None = None


class PodAnnotations(Part):
    """The one annotation of pods that is read."""

    default_container: str | None = msgspec.field(default="", name="kubectl.kubernetes.io/default-container")


class PodMeta(Meta):
    """A pod's metadata."""

    annotations: PodAnnotations | None = None


class StatusCondition(Part):
    """A status condition of any object."""

    type: str = ""
    status: str = ""
    reason: str | None = ""
    message: str | None = ""


class DatedCondition(StatusCondition):
    """A status condition of which it matters since when; those of nodes and pods are too many to read their times."""

    last_transition_time: datetime | None = None


class NodeTaint(Part):
    """A taint."""

    key: str = ""
    effect: str = ""
    value: str | None = ""


class NodeSpec(Part):
    """Scheduling switches of a node."""

    unschedulable: bool | None = False
    taints: list[NodeTaint] | None = None


class NodeInfo(Part):
    """What the kubelet says of itself."""

    architecture: str = ""


class NodeStatus(Part):
    """A node's status."""

    allocatable: dict[str, str | int | float] | None = None
    conditions: list[StatusCondition] | None = None
    node_info: NodeInfo | None = None


class Node(Part):
    """A node."""

    metadata: Meta
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class Quantities(Part):
    """Requests of a container; numbers are tolerated as well as text."""

    requests: dict[str, str | int | float] | None = None


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


class Requirement(Part):
    """One expression of a label selector."""

    key: str
    operator: str
    values: list[str] | None = None


class Selector(Part):
    """A label selector; all of it must hold."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None


class TemplateQuantities(Quantities):
    """Requests and limits: a quota may count both."""

    limits: dict[str, str | int | float] | None = None


class TemplateContainer(SpecContainer):
    """A container of a template."""

    resources: TemplateQuantities | None = None


class TemplateSpec(PodSpec):
    """A pod template's spec. Affinity and tolerations are kept as they stand: they are written back."""

    containers: list[TemplateContainer] | None = None  # type: ignore[assignment]  # more is read of it, nothing else
    affinity: Any = None
    node_selector: dict[str, str] | None = None
    tolerations: list[dict[str, Any]] | None = None
    topology_spread_constraints: list[SpreadConstraint] | None = None


class TemplateMeta(Part):
    """A pod template's metadata."""

    labels: dict[str, str] | None = None


class Template(Part):
    """A pod template."""

    metadata: TemplateMeta | None = None
    spec: TemplateSpec | None = None


class RollingUpdate(Part):
    """How far a rolling update may overshoot and undershoot: pods, or percent as text."""

    max_surge: int | str | None = None
    max_unavailable: int | str | None = None


class Strategy(Part):
    """How a Deployment replaces its pods."""

    type: str | None = ""
    rolling_update: RollingUpdate | None = None


class WorkloadSpec(Part):
    """A Deployment's or DaemonSet's spec."""

    selector: Selector | None = None
    template: Template | None = None
    replicas: int | None = None
    paused: bool | None = False
    strategy: Strategy | None = None


class DeploymentStatus(Part):
    """A Deployment's status."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: list[DatedCondition] | None = None


class Deployment(Part):
    """A Deployment."""

    metadata: ManagedMeta
    spec: WorkloadSpec | None = None
    status: DeploymentStatus | None = None


class DaemonSetStatus(Part):
    """A DaemonSet's status."""

    desired_number_scheduled: int = 0
    number_ready: int = 0


class DaemonSet(Part):
    """A DaemonSet."""

    metadata: Meta
    spec: WorkloadSpec | None = None
    status: DaemonSetStatus | None = None


class ScaleTarget(Part):
    """What an autoscaler scales."""

    kind: str = ""
    name: str = ""


class AutoscalerSpec(Part):
    """A HorizontalPodAutoscaler's spec."""

    scale_target_ref: ScaleTarget | None = None
    min_replicas: int | None = None
    max_replicas: int = 0


class AutoscalerStatus(Part):
    """A HorizontalPodAutoscaler's status."""

    current_replicas: int | None = 0
    desired_replicas: int | None = 0
    conditions: list[DatedCondition] | None = None


class Autoscaler(Part):
    """An autoscaling/v2 HorizontalPodAutoscaler."""

    metadata: Meta
    spec: AutoscalerSpec | None = None
    status: AutoscalerStatus | None = None


class QuotaSpec(Part):
    """A ResourceQuota's spec; only whether it counts some pods and not others is read."""

    scopes: list[str] | None = None
    scope_selector: Any = None


class QuotaStatus(Part):
    """A ResourceQuota's status: amounts by resource name; numbers are tolerated as well as text."""

    hard: dict[str, str | int | float] | None = None
    used: dict[str, str | int | float] | None = None


class Quota(Part):
    """A ResourceQuota."""

    metadata: Meta
    spec: QuotaSpec | None = None
    status: QuotaStatus | None = None


class Regarding(Part):
    """What an Event is about."""

    kind: str | None = ""
    name: str | None = ""


class EventSeries(Part):
    """A repeated Event, as events.k8s.io writes it."""

    count: int | None = None
    last_observed_time: datetime | None = None


class Event(Part):
    """A core/v1 Event."""

    metadata: Meta
    involved_object: Regarding | None = None
    type: str | None = ""
    reason: str | None = ""
    message: str | None = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None


class WatchEvent(Part):
    """A line of a watch; the object is decoded by its kind in a second step."""

    type: str
    object: msgspec.Raw


class Versioned(Part):
    """The version in a bookmark or any object."""

    metadata: ListMeta


_head = msgspec.json.Decoder(ListHead)
watch_event = msgspec.json.Decoder(WatchEvent).decode
versioned = msgspec.json.Decoder(Versioned).decode


def list_meta(page: bytes) -> ListMeta:
    """The metadata of a page. API servers write it before the items: then these need not be scanned. DecodeError."""
    cut = page.find(b'"items"', 0, 8192)
    if cut > 0:
        try:
            return _head.decode(page[:cut] + b'"items":[]}').metadata
        except msgspec.DecodeError:
            pass
    return _head.decode(page).metadata
