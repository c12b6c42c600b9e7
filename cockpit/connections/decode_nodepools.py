"""Karpenter's NodePools: Kubernetes JSON to `cockpit.model.nodepool`.

Source: the CustomResourceDefinition nodepools.karpenter.sh, version v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cockpit.connections import wire
from cockpit.connections.decode import Codec, shared
from cockpit.model.cluster import Taint
from cockpit.model.json import Json
from cockpit.model.nodepool import NodePool
from cockpit.text import clean

Amounts = dict[str, str | int | float]


class _Budget(wire.Part):
    nodes: str = "10%"
    schedule: str | None = None
    reasons: list[str] | None = None


class _Disruption(wire.Part):
    consolidation_policy: str | None = ""
    consolidate_after: str | None = ""
    budgets: list[_Budget] | None = None


class _ClaimSpec(wire.Part):
    requirements: list[dict[str, Any]] | None = None
    taints: list[wire.NodeTaint] | None = None


class _Claim(wire.Part):
    metadata: wire.TemplateMeta | None = None
    spec: _ClaimSpec | None = None


class _Spec(wire.Part):
    template: _Claim | None = None
    disruption: _Disruption | None = None
    limits: Amounts | None = None


class _Status(wire.Part):
    resources: Amounts | None = None
    conditions: list[wire.StatusCondition] | None = None


class _Pool(wire.Part):
    metadata: wire.Meta
    spec: _Spec | None = None
    status: _Status | None = None


def node_pool_of(found: _Pool) -> NodePool:
    """A NodePool from its struct. One that says nothing of its readiness, as older versions do, counts as Ready."""
    spec, status = found.spec or _Spec(), found.status or _Status()
    claim, disruption = spec.template or _Claim(), spec.disruption or _Disruption()
    nodes = claim.spec or _ClaimSpec()
    return NodePool(
        name=clean(found.metadata.name),
        ready=not any(c.type == "Ready" and c.status == "False" for c in status.conditions or ()),
        labels=_texts(claim.metadata.labels if claim.metadata else None),
        requirements=tuple(_requirement(r) for r in nodes.requirements or ()),
        taints=tuple(Taint(shared(t.key), shared(t.effect), shared(t.value or "")) for t in nodes.taints or ()),
        limits=_texts(spec.limits),
        used=_texts(status.resources),
        policy=shared(disruption.consolidation_policy or ""),
        after=shared(disruption.consolidate_after or ""),
        budgets=tuple(shared(b.nodes) for b in disruption.budgets or () if not b.schedule and not b.reasons),
    )


def _requirement(found: Mapping[str, Any]) -> Mapping[str, Json]:
    values = found.get("values")
    listed: list[Json] = [shared(str(v)) for v in values] if isinstance(values, list) else []
    return {"key": shared(str(found.get("key", ""))), "operator": shared(str(found.get("operator", ""))), "values": listed}


def _texts(found: Mapping[str, str | int | float] | None) -> Mapping[str, str]:
    return {shared(key): shared(str(value)) for key, value in (found or {}).items()}


class _Resource(wire.Part):
    name: str = ""


class _Resources(wire.Part):
    resources: list[_Resource] | None = None


NODE_POOLS: Codec[_Pool, NodePool] = Codec(_Pool, node_pool_of)
_resources = msgspec.json.Decoder(_Resources).decode


def serves_node_pools(discovery: bytes) -> bool:
    """Whether an API group version's discovery document names NodePools. DecodeError for what is no such document."""
    return any(r.name == "nodepools" for r in _resources(discovery).resources or ())
