"""What else acts on the workloads' pods: autoscalers and disruption budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError
from cockpit.model.check import Check, Result
from cockpit.model.cluster import Deployment
from cockpit.preflight.answers import decoded
from cockpit.rules.selectors import matches
from cockpit.text import clean

T = TypeVar("T")


class _Named(msgspec.Struct):
    name: str = ""


class _MetricSource(msgspec.Struct):
    type: str = ""
    resource: _Named | None = None


class _HpaSpec(msgspec.Struct, rename="camel"):
    scale_target_ref: _Named = msgspec.field(default_factory=_Named)
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: list[_MetricSource] | None = None


class _Hpa(msgspec.Struct):
    metadata: _Named
    spec: _HpaSpec = msgspec.field(default_factory=_HpaSpec)


class _Hpas(msgspec.Struct):
    items: list[_Hpa] | None = None


class _PdbSpec(msgspec.Struct):
    selector: Any = None


class _PdbStatus(msgspec.Struct, rename="camel"):
    disruptions_allowed: int = 0


class _Pdb(msgspec.Struct):
    metadata: _Named
    spec: _PdbSpec = msgspec.field(default_factory=_PdbSpec)
    status: _PdbStatus = msgspec.field(default_factory=_PdbStatus)


class _Pdbs(msgspec.Struct):
    items: list[_Pdb] | None = None


async def neighbours(kube: KubeClient, namespace: str, deployments: Sequence[Deployment]) -> list[Check]:
    """A check for each that acts on one of the `deployments`. One that cannot be listed is said as not checked."""
    hpas, pdbs = await asyncio.gather(
        _list(kube, f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers", _Hpas),
        _list(kube, f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", _Pdbs),
    )
    found = [hpas] if isinstance(hpas, Check) else list(_autoscalers(hpas.items or (), deployments))
    return [*found, *([pdbs] if isinstance(pdbs, Check) else _budgets(pdbs.items or (), deployments))]


async def _list(kube: KubeClient, path: str, kind: type[T]) -> T | Check:
    try:
        return decoded(await kube.get(path), kind, kube)
    except CockpitError as fault:
        return Check(path.rpartition("/")[2], Result.NOT_CHECKED, str(fault))


def _autoscalers(hpas: Iterable[_Hpa], deployments: Sequence[Deployment]) -> Iterator[Check]:
    names = {d.name for d in deployments}
    for hpa in hpas:
        spec = hpa.spec
        if spec.scale_target_ref.name not in names:
            continue
        least, most = (1 if spec.min_replicas is None else spec.min_replicas), spec.max_replicas
        by = ", ".join(dict.fromkeys(_metric(m) for m in spec.metrics or ())) or "nothing that it names"
        name, target = clean(hpa.metadata.name, 80), clean(spec.scale_target_ref.name, 80)
        words = f"{name} scales deployment/{target} from {least} to {most} on {by}; the cockpit never sends replicas"
        yield Check("autoscaler", Result.PASS, words)


def _metric(source: _MetricSource) -> str:
    return clean(source.resource.name if source.resource else source.type, 40)


def _budgets(pdbs: Iterable[_Pdb], deployments: Sequence[Deployment]) -> Iterator[Check]:
    for pdb in pdbs:
        guarded = [d.name for d in deployments if matches(pdb.spec.selector, d.template_labels)]
        if not guarded:
            continue
        name, what = clean(pdb.metadata.name, 80), ", ".join(f"deployment/{n}" for n in guarded)
        if pdb.status.disruptions_allowed:
            yield Check("disruption budget", Result.PASS, f"{name} guards {what} against drains; it holds up no roll")
        else:
            words = f"{name} allows no disruption of {what} now: it holds up no roll, but nodes cannot be drained of them"
            yield Check("disruption budget", Result.WARN, words)
