"""One consistent picture of everything observed, with the freshness of each source. Immutable; numbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cockpit.model.arch import Arch
from cockpit.model.auditing import NOT_AUDITED, Auditing
from cockpit.model.cluster import Autoscaler, DaemonSet, Deployment, Ingress, KubeEvent, Neighbour, Node, Pod, Quota, Resources
from cockpit.model.image import Image
from cockpit.model.nodepool import NodePool
from cockpit.model.series import Series
from cockpit.model.share import Rule, TargetGroup


class Freshness(StrEnum):
    """How far a source may be believed."""

    UNSYNCED = "UNSYNCED"
    """Has not finished its first list: nothing can be concluded from what is missing."""
    LIVE = "LIVE"
    STALE = "STALE"
    FAULT = "FAULT"
    """The last attempt failed; what is shown is from before."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """Freshness of one source. `age` is in seconds since it last heard from its server (None: never); `why` the fault.

    While a whole list streams in, `read` says how many objects of it have come, and `expected` how many it has in all (None: the
    server does not say). Once it has ended both stay as they were at its end; `read` is 0 before the very first object.
    """

    freshness: Freshness = Freshness.UNSYNCED
    age: float | None = None
    why: str = ""
    read: int = 0
    expected: int | None = None

    @property
    def live(self) -> bool:
        """May be believed now."""
        return self.freshness is Freshness.LIVE


class SourceName(StrEnum):
    """The sources that exist; each keeps its own freshness."""

    NODES = "nodes"
    PODS = "pods"
    DEPLOYMENTS = "deployments"
    DAEMONSETS = "daemonsets"
    EVENTS = "events"
    USAGE = "usage"
    RULES = "rules"
    TARGETS = "targets"
    METRICS = "metrics"
    IMAGES = "images"
    AUTOSCALERS = "autoscalers"
    QUOTAS = "quotas"
    DAEMON_PODS = "daemon pods"
    INGRESSES = "ingresses"
    NEIGHBOURS = "namespace pods"
    NODEPOOLS = "node pools"
    ACCESS = "permissions"
    PORTABILITY = "portability"


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything observed at `time`. Keys: nodes by name; namespaced objects by `namespace/name`; rules and groups by ARN.

    `usage` is what all pods of a node request, by node name. `signals` is by (signal, arch). `monotonic` is in seconds.
    `images` is by the reference that was asked for. `daemon_pods` is by `namespace/name` of a DaemonSet: why its pod on a node is
    not Ready (empty: it is), by node name. `neighbours` are all pods of a namespace, by its name. `denied` is what a rollback's
    writes are not permitted, by the lever that makes them.
    """

    seq: int
    time: datetime
    monotonic: float
    sources: Mapping[SourceName, SourceState] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    pods: Mapping[str, Pod] = field(default_factory=dict)
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    daemonsets: Mapping[str, DaemonSet] = field(default_factory=dict)
    events: tuple[KubeEvent, ...] = ()
    usage: Mapping[str, Resources] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    targets: Mapping[str, TargetGroup] = field(default_factory=dict)
    signals: Mapping[tuple[str, Arch], Series] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    autoscalers: Mapping[str, Autoscaler] = field(default_factory=dict)
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    daemon_pods: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ingresses: Mapping[str, Ingress] = field(default_factory=dict)
    neighbours: Mapping[str, tuple[Neighbour, ...]] = field(default_factory=dict)
    node_pools: Mapping[str, NodePool] = field(default_factory=dict)
    denied: Mapping[str, str] = field(default_factory=dict)
    auditing: Auditing = NOT_AUDITED

    def source(self, name: SourceName) -> SourceState:
        """The state of a source; one that is not there at all is UNSYNCED."""
        return self.sources.get(name, SourceState())
