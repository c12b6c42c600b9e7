"""The playbook's shape, field by field, as it is written: what is checked here is form; `semantics` checks what it means."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import ConfigDict, Field

from cockpit.playbook import names
from cockpit.playbook.checks import Aborts, Gates
from cockpit.playbook.fields import (
    Account,
    ActionName,
    ArchName,
    DaemonSet,
    Day,
    Duration,
    IngressName,
    Label,
    Line,
    Listener,
    Part,
    Region,
    RegistryName,
    Rule,
    TargetGroup,
    Uid,
    Url,
    Weight,
    Workload,
)
from cockpit.playbook.schema_metrics import Metrics, Prices
from cockpit.playbook.schema_portability import Portability


class Metadata(Part):
    """Who and what the playbook is for."""

    name: Label = Field(description="The run's key in the cluster, a DNS-1123 label.", examples=["payments-api"])
    description: str = Field(
        default="", max_length=1000, description="One sentence for people.", examples=["Payments API from x86 to Graviton"]
    )
    owner: str = Field(default="", max_length=200, description="The team that answers for it.", examples=["team-payments"])
    runbook: str = Field(
        default="", max_length=500, description="Where to read on.", examples=["https://wiki.example.com/payments/graviton"]
    )


class Workloads(Part):
    """The two paths of the traffic."""

    baseline: Workload = Field(
        description="The path that serves now, kept alive for rollback.", examples=["deployment/payments-api"]
    )
    canary: Workload | None = Field(
        default=None,
        description="The new path beside it. Left out, one workload is moved by affinity alone.",
        examples=["deployment/payments-api-arm64"],
    )


class Target(Part):
    """The cluster, the namespace and what is moved in it."""

    context: Line | None = Field(default=None, description="The kubeconfig's context; --context wins.", examples=["prod-eks"])
    cluster_uid: Uid | None = Field(
        default=None,
        description="UID of the kube-system namespace: any other cluster is refused.",
        examples=["6f0c2f7e-3b0a-4d53-9b1c-5c8f6f6f2a10"],
    )
    gitops: Literal["suspended"] | None = Field(
        default=None,
        description="`suspended`: whatever GitOps tool owns the workloads has been suspended for the cutover, or told to ignore "
        "spec.template.spec.affinity. Without it such a workload is refused, as the tool would set it back.",
        examples=["suspended"],
    )
    namespace: Label = Field(description="Where the workloads live.", examples=["payments"])
    from_: ArchName = Field(default="amd64", alias="from", description="The architecture that is left.", examples=["amd64"])
    to: ArchName = Field(default="arm64", description="The architecture that is moved to.", examples=["arm64"])
    workloads: Workloads = Field(description="Baseline and canary.")


class TargetGroups(Part):
    """One target group for each architecture."""

    amd64: TargetGroup = Field(description="ARN of the group with the amd64 pods.", examples=["arn:aws:elasticloadbalancing:..."])
    arm64: TargetGroup = Field(description="ARN of the group with the arm64 pods.", examples=["arn:aws:elasticloadbalancing:..."])


class IngressServices(Part):
    """The Services that stand for the two target groups in an Ingress."""

    amd64: Label = Field(description="The Service with the amd64 pods.", examples=["payments-api"])
    arm64: Label = Field(description="The Service with the arm64 pods.", examples=["payments-api-arm64"])


class IngressAction(Part):
    """An action of an Ingress, for rules that the AWS Load Balancer Controller owns: it sets back what others write there."""

    name: IngressName = Field(description="The Ingress, in target.namespace.", examples=["payments"])
    action: ActionName = Field(
        description="The <name> in its annotation alb.ingress.kubernetes.io/actions.<name>.", examples=["split"]
    )
    services: IngressServices | None = Field(
        default=None,
        description="The Services that the action names. Left out where it names target groups by ARN.",
        examples=[{"amd64": "payments-api", "arm64": "payments-api-arm64"}],
    )


class Alb(Part):
    """An Application Load Balancer whose weights are moved: listeners, rules or both, as one unit."""

    region: Region = Field(description="The Region that all ARNs are in.", examples=["ap-south-1"])
    account: Account | None = Field(
        default=None, description="The account, in quotes: any other one is refused.", examples=["111122223333"]
    )
    endpoint_url: Url | None = Field(
        default=None,
        description="Another API endpoint, for rehearsals and private endpoints.",
        examples=["http://127.0.0.1:5000"],
    )
    listeners: list[Listener] = Field(
        default=[], max_length=50, description="ARNs of listeners whose default rule is moved.", examples=[[]]
    )
    rules: list[Rule] = Field(default=[], max_length=50, description="ARNs of other rules that are moved.")
    ingress: IngressAction | None = Field(
        default=None, description="Instead of listeners and rules, where the AWS Load Balancer Controller owns them."
    )
    target_groups: TargetGroups = Field(description="ARNs of the two target groups.")


class Traffic(Part):
    """What shifts traffic. Without it only affinity moves anything."""

    alb: Alb | None = Field(default=None, description="An Application Load Balancer.")


class Certified(Part):
    """A sign-off for exact images of an agent."""

    images: list[Line] = Field(
        min_length=1, max_length=50, description="The images that may run.", examples=[["registry.example.com/edr/sensor:7.16.2"]]
    )
    signed_off_by: Line = Field(description="Who signed.", examples=["security"])
    on: Day = Field(description="When.", examples=["2026-11-01"])


class Agent(Part):
    """A DaemonSet that must be healthy on every node of the target architecture."""

    daemonset: DaemonSet = Field(description="namespace/name of the DaemonSet.", examples=["kube-system/aws-node"])
    certified: Certified | None = Field(default=None, description="Only these images are accepted on the target architecture.")


class Registry(Part):
    """Where an image registry is reached, when not by its name: a mirror, or one inside of the cluster."""

    endpoint: Url = Field(
        description="Its address; http only where that is meant. Credentials for it are those of this address.",
        examples=["https://mirror.example.com"],
    )


class Probes(Part):
    """What may be asked inside of running containers."""

    exec: bool = Field(
        default=False,
        description="Run `uname -m` and read process 1's ELF header in one container of each image. Needs create on pods/exec.",
        examples=[True],
    )


class Weights(Part):
    """Relative weights of the two target groups: a share is a weight over their sum."""

    amd64: Weight = Field(description="Weight of the amd64 target group, 0 to 999.", examples=[95])
    arm64: Weight = Field(description="Weight of the arm64 target group, 0 to 999.", examples=[5])


class Affinity(Part):
    """Node affinity of one workload for an architecture. It is only ever narrowed, or given back as it was."""

    workload: Literal["baseline", "canary"] = Field(description="Which of target.workloads.", examples=["baseline"])
    mode: Literal["preferred", "required", "none"] = Field(
        description="preferred falls back to the other architecture, required does not, none is as before the run.",
        examples=["preferred"],
    )
    arch: ArchName | None = Field(default=None, description="The architecture; left out, target.to.", examples=["arm64"])
    weight: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="How strongly a preferred architecture is preferred; 100 if left out.",
        examples=[80],
    )


class Levers(Part):
    """What a phase moves, at least one."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    weights: Weights | None = Field(
        default=None, description="The load balancer's weights.", examples=[{"arm64": 5, "amd64": 95}]
    )
    affinity: Affinity | None = Field(default=None, description="A workload's node affinity.")


Promote: TypeAlias = Literal["manual", "auto", "two_person"]
OnAbort: TypeAlias = Literal["hold", "rollback"]

_GATES = "All must PASS, for the whole soak, before the phase can be left."
_ABORT = "Any one that FAILs does what on_abort says."
_PROMOTE = "Who leaves the phase: a person, the cockpit itself, or two persons."
_ON_ABORT = "What an abort trigger does."


class Phase(Part):
    """One step of the cutover."""

    name: Label = Field(description="A DNS-1123 label, used once.", examples=["canary-5"])
    set: Levers = Field(description="What this phase moves.", examples=[{"weights": {"arm64": 5, "amd64": 95}}])
    soak: Duration = Field(description="How long it is watched before it can be left.", examples=["15m"])
    gates: Gates | None = Field(default=None, description=f"{_GATES} Left out: those of defaults.")
    abort: Aborts | None = Field(default=None, description=f"{_ABORT} Left out: those of defaults.")
    promote: Promote | None = Field(default=None, description=f"{_PROMOTE} Left out: that of defaults.", examples=["manual"])
    on_abort: OnAbort | None = Field(default=None, description=f"{_ON_ABORT} Left out: that of defaults.", examples=["hold"])


class Defaults(Part):
    """What phases take that do not say it themselves."""

    gates: Gates = Field(default=[], description=_GATES)
    abort: Aborts = Field(default=[], description=_ABORT)
    promote: Promote = Field(default="manual", description=_PROMOTE, examples=["manual"])
    on_abort: OnAbort = Field(default="hold", description=_ON_ABORT, examples=["hold"])


class Rollback(Part):
    """How the run goes back."""

    order: list[Literal["weights", "affinity"]] = Field(
        default=["weights", "affinity"],
        min_length=1,
        max_length=10,
        description="Levers in the order in which they are given back: the fastest way to safety first.",
        examples=[["weights", "affinity"]],
    )


class Playbook(Part):
    """A phased cutover from one processor architecture to the other."""

    api_version: Literal["cockpit/v1"] = Field(alias="apiVersion", description="Always cockpit/v1.", examples=["cockpit/v1"])
    kind: Literal["Playbook"] = Field(description="Always Playbook.", examples=["Playbook"])
    metadata: Metadata = Field(description="Who and what the playbook is for.")
    target: Target = Field(description="The cluster, the namespace and what is moved in it.")
    traffic: Traffic | None = Field(default=None, description="What shifts traffic. Without it only affinity moves anything.")
    metrics: Metrics | None = Field(default=None, description="What is measured, and where.")
    prices: Prices | None = Field(default=None, description="Prices an hour that replace the shipped table's.")
    agents: list[Agent] = Field(default=[], max_length=100, description="What must be healthy on every arm64 node.")
    portability: Portability | None = Field(default=None, description="The gate before the first phase.")
    registries: dict[RegistryName, Registry] = Field(
        default={},
        max_length=50,
        json_schema_extra={"propertyNames": {"pattern": names.REGISTRY.pattern}},
        description="Image registries that are reached elsewhere than by their name.",
    )
    probes: Probes | None = Field(default=None, description="What may be asked inside of running containers. Left out: nothing.")
    phases: list[Phase] = Field(min_length=1, max_length=100, description="The steps, in their order.")
    defaults: Defaults | None = Field(default=None, description="What phases take that do not say it themselves.")
    rollback: Rollback | None = Field(default=None, description="How the run goes back.")
