"""A small observed world, built by hand: the playbook and the snapshots that frames are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet, Deployment, KubeEvent, Node, Pod, Ref, Resources
from cockpit.model.json import Json
from cockpit.model.playbook import (
    AffinityMode,
    AffinitySet,
    Agent,
    AgentsCheck,
    Alb,
    Check,
    Metadata,
    NativeCheck,
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
NS = "payments"
BASELINE = Ref("deployment", NS, "payments-api")
CANARY = Ref("deployment", NS, "payments-api-arm64")
GROUPS = {Arch.AMD64: "arn:aws:tg/payments-x86", Arch.ARM64: "arn:aws:tg/payments-arm"}
RULE = "arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener-rule/app/payments/50dc6c49/f2f7dc8e/9683b2d02a6cabee"
AGENTS = (
    Ref("daemonset", "kube-system", "aws-node"),
    Ref("daemonset", "security", "edr-sensor"),
    Ref("daemonset", "logging", "fluent-bit"),
)
GATES: tuple[Check, ...] = (
    SignalCheck("latency_p99", max_drift=0.04, min_samples=4),
    SignalCheck("error_rate", max=0.001),
    AgentsCheck("ready"),
    ShareCheck(0.02),
    RollbackCheck(),
)
ABORTS: tuple[Check, ...] = (
    SignalCheck("latency_p99", max_drift=0.1, for_seconds=120),
    SignalCheck("error_rate", max=0.01, for_seconds=60),
    AgentsCheck("crash_loop"),
)


def weights(name: str, share: int) -> Phase:
    """A phase that gives `share` percent to arm64."""
    return Phase(name, 900.0, weights=WeightsSet({Arch.ARM64: share, Arch.AMD64: 100 - share}), gates=GATES, abort=ABORTS)


PHASES = (
    weights("canary-5", 5),
    weights("canary-25", 25),
    weights("canary-50", 50),
    weights("canary-100", 100),
    Phase(
        "require-arm64",
        86400.0,
        affinity=AffinitySet(BASELINE, AffinityMode.REQUIRED),
        gates=(*GATES, NativeCheck()),
        abort=ABORTS,
    ),
)
PLAYBOOK = Playbook(
    metadata=Metadata("payments-api", owner="team-payments"),
    target=Target(NS, BASELINE, CANARY, context="prod-eks"),
    phases=PHASES,
    alb=Alb("ap-south-1", GROUPS, rules=(RULE,)),
    prometheus=Prometheus("http://prometheus.example.com:9090"),
    signals={
        "latency_p99": Signal("latency_p99", Unit.SECONDS, "q", "lower"),
        "error_rate": Signal("error_rate", Unit.RATIO, "q", "lower"),
        "requests": Signal("requests", Unit.REQUESTS_PER_SECOND, "q"),
    },
    agents=tuple(
        Agent(ref, certified_images=("registry.example.com/edr/sensor:7.16.2",) if "edr" in ref.name else ()) for ref in AGENTS
    ),
)
LIVE = SourceState(Freshness.LIVE, 1.0)
SOURCES = dict.fromkeys(SourceName, LIVE)


def node(arch: Arch, number: int, **more: object) -> Node:
    """A worker."""
    name = f"ip-10-0-{1 if arch is Arch.AMD64 else 2}-{10 + number}.ap-south-1.compute.internal"
    kind = "m6i.2xlarge" if arch is Arch.AMD64 else "m7g.2xlarge"
    base = Node(name, arch, arch, True, instance_type=kind, zone="ap-south-1a", allocatable=Resources(8000, 32 << 30, 58))
    return replace(base, **more)  # type: ignore[arg-type]


def pod(owner: Ref, number: int, on: str, **more: object) -> Pod:
    """A ready pod of a workload or an agent."""
    image = "registry.example.com/edr/sensor:7.16.2" if "edr" in owner.name else "registry.example.com/app:1"
    kind = "DaemonSet" if owner.kind == "daemonset" else "ReplicaSet"
    base = Pod(
        owner.namespace,
        f"{owner.name}-{number:05x}",
        f"u-{owner.name}-{number}",
        on,
        "Running",
        True,
        owner=f"{kind}/{owner.name}",
        labels={"app": owner.name},
        containers=(Container("main", image, ready=True),),
        requests=Resources(500, 1 << 30, 1),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def series(values: Iterable[float]) -> Series:
    """One sample every 15 s, the last one 5 s before now."""
    found = list(values)
    start = NOW - timedelta(seconds=5 + 15 * (len(found) - 1))
    return Series(tuple(Sample(start + timedelta(seconds=15 * n), value) for n, value in enumerate(found)))


def signals(share: float, drift: float = 0.026, errors: float = 0.0002) -> dict[tuple[str, Arch], Series]:
    """All three signals with arm64 at `share` and `drift`."""
    wave = [0.115 + 0.003 * ((n * 7) % 5 - 2) / 2 for n in range(40)]
    return {
        ("latency_p99", Arch.AMD64): series(wave),
        ("latency_p99", Arch.ARM64): series(v * (1 + drift) for v in wave),
        ("error_rate", Arch.AMD64): series([0.0001] * 40),
        ("error_rate", Arch.ARM64): series([errors] * 40),
        ("requests", Arch.AMD64): series(1240 * (1 - share) + n for n in range(40)),
        ("requests", Arch.ARM64): series(1240 * share + n / 3 for n in range(40)),
    }


def deployment(ref: Ref, replicas: int, ready: int | None = None) -> Deployment:
    """A Deployment with its pods at rest."""
    count = replicas if ready is None else ready
    return Deployment(
        NS, ref.name, f"u-{ref.name}", "7", 3, 3, replicas, replicas, count, count, replicas, selector={"app": ref.name},
        template_requests=Resources(500, 1 << 30, 1),
    )  # fmt: skip


def rule(share: int) -> Rule:
    """The listener rule with its weights."""
    groups: list[Json] = [
        {"TargetGroupArn": GROUPS[Arch.ARM64], "Weight": share},
        {"TargetGroupArn": GROUPS[Arch.AMD64], "Weight": 100 - share},
    ]
    return Rule(RULE, False, ({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}},))


def snapshot(
    share: int = 0,
    *,
    nodes: Iterable[Node] | None = None,
    pods: Iterable[Pod] | None = None,
    sources: Mapping[SourceName, SourceState] = SOURCES,
    events: tuple[KubeEvent, ...] = (),
    drift: float = 0.026,
    errors: float = 0.0002,
) -> Snapshot:
    """14 x86 nodes, 6 arm64 nodes, 30 and 10 pods, every agent everywhere; `share` percent goes to arm64."""
    machines = (
        list(nodes) if nodes is not None else [node(Arch.AMD64, n) for n in range(14)] + [node(Arch.ARM64, n) for n in range(6)]
    )
    found = list(pods) if pods is not None else [*workload_pods(machines), *agent_pods(machines)]
    return Snapshot(
        seq=1,
        time=NOW,
        monotonic=1000.0,
        sources=sources,
        nodes={n.name: n for n in machines},
        pods={f"{p.namespace}/{p.name}": p for p in found},
        deployments={f"{NS}/{r.name}": deployment(r, count) for r, count in ((BASELINE, 30), (CANARY, 10))},
        daemonsets={f"{r.namespace}/{r.name}": DaemonSet(r.namespace, r.name, "u", 20, 20) for r in AGENTS},
        events=events,
        usage={n.name: Resources(4900 if n.arch == Arch.AMD64 else 3840, 8 << 30, 12) for n in machines},
        rules={RULE: rule(share)},
        targets={arn: TargetGroup(arn, f"payments-{arch}", arch, 10, 0) for arch, arn in GROUPS.items()},
        signals=signals(share / 100, drift, errors),
    )


def workload_pods(machines: Iterable[Node]) -> list[Pod]:
    """30 baseline pods on x86, 10 canary pods on arm64."""
    x86 = [n.name for n in machines if n.arch == Arch.AMD64]
    arm = [n.name for n in machines if n.arch == Arch.ARM64]
    return [pod(BASELINE, n, x86[n % len(x86)]) for n in range(30)] + [pod(CANARY, n, arm[n % len(arm)]) for n in range(10)]


def agent_pods(machines: Iterable[Node]) -> list[Pod]:
    """One pod of every agent on every node."""
    return [pod(ref, n, machine.name) for ref in AGENTS for n, machine in enumerate(machines)]
