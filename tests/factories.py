"""Small model objects for tests, each with sensible defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet, Deployment, Node, Pod, Ref, Resources
from cockpit.model.json import Json
from cockpit.model.playbook import (
    AffinityMode,
    AffinitySet,
    Agent,
    AgentsCheck,
    Alb,
    Metadata,
    Phase,
    Playbook,
    RollbackCheck,
    ShareCheck,
    SignalCheck,
    Target,
    WeightsSet,
)
from cockpit.model.series import Sample, Series
from cockpit.model.share import Rule, TargetGroup
from cockpit.model.signal import Prometheus, Signal, Unit
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState

NOW = datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC)
GROUPS = {
    arch: f"arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/payments-{arch}/{i}a1b2c3d4e5f6071"
    for i, arch in enumerate(Arch)
}
RULE = (
    "arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener-rule/app/payments/50dc6c495c0c9188/f2f7dc8efc52/9683b2d02a6c"
)
API = Ref("deployment", "payments", "payments-api")
CANARY = Ref("deployment", "payments", "payments-api-arm64")
AGENT = Ref("daemonset", "security", "edr-sensor")
IMAGE = "registry.example.com/edr/sensor:7.16.2"


def weights(arm64: int) -> WeightsSet:
    """A share of `arm64` percent."""
    return WeightsSet({Arch.ARM64: arm64, Arch.AMD64: 100 - arm64})


def phase(name: str, arm64: int | None = None, soak: float = 180.0, affinity: AffinityMode | None = None) -> Phase:
    """A phase with the usual gates."""
    return Phase(
        name,
        soak,
        weights=weights(arm64) if arm64 is not None else None,
        affinity=AffinitySet(API, affinity) if affinity else None,
        gates=(
            SignalCheck("latency_p99", max_drift=0.04, min_samples=4),
            SignalCheck("error_rate", max=0.001),
            AgentsCheck("ready"),
            ShareCheck(0.02),
            RollbackCheck(),
        ),
        abort=(SignalCheck("latency_p99", max_drift=0.10, for_seconds=60), AgentsCheck("crash_loop")),
    )


PLAYBOOK = Playbook(
    metadata=Metadata("payments-api"),
    target=Target("payments", API, CANARY),
    phases=(phase("canary-5", 5), phase("canary-25", 25), phase("require-arm64", affinity=AffinityMode.REQUIRED)),
    alb=Alb("ap-south-1", GROUPS, rules=(RULE,)),
    prometheus=Prometheus("http://prometheus.example.com:9090"),
    signals={
        "latency_p99": Signal("latency_p99", Unit.SECONDS, 'p99{arch="{{arch}}"}', "lower"),
        "error_rate": Signal("error_rate", Unit.RATIO, 'errors{arch="{{arch}}"}', "lower"),
        "requests": Signal("requests", Unit.REQUESTS_PER_SECOND, 'requests{arch="{{arch}}"}'),
    },
    agents=(Agent(AGENT, (IMAGE,)),),
)


def node(name: str, arch: Arch = Arch.AMD64, **changes: object) -> Node:
    """A Ready worker of 4 cores and 16 GiB."""
    made = Node(name, arch, arch, ready=True, allocatable=Resources(4000, 16 << 30, 58), labels={"kubernetes.io/arch": arch})
    return replace(made, **changes)  # type: ignore[arg-type]


def pod(name: str, on: str, ref: Ref = API, *, ready: bool = True, **changes: object) -> Pod:
    """A pod of a workload, or of a DaemonSet when `ref` is one."""
    owner = f"DaemonSet/{ref.name}" if ref.kind == "daemonset" else f"ReplicaSet/{ref.name}-5d9c7b4f6d"
    image = IMAGE if ref.kind == "daemonset" else "registry.example.com/payments:1.4.0"
    made = Pod(
        ref.namespace, name, f"uid-{name}", on, "Running" if on else "Pending", ready,
        owner=owner, labels={"app": ref.name}, containers=(Container("main", image, ready=ready),),
        requests=Resources(500, 1 << 30, 1),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def deployment(ref: Ref = API, replicas: int = 4, *, affinity: Json = None, **changes: object) -> Deployment:
    """A settled Deployment."""
    made = Deployment(
        ref.namespace, ref.name, f"uid-{ref.name}", "100", 1, 1, replicas, replicas, replicas, replicas, replicas,
        affinity=affinity, selector={"app": ref.name}, template_requests=Resources(500, 1 << 30, 1),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def rule(arm64: int, arn: str = RULE, tags: Mapping[str, str] | None = None) -> Rule:
    """A rule that forwards to both groups."""
    groups: list[Json] = [{"TargetGroupArn": GROUPS[a], "Weight": w} for a, w in ((Arch.AMD64, 100 - arm64), (Arch.ARM64, arm64))]
    action: dict[str, Json] = {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}},
    }
    return Rule(arn, False, (action,), tags or {})


def series(values: Sequence[float], *, end: datetime = NOW, every: float = 15.0) -> Series:
    """Samples that end at `end`."""
    count = len(values)
    return Series(tuple(Sample(end - timedelta(seconds=every * (count - 1 - i)), v) for i, v in enumerate(values)))


def signals(
    p99: tuple[float, float] = (0.118, 0.115), errors: float = 0.0002, share: float = 0.05
) -> dict[tuple[str, Arch], Series]:
    """Steady signals: (arm64, amd64) p99 in seconds, errors on both sides, arm64's share of 1,240 req/s."""
    steady = {
        ("latency_p99", Arch.ARM64): p99[0],
        ("latency_p99", Arch.AMD64): p99[1],
        ("error_rate", Arch.ARM64): errors,
        ("error_rate", Arch.AMD64): errors,
        ("requests", Arch.ARM64): 1240 * share,
        ("requests", Arch.AMD64): 1240 * (1 - share),
    }
    return {key: series([value] * 20) for key, value in steady.items()}


def snapshot(**changes: object) -> Snapshot:
    """A healthy world with every source live: 4 + 2 nodes, both workloads, the agent everywhere, 5% on arm64."""
    nodes = [node(f"x{i}") for i in range(4)] + [node(f"a{i}", Arch.ARM64) for i in range(2)]
    pods = [pod(f"api-{i}", f"x{i}") for i in range(4)] + [pod(f"canary-{i}", f"a{i % 2}", CANARY) for i in range(4)]
    pods += [pod(f"edr-{n.name}", n.name, AGENT) for n in nodes]
    made = Snapshot(
        seq=1,
        time=NOW,
        monotonic=1000.0,
        sources={name: SourceState(Freshness.LIVE, 0.5) for name in SourceName},
        nodes={n.name: n for n in nodes},
        pods={f"{p.namespace}/{p.name}": p for p in pods},
        deployments={f"payments/{d.name}": d for d in (deployment(), deployment(CANARY))},
        daemonsets={"security/edr-sensor": DaemonSet("security", "edr-sensor", "uid-edr", 6, 6)},
        usage={n.name: Resources(1000, 4 << 30, 8) for n in nodes},
        rules={RULE: rule(5)},
        targets={g: TargetGroup(g, f"payments-{a}", a, 4, 0) for a, g in GROUPS.items()},
        signals=signals(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_source(before: Snapshot, name: SourceName, state: SourceState) -> Snapshot:
    """The snapshot with one source in another state."""
    return replace(before, sources={**before.sources, name: state})
