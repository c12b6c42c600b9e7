"""A playbook that has passed every check: what the rules, levers and the run read. Durations are seconds, shares 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, TypeAlias

from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.finding import FindingKind
from cockpit.model.signal import Cadence, CloudWatch, Measure, Prometheus, Signal, Unit
from cockpit.model.surfaces import Surfaces


class Promote(StrEnum):
    """Who leaves a phase for the next one."""

    MANUAL = "manual"
    AUTO = "auto"
    TWO_PERSON = "two_person"


class OnAbort(StrEnum):
    """What an abort trigger does."""

    HOLD = "hold"
    ROLLBACK = "rollback"


class AffinityMode(StrEnum):
    """How a workload is bound to an architecture; NONE is the affinity it had before the run."""

    PREFERRED = "preferred"
    REQUIRED = "required"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Who and what the playbook is for."""

    name: str
    description: str = ""
    owner: str = ""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster, namespace and workloads. Without a canary one workload is moved by affinity alone."""

    namespace: str
    baseline: Ref
    canary: Ref | None = None
    context: str | None = None
    cluster_uid: str | None = None
    gitops: Literal["suspended"] | None = None
    """The GitOps tools that own the workloads have been suspended, or told to leave the affinity alone."""
    from_arch: Arch = Arch.AMD64
    to_arch: Arch = Arch.ARM64

    @property
    def workloads(self) -> tuple[Ref, ...]:
        """Baseline and, when there is one, canary."""
        return (self.baseline, self.canary) if self.canary else (self.baseline,)


@dataclass(frozen=True, slots=True)
class IngressAction:
    """The action of an Ingress by which the AWS Load Balancer Controller sets its rules; `services` may be empty."""

    name: str
    action: str
    services: Mapping[Arch, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alb:
    """The load balancer's side: `listeners` are ARNs whose default rule is set, `rules` ARNs of other rules."""

    region: str
    target_groups: Mapping[Arch, str]
    listeners: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    account: str | None = None
    endpoint_url: str | None = None
    ingress: IngressAction | None = None
    """Whose rules these are, where a controller owns them; then listeners and rules are empty."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What an instance costs an hour, by its type, in `currency`: the playbook's `own` before the `shipped` ones.

    `basis` says in words what the shipped figures are, `label` what the playbook's are.
    """

    shipped: Mapping[str, float] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)
    currency: str = "USD"
    basis: str = ""
    label: str = ""

    def of(self, instance_type: str) -> float | None:
        """The price an hour of an instance type, None when it is not known."""
        return self.own.get(instance_type, self.shipped.get(instance_type))

    def said(self, instance_types: Iterable[str]) -> str:
        """Where the prices of these types are from."""
        types = set(instance_types)
        found = [self.label] if types & self.own.keys() else []
        return "; ".join([*found, *([self.basis] if types - self.own.keys() else [])])


@dataclass(frozen=True, slots=True)
class Agent:
    """A DaemonSet that must be healthy on every node of the target architecture."""

    daemonset: Ref
    certified_images: tuple[str, ...] = ()
    signed_off_by: str = ""
    signed_off_on: date | None = None


@dataclass(frozen=True, slots=True)
class SignalCheck:
    """A signal against a fixed limit (`max`, `min`, in the signal's unit) and/or its drift from the concurrent baseline."""

    signal: str
    max: float | None = None
    min: float | None = None
    max_drift: float | None = None
    min_samples: int = 1
    for_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class AgentsCheck:
    """All listed agents: `ready` on every target node (a gate), or any `crash_loop` (an abort trigger)."""

    agents: Literal["ready", "crash_loop"]


@dataclass(frozen=True, slots=True)
class NativeCheck:
    """Nothing emulated and nothing crashing with a wrong binary.

    Throughput per pod below `hint_below` (0 to 1) of what the baseline's makes likely is told as a hint; it decides nothing.
    """

    native: bool = True
    hint_below: float = 0.6


@dataclass(frozen=True, slots=True)
class ShareCheck:
    """The observed share of traffic is within `within` (0 to 1, absolute) of the intended one."""

    within: float


@dataclass(frozen=True, slots=True)
class RollbackCheck:
    """Everything that a rollback needs is there now."""


@dataclass(frozen=True, slots=True)
class FindingCheck:
    """The matrix has found a symptom of this kind on the side that is moved to (an abort trigger only)."""

    kind: FindingKind


Check: TypeAlias = SignalCheck | AgentsCheck | NativeCheck | ShareCheck | RollbackCheck | FindingCheck


@dataclass(frozen=True, slots=True)
class WeightsSet:
    """Target-group weights by architecture."""

    weights: Mapping[Arch, int]

    @property
    def share(self) -> float:
        """The share that arm64 is meant to get, 0 to 1."""
        return self.weights[Arch.ARM64] / sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class AffinitySet:
    """Node affinity of a workload; `weight` (1-100) only with PREFERRED."""

    workload: Ref
    mode: AffinityMode
    arch: Arch = Arch.ARM64
    weight: int = 100


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of the cutover: what is set, how long it soaks, what must hold."""

    name: str
    soak: float
    weights: WeightsSet | None = None
    affinity: AffinitySet | None = None
    gates: tuple[Check, ...] = ()
    abort: tuple[Check, ...] = ()
    promote: Promote = Promote.MANUAL
    on_abort: OnAbort = OnAbort.HOLD


@dataclass(frozen=True, slots=True)
class Probes:
    """What may be asked inside of running containers. `exec` runs two harmless commands in one container of each image."""

    exec: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """A written exception from the portability gate."""

    component: str
    reason: str
    owner: str
    expires: date


@dataclass(frozen=True, slots=True)
class Portability:
    """The gate before the first phase."""

    require: Literal["green", "waived_ok", "off"] = "off"
    waivers: tuple[Waiver, ...] = ()
    aws: Surfaces | None = None
    """The AWS surfaces that the audit looks at."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """A whole, valid playbook."""

    metadata: Metadata
    target: Target
    phases: tuple[Phase, ...]
    alb: Alb | None = None
    prometheus: Prometheus | None = None
    cloudwatch: CloudWatch | None = None
    signals: Mapping[str, Signal] = field(default_factory=dict)
    agents: tuple[Agent, ...] = ()
    portability: Portability = Portability()
    registries: Mapping[str, str] = field(default_factory=dict)
    """The address of each image registry that is reached elsewhere than by its name."""
    probes: Probes = Probes()
    rollback_order: tuple[str, ...] = ("weights", "affinity")
    source: str = ""
    """The file it was read from."""
    prices: Prices = Prices()

    @property
    def name(self) -> str:
        """The run's key."""
        return self.metadata.name

    @property
    def latency(self) -> str | None:
        """The signal that stands for latency: a p99 in seconds before any other in seconds, None without one."""
        timed = [signal for signal in self.signals.values() if signal.unit is Unit.SECONDS]
        return next((signal.name for signal in sorted(timed, key=_tail_first)), None)

    def freshness_of(self, signal: str) -> Cadence | None:
        """How often a signal is sampled and how long a sample holds; None for one that is not defined or has no source."""
        if (found := self.signals.get(signal)) is None:
            return None
        source = self.cloudwatch if found.measure else self.prometheus
        return Cadence(source.every, source.stale_after) if source else None


def _tail_first(signal: Signal) -> int:
    return 0 if signal.measure is Measure.LATENCY_P99 or "p99" in signal.name else 1
