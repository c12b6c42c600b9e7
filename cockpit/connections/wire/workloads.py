"""Deployments and DaemonSets with their pod templates."""

from __future__ import annotations

from typing import Any

from cockpit.connections.wire.meta import DatedCondition, ManagedMeta, Meta, Part, Quantities
from cockpit.connections.wire.pods import PodSpec, SpecContainer, SpreadConstraint


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
