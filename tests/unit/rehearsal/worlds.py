"""A playbook and worlds for the tests of the embedded world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Agent, Alb, Metadata, Playbook, Target
from cockpit.model.signal import Prometheus, Signal, Unit
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import is_ready, terminating
from cockpit.rehearsal.world import World

BASELINE = Ref("deployment", "payments", "payments-api")
CANARY = Ref("deployment", "payments", "payments-api-arm64")
_P99 = 'histogram_quantile(0.99, sum by (le) (rate(seconds_bucket{arch="{{arch}}"}[2m])))'
_ERRORS = 'sum(rate(requests_total{arch="{{arch}}",code=~"5.."}[2m])) / sum(rate(requests_total{arch="{{arch}}"}[2m]))'
SIGNALS = {
    "latency_p99": Signal("latency_p99", Unit.SECONDS, _P99, "lower"),
    "error_rate": Signal("error_rate", Unit.RATIO, _ERRORS, "lower"),
    "requests": Signal("requests", Unit.REQUESTS_PER_SECOND, 'sum(rate(requests_total{arch="{{arch}}"}[2m]))'),
}


def playbook(*, balanced: bool = True) -> Playbook:
    """With a load balancer and a canary, or one workload alone."""
    return Playbook(
        metadata=Metadata("payments-api"),
        target=Target("payments", BASELINE, CANARY if balanced else None),
        phases=(),
        alb=Alb("ap-south-1", {a: f"arn:{a}" for a in Arch}, rules=("arn:rule",)) if balanced else None,
        prometheus=Prometheus("http://127.0.0.1:9090"),
        signals=SIGNALS,
        agents=(Agent(Ref("daemonset", "kube-system", "aws-node")), Agent(Ref("daemonset", "security", "edr-sensor"))),
    )


def weights(arm64: int) -> Mapping[Arch, int]:
    """Weights that sum to 100."""
    return {Arch.AMD64: 100 - arm64, Arch.ARM64: arm64}


def world(*, seed: int = 1, scenario: str = "clean", balanced: bool = True) -> World:
    """A world at its start, on a clock that stands still; steps are taken by `engine.advance`."""
    made = World(playbook(balanced=balanced), ManualClock(), seed=seed, scenario=scenario)
    if balanced:
        made.set_weights("arn:rule", weights(0))
    made.begin()
    return made


def bind(made: World, ref: Ref, arch: str) -> None:
    """Require an architecture in every node selector term, as the cockpit's lever does."""

    def edit(new: Obj) -> None:
        required = new["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        for term in required["nodeSelectorTerms"]:
            term["matchExpressions"].append({"key": "kubernetes.io/arch", "operator": "In", "values": [arch]})

    made.cluster.change("deployments", deployment(made, ref), edit)


def deployment(made: World, ref: Ref) -> Obj:
    """The Deployment as stored."""
    return made.storage.get("deployments", ref.namespace, ref.name)


def pods(made: World, ref: Ref) -> list[Obj]:
    """Its pods that are not going away."""
    held = made.storage.list("pods", ref.namespace)
    return [p for p in held if p["metadata"]["labels"]["app"] == ref.name and not terminating(p)]


def placed(made: World, ref: Ref) -> Counter[str]:
    """Its ready pods by the architecture of their node."""
    archs = {n["metadata"]["name"]: n["metadata"]["labels"]["kubernetes.io/arch"] for n in made.storage.list("nodes")}
    return Counter(archs[p["spec"]["nodeName"]] for p in pods(made, ref) if is_ready(p))
