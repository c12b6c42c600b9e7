"""Kubernetes JSON to `cockpit.model`. Every string that may be shown is cleaned here; what is written back is left as it came.

All functions raise msgspec.DecodeError for bytes that are not the object they promise. Quantities that cannot be read count as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from cockpit.connections import wire
from cockpit.connections.decode_containers import containers_of
from cockpit.connections.decode_labels import labels_of, own_labels, strings
from cockpit.connections.decode_placement import limits_of, spreads_of, strategy_of
from cockpit.connections.demand import amounts, pod_requests
from cockpit.connections.interned import shared as shared
from cockpit.model.arch import ARCH_LABELS
from cockpit.model.cluster import Condition, DaemonSet, Deployment, KubeEvent, Node, Pod, Taint
from cockpit.model.managed import Manager
from cockpit.redact import told
from cockpit.text import clean

T = TypeVar("T")
W = TypeVar("W")
Raw = bytes | msgspec.Raw

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_INSTANCE_TYPE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_ZONE = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_CHANGES = ("ADDED", "MODIFIED", "DELETED")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_pieces = msgspec.json.Decoder(wire.List[msgspec.Raw])


def pieces(page: bytes) -> tuple[wire.ListMeta, list[msgspec.Raw]]:
    """A page's metadata and its objects as they stand, to be decoded one at a time: a page of structs is never held."""
    found = _pieces.decode(page)
    return found.metadata, found.items or []


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list: its objects, its version, and whether (and where) it goes on."""

    items: list[T]
    resource_version: str
    more: str


class Codec(Generic[W, T]):
    """Decodes pages, single objects and changes of one kind."""

    def __init__(self, kind: Any, build: Callable[[W], T]) -> None:
        self._page = msgspec.json.Decoder(wire.List[kind])
        self._one = msgspec.json.Decoder(kind)
        self._event: Any = msgspec.json.Decoder(wire.TypedEvent[kind])
        self._build = build

    def page(self, raw: bytes) -> Page[T]:
        """A page of a list."""
        found = self._page.decode(raw)
        build = self._build
        return Page([build(item) for item in found.items or ()], found.metadata.resource_version, found.metadata.continue_)

    def one(self, raw: Raw) -> T:
        """A single object."""
        return self._build(self._one.decode(raw))

    def changed(self, line: bytes) -> tuple[str, str, T] | None:
        """What a line of a watch says happened (`ADDED`, `MODIFIED`, `DELETED`), the object's version, and the object.

        None for any other line: a bookmark, an error, what is no such object.
        """
        try:
            found = self._event.decode(line)
        except msgspec.DecodeError:
            return None
        if found.type not in _CHANGES:
            return None
        return found.type, found.object.metadata.resource_version, self._build(found.object)


def node_of(found: wire.Node) -> Node:
    """A node from its struct."""
    labels = own_labels(found.metadata.labels)
    spec, status = found.spec or wire.NodeSpec(), found.status or wire.NodeStatus()
    return Node(
        name=clean(found.metadata.name),
        arch=_first(labels, ARCH_LABELS),
        reported_arch=shared(status.node_info.architecture) if status.node_info else "",
        ready=_holds(status.conditions, "Ready"),
        unschedulable=bool(spec.unschedulable),
        control_plane=not labels.keys().isdisjoint(_CONTROL_PLANE),
        instance_type=_first(labels, _INSTANCE_TYPE),
        zone=_first(labels, _ZONE),
        allocatable=amounts(status.allocatable),
        taints=tuple([Taint(shared(t.key), shared(t.effect), shared(t.value or "")) for t in spec.taints]) if spec.taints else (),
        labels=labels,
    )


def pod_of(found: wire.Pod) -> Pod:
    """A pod from its struct."""
    meta, spec, status = found.metadata, found.spec or wire.PodSpec(), found.status or wire.PodStatus()
    return Pod(
        namespace=shared(meta.namespace),
        name=clean(meta.name),
        uid=clean(meta.uid),
        node=shared(spec.node_name or ""),
        phase=shared(status.phase),
        ready=_holds(status.conditions, "Ready"),
        created=meta.creation_timestamp and _zoned(meta.creation_timestamp),
        terminating=meta.deletion_timestamp is not None,
        unschedulable=_unschedulable(status),
        owner=_owner(meta),
        labels=labels_of(meta.labels),
        containers=containers_of(spec, status),
        requests=pod_requests(spec),
        main=shared(meta.annotations.default_container or "") if meta.annotations else "",
    )


def deployment_of(found: wire.Deployment) -> Deployment:
    """A Deployment from its struct."""
    meta, spec, status = found.metadata, found.spec or wire.WorkloadSpec(), found.status or wire.DeploymentStatus()
    template = _template(spec)
    return Deployment(
        namespace=shared(meta.namespace),
        name=clean(meta.name),
        uid=clean(meta.uid),
        resource_version=clean(meta.resource_version),
        generation=meta.generation,
        observed_generation=status.observed_generation,
        replicas=1 if spec.replicas is None else spec.replicas,
        updated=status.updated_replicas,
        ready=status.ready_replicas,
        available=status.available_replicas,
        total=status.replicas,
        paused=bool(spec.paused),
        affinity=template.affinity,
        node_selector=strings(template.node_selector),
        tolerations=tuple(template.tolerations or ()),
        selector=strings(spec.selector.match_labels if spec.selector else None),
        annotations=meta.annotations or {},
        labels=labels_of(meta.labels),
        images=_images(template),
        template_requests=pod_requests(template),
        conditions=conditions_of(status.conditions),
        managers=managers_of(meta.managed_fields),
        template_labels=strings(spec.template.metadata.labels if spec.template and spec.template.metadata else None),
        spreads=spreads_of(template),
        strategy=strategy_of(spec),
        template_limits=limits_of(template),
    )


def managers_of(found: Iterable[wire.ManagedEntry] | None) -> tuple[Manager, ...]:
    """Who owns which fields; what they own is only looked up, never shown."""
    return tuple(
        Manager(shared(entry.manager or ""), entry.time and _zoned(entry.time), shared(entry.subresource or ""), entry.fields_v1)
        for entry in found or ()
    )


def daemonset_of(found: wire.DaemonSet) -> DaemonSet:
    """A DaemonSet from its struct."""
    meta, spec, status = found.metadata, found.spec or wire.WorkloadSpec(), found.status or wire.DaemonSetStatus()
    template = _template(spec)
    return DaemonSet(
        namespace=shared(meta.namespace),
        name=clean(meta.name),
        uid=clean(meta.uid),
        desired=status.desired_number_scheduled,
        ready=status.number_ready,
        selector=strings(spec.selector.match_labels if spec.selector else None),
        node_selector=strings(template.node_selector),
        affinity=template.affinity,
        images=_images(template),
        tolerations=tuple(template.tolerations or ()),
    )


def event_of(found: wire.Event) -> KubeEvent:
    """An Event from its struct; its time is the newest that it names."""
    series, about = found.series or wire.EventSeries(), found.involved_object or wire.Regarding()
    times = (series.last_observed_time, found.last_timestamp, found.event_time, found.first_timestamp)
    newest = next((t for t in times if t is not None), found.metadata.creation_timestamp or _EPOCH)
    return KubeEvent(
        namespace=shared(found.metadata.namespace),
        name=clean(found.metadata.name),
        time=_zoned(newest),
        type=shared(found.type or ""),
        reason=shared(found.reason or ""),
        message=told(found.message or ""),
        regarding=clean(f"{about.kind or ''}/{about.name or ''}"),
        count=series.count or found.count or 1,
    )


NODES: Codec[wire.Node, Node] = Codec(wire.Node, node_of)
PODS: Codec[wire.Pod, Pod] = Codec(wire.Pod, pod_of)
DEPLOYMENTS: Codec[wire.Deployment, Deployment] = Codec(wire.Deployment, deployment_of)
DAEMONSETS: Codec[wire.DaemonSet, DaemonSet] = Codec(wire.DaemonSet, daemonset_of)
EVENTS: Codec[wire.Event, KubeEvent] = Codec(wire.Event, event_of)


def node(raw: Raw) -> Node:
    """A node from its JSON."""
    return NODES.one(raw)


def pod(raw: Raw) -> Pod:
    """A pod from its JSON."""
    return PODS.one(raw)


def deployment(raw: Raw) -> Deployment:
    """A Deployment from its JSON."""
    return DEPLOYMENTS.one(raw)


def daemonset(raw: Raw) -> DaemonSet:
    """A DaemonSet from its JSON."""
    return DAEMONSETS.one(raw)


def event(raw: Raw) -> KubeEvent:
    """An Event from its JSON."""
    return EVENTS.one(raw)


def _first(labels: Mapping[str, str], keys: Iterable[str]) -> str:
    for key in keys:
        if key in labels:
            return labels[key]
    return ""


def _holds(conditions: list[wire.StatusCondition] | None, kind: str) -> bool:
    return any(c.type == kind and c.status == "True" for c in conditions or ())


def conditions_of(found: list[wire.DatedCondition] | None) -> tuple[Condition, ...]:
    """Status conditions with the time since when each is so."""
    return tuple(
        Condition(shared(c.type), shared(c.status), shared(c.reason or ""), told(c.message or ""), _since(c)) for c in found or ()
    )


def _since(condition: wire.DatedCondition) -> datetime | None:
    return condition.last_transition_time and _zoned(condition.last_transition_time)


def _zoned(time: datetime) -> datetime:
    """A time without a zone is meant as UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _template(spec: wire.WorkloadSpec) -> wire.TemplateSpec:
    return (spec.template.spec if spec.template else None) or wire.TemplateSpec()


def _images(spec: wire.PodSpec) -> tuple[str, ...]:
    found = [*(spec.init_containers or ()), *(spec.containers or ())]
    return tuple(dict.fromkeys(shared(c.image or "") for c in found))


def _unschedulable(status: wire.PodStatus) -> str:
    for found in status.conditions or ():
        if found.type == "PodScheduled" and found.status == "False":
            return told(found.message or found.reason or "Unschedulable")
    return ""


def _owner(meta: wire.Meta) -> str:
    owners = meta.owner_references
    if not owners:
        return ""
    chosen = next((o for o in owners if o.controller), owners[0])
    return shared(f"{chosen.kind}/{chosen.name}")
