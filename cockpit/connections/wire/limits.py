"""What holds workloads down: autoscalers and quotas."""

from __future__ import annotations

from typing import Any

from cockpit.connections.wire.meta import DatedCondition, Meta, Part


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
