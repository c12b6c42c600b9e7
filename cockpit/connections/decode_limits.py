"""HorizontalPodAutoscalers and ResourceQuotas: what may keep a workload from growing. Kubernetes JSON to `cockpit.model`."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.connections import wire
from cockpit.connections.decode import Codec, conditions_of, shared
from cockpit.model.cluster import Autoscaler, Quota, Ref
from cockpit.text import clean


def autoscaler_of(found: wire.Autoscaler) -> Autoscaler:
    """An autoscaler from its struct."""
    meta, spec, status = found.metadata, found.spec or wire.AutoscalerSpec(), found.status or wire.AutoscalerStatus()
    target = spec.scale_target_ref or wire.ScaleTarget()
    return Autoscaler(
        namespace=shared(meta.namespace),
        name=clean(meta.name),
        target=Ref(shared(target.kind).lower(), shared(meta.namespace), clean(target.name)),
        minimum=1 if spec.min_replicas is None else spec.min_replicas,
        maximum=spec.max_replicas,
        current=status.current_replicas or 0,
        desired=status.desired_replicas or 0,
        conditions=conditions_of(status.conditions),
    )


def quota_of(found: wire.Quota) -> Quota:
    """A quota from its struct."""
    spec, status = found.spec or wire.QuotaSpec(), found.status or wire.QuotaStatus()
    return Quota(
        namespace=shared(found.metadata.namespace),
        name=clean(found.metadata.name),
        hard=_texts(status.hard),
        used=_texts(status.used),
        scoped=bool(spec.scopes or spec.scope_selector),
    )


def _texts(found: Mapping[str, str | int | float] | None) -> Mapping[str, str]:
    return {shared(key): shared(str(value)) for key, value in (found or {}).items()}


AUTOSCALERS: Codec[wire.Autoscaler, Autoscaler] = Codec(wire.Autoscaler, autoscaler_of)
QUOTAS: Codec[wire.Quota, Quota] = Codec(wire.Quota, quota_of)
