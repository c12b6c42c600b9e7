"""Kubernetes objects with a pod template to `cockpit.model.workload`, from their JSON: every kind has its template somewhere.

Strings are cleaned here. All functions raise msgspec.DecodeError for JSON that is not the object it claims to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cockpit.connections import wire
from cockpit.connections.decode_labels import labels_of, strings
from cockpit.connections.interned import shared
from cockpit.model.cluster import Ref
from cockpit.model.json import Json
from cockpit.model.workload import Budget, Role, Use, Workload
from cockpit.rules.original import ORIGINAL
from cockpit.text import clean

_ENDED = ("Complete", "Failed")
_NATIVE = ("", "apps", "batch")
"""API groups whose kinds are Kubernetes' own: others have a Job, a StatefulSet and a DaemonSet too."""
_MOST_CONTAINERS = 100
"""More in one pod is nobody's pod; what a server sends is bounded."""


class PodSpec(wire.TemplateSpec):
    """A pod's spec with what a debugger has put in."""

    ephemeral_containers: list[wire.TemplateContainer] | None = None


class _Template(wire.Part):
    metadata: wire.TemplateMeta | None = None
    spec: PodSpec | None = None


class _JobSpec(wire.Part):
    template: msgspec.Raw = msgspec.Raw(b"")


class _JobTemplate(wire.Part):
    spec: _JobSpec | None = None


class _Claim(wire.Part):
    metadata: wire.Meta | None = None


class _Spec(wire.Part):
    template: msgspec.Raw = msgspec.Raw(b"")
    job_template: _JobTemplate | None = None
    volume_claim_templates: list[_Claim] | None = None
    replicas: int | None = None
    suspend: bool | None = None


class _Status(wire.Part):
    phase: str | None = ""
    conditions: list[wire.StatusCondition] | None = None


class _Object(wire.Part):
    metadata: wire.AnnotatedMeta
    spec: msgspec.Raw = msgspec.Raw(b"")
    template: msgspec.Raw = msgspec.Raw(b"")
    status: _Status | None = None


class _Page(wire.Part):
    metadata: wire.ListMeta
    items: list[msgspec.Raw] | None = None


_page = msgspec.json.Decoder(_Page).decode
_object = msgspec.json.Decoder(_Object).decode
_spec = msgspec.json.Decoder(_Spec).decode
_pod_spec = msgspec.json.Decoder(PodSpec).decode
_template = msgspec.json.Decoder(_Template).decode


@dataclass(frozen=True, slots=True)
class Found:
    """A workload as it was read. `template` is its pod template's JSON, empty for a Pod; `claims` the volumes that its pods get.

    `owner` is its controller as `Kind/name`, or `Kind.group/name` where Kubernetes itself does not have that kind; empty without
    one. `over`: it has ended, and makes no pod any more.
    """

    workload: Workload
    template: bytes = b""
    claims: tuple[str, ...] = ()
    owner: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    meta: wire.AnnotatedMeta
    spec: _Spec = field(default_factory=_Spec)
    template: bytes = b""
    labels: Mapping[str, str] = field(default_factory=dict)
    pod: PodSpec = field(default_factory=PodSpec)


def items(page: bytes) -> list[msgspec.Raw]:
    """The objects of a page of a list, each still JSON."""
    return _page(page).items or []


def found(kind: str, raw: bytes | msgspec.Raw, place: str = "") -> Found:
    """The object, which is a `kind` (`Deployment`): the API server leaves kinds out of lists."""
    whole = _object(raw)
    facts = _facts(kind, whole)
    status = whole.status or _Status()
    return Found(
        workload=_workload(kind, facts, place),
        template=facts.template,
        claims=tuple(clean(c.metadata.name, 253) for c in facts.spec.volume_claim_templates or () if c.metadata),
        owner=_owner(whole.metadata),
        over=status.phase in ("Succeeded", "Failed") or _ended(kind, status),
    )


def _facts(kind: str, whole: _Object) -> _Facts:
    if kind == "Pod":
        pod = _pod_spec(whole.spec) if bytes(whole.spec) else PodSpec()
        return _Facts(whole.metadata, labels=labels_of(whole.metadata.labels), pod=pod)
    spec = _spec(whole.spec) if bytes(whole.spec) else _Spec()
    inner = spec.job_template.spec.template if spec.job_template and spec.job_template.spec else msgspec.Raw(b"")
    raw = bytes(whole.template) or bytes(spec.template) or bytes(inner)
    template = _template(raw) if raw else _Template()
    labels = strings(template.metadata.labels if template.metadata else None)
    return _Facts(whole.metadata, spec, raw, labels, template.spec or PodSpec())


def _workload(kind: str, facts: _Facts, place: str) -> Workload:
    pod = facts.pod
    return Workload(
        ref=Ref(clean(kind, 63).lower(), shared(facts.meta.namespace), clean(facts.meta.name, 253)),
        uses=tuple(uses_of(pod)),
        place=place,
        labels=facts.labels,
        affinity=_before(facts.meta.annotations or {}, pod.affinity),
        node_selector=strings(pod.node_selector),
        tolerations=tuple(pod.tolerations or ()),
        node_name="" if kind == "Pod" and not place else clean(pod.node_name or "", 253),
        replicas=facts.spec.replicas,
        sizes=_sizes(pod),
    )


def uses_of(pod: PodSpec) -> Iterator[Use]:
    """The containers of a pod's spec with the images that they run."""
    kinds = ((pod.init_containers, Role.INIT), (pod.containers, Role.MAIN), (pod.ephemeral_containers, Role.EPHEMERAL))
    for containers, role in kinds:
        for container in (containers or ())[:_MOST_CONTAINERS]:
            yield Use(clean(container.name, 63), clean(container.image or "", 500), role)


def _before(annotations: Mapping[str, str], now: Json) -> Json:
    """The affinity from before a run; a record that is damaged is the rollback's matter, not the audit's."""
    try:
        value: Json = json.loads(annotations[ORIGINAL])
    except (KeyError, ValueError, RecursionError):
        return now
    return value if value is None or isinstance(value, dict) else now


def _sizes(pod: PodSpec) -> str:
    """The requests and limits of the containers that name any, in words."""
    said = [f"{clean(c.name, 63)} {words}" for c in (pod.containers or ())[:_MOST_CONTAINERS] if (words := _size(c))]
    return clean("; ".join(said), 300)


def _size(container: wire.TemplateContainer) -> str:
    asked = container.resources or wire.TemplateQuantities()
    parts = ((word, amounts) for word, amounts in (("requests", asked.requests), ("limits", asked.limits)) if amounts)
    return " ".join(f"{word} {', '.join(f'{k} {v}' for k, v in sorted(amounts.items()))}" for word, amounts in parts)


def _owner(meta: wire.Meta) -> str:
    chosen = next((owner for owner in meta.owner_references or () if owner.controller), None)
    if chosen is None:
        return ""
    group = chosen.api_version.rpartition("/")[0]
    return clean(f"{chosen.kind if group in _NATIVE else f'{chosen.kind}.{group}'}/{chosen.name}", 600)


def _ended(kind: str, status: _Status) -> bool:
    return kind == "Job" and any(c.type in _ENDED and c.status == "True" for c in status.conditions or ())


class _BudgetSpec(wire.Part):
    selector: Any = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class _BudgetStatus(wire.Part):
    disruptions_allowed: int | None = None
    current_healthy: int | None = None
    desired_healthy: int | None = None
    expected_pods: int | None = None
    observed_generation: int | None = None


class _Budget(wire.Part):
    metadata: wire.Meta
    spec: _BudgetSpec | None = None
    status: _BudgetStatus | None = None


_budget = msgspec.json.Decoder(_Budget).decode


def budget(raw: bytes | msgspec.Raw, place: str = "") -> Budget:
    """A PodDisruptionBudget. What its status says of an older spec is left out."""
    read = _budget(raw)
    spec, status = read.spec or _BudgetSpec(), read.status or _BudgetStatus()
    if status.observed_generation is None or status.observed_generation < read.metadata.generation:
        status = _BudgetStatus()
    return Budget(
        namespace=shared(read.metadata.namespace),
        name=clean(read.metadata.name, 253),
        selector=spec.selector,
        least=_amount(spec.min_available),
        most=_amount(spec.max_unavailable),
        allowed=status.disruptions_allowed,
        healthy=status.current_healthy,
        desired=status.desired_healthy,
        expected=status.expected_pods,
        place=place,
    )


def _amount(value: int | str | None) -> int | str | None:
    return clean(value, 20) if isinstance(value, str) else value
