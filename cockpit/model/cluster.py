"""What a Kubernetes cluster shows: nodes, pods, Deployments, DaemonSets, Events. Text in it is already cleaned.

Parts that the cockpit must write back unchanged (affinity, annotations) are kept as plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cockpit.model.json import Json
from cockpit.model.managed import Manager
from cockpit.model.placement import ROLLING, Spread, Strategy


@dataclass(frozen=True, slots=True)
class Ref:
    """Names a namespaced object; `kind` is lower case as in `deployment/payments-api`."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Taint:
    """A node's taint; effect is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Resources:
    """Amounts for the scheduler: thousandths of a core, bytes, pods."""

    cpu_milli: int = 0
    memory_bytes: int = 0
    pods: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A node. `arch` is its label, `reported_arch` what the kubelet itself says: a mismatch is a rehearsal or a lie."""

    name: str
    arch: str
    reported_arch: str
    ready: bool
    unschedulable: bool = False
    control_plane: bool = False
    instance_type: str = ""
    zone: str = ""
    allocatable: Resources = Resources()
    taints: tuple[Taint, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Container:
    """A container's state in a pod. `exit_code` is of the last termination, `None` when it never ended."""

    name: str
    image: str
    image_id: str = ""
    ready: bool = False
    restarts: int = 0
    waiting: str = ""
    message: str = ""
    exit_code: int | None = None
    init: bool = False
    ended: str = ""
    """The reason of the last termination: Error, OOMKilled, StartError, ContainerCannotRun..."""
    sidecar: bool = False
    """An init container that goes on running (restartPolicy Always)."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `unschedulable` is the scheduler's message while it finds no node, else empty. `owner` is `Kind/name`.

    `main` is the container that its annotation `kubectl.kubernetes.io/default-container` names, empty without it.
    """

    namespace: str
    name: str
    uid: str
    node: str
    phase: str
    ready: bool
    created: datetime | None = None
    terminating: bool = False
    unschedulable: str = ""
    owner: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Container, ...] = ()
    requests: Resources = Resources()
    main: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A pod of the target's namespace as the scan of all pods sees it: where it is, and by which labels it may be counted."""

    node: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Condition:
    """A status condition of a Deployment or an autoscaler; `since` is when it became so (None: not told)."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment, with the parts of its pod template that decide where pods may run.

    `affinity` is `spec.template.spec.affinity` as it stands (None when absent). `template_requests` is of one pod.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    observed_generation: int
    replicas: int
    updated: int
    ready: int
    available: int
    total: int
    """Pods of all revisions that still count (status.replicas): above `updated` while an old revision is draining."""
    paused: bool = False
    affinity: Json = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Json], ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    template_requests: Resources = Resources()
    conditions: tuple[Condition, ...] = ()
    managers: tuple[Manager, ...] = ()
    template_labels: Mapping[str, str] = field(default_factory=dict)
    spreads: tuple[Spread, ...] = ()
    strategy: Strategy = ROLLING
    template_limits: Resources = Resources()
    """The limits of one pod's containers, which a quota may count."""

    @property
    def settled(self) -> bool:
        """The controller has seen this spec and every pod is of it and available."""
        return (
            self.observed_generation >= self.generation
            and self.updated == self.replicas
            and self.available == self.replicas
            and self.total == self.replicas
        )


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """A DaemonSet (agent). `desired` counts only nodes that it is eligible for, so it alone proves nothing per arch."""

    namespace: str
    name: str
    uid: str
    desired: int
    ready: int
    selector: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: Json = None
    images: tuple[str, ...] = ()
    tolerations: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Ingress:
    """An Ingress, with the annotations by which a controller is told what its rules do."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    managers: tuple[Manager, ...] = ()


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler of `target`; replicas as numbers of pods, `minimum` is 1 when absent."""

    namespace: str
    name: str
    target: Ref
    minimum: int
    maximum: int
    current: int
    desired: int
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota: amounts by resource name, as Kubernetes writes them (`requests.cpu`: `500m`)."""

    namespace: str
    name: str
    hard: Mapping[str, str] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)
    scoped: bool = False
    """It counts only pods of certain kinds (priority classes, best effort...)."""


@dataclass(frozen=True, slots=True)
class KubeEvent:
    """An Event of the cluster, about `regarding` (`Kind/name`)."""

    namespace: str
    name: str
    time: datetime
    type: str
    reason: str
    message: str
    regarding: str
    count: int = 1
