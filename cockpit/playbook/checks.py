"""Gates and abort triggers as they are written: each kind is known by its first key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag

from cockpit.playbook.fields import Drift, Duration, Limit, Part, Share, SignalName, Yes

_SOME_LIMIT: dict[str, Any] = {"anyOf": [{"required": [key]} for key in ("max", "min", "max_drift")]}


class SignalGate(Part):
    """A signal within fixed limits, or close to the concurrent baseline."""

    model_config = ConfigDict(json_schema_extra=_SOME_LIMIT)

    signal: SignalName = Field(description="One of metrics.signals.", examples=["latency_p99"])
    max: Limit | None = Field(
        default=None, description="The most it may be: 0.1% for a ratio, 120ms for seconds, else a number.", examples=["0.1%"]
    )
    min: Limit | None = Field(default=None, description="The least it may be, written as max.", examples=[100])
    max_drift: Drift | None = Field(default=None, description="How much worse than the baseline it may be.", examples=["4%"])
    min_samples: int = Field(default=1, ge=1, le=100_000, description="Fewer samples than this decide nothing.", examples=[20])


class SignalAbort(SignalGate):
    """A signal beyond its limits for a while."""

    for_: Duration = Field(default="0s", alias="for", description="It must be so throughout this time.", examples=["2m"])


class AgentsGate(Part):
    """Every agent is ready on every node of the target architecture."""

    agents: Literal["ready"] = Field(description="All of agents.", examples=["ready"])


class AgentsAbort(Part):
    """An agent crash-loops on a node of the target architecture."""

    agents: Literal["crash_loop"] = Field(description="Any of agents.", examples=["crash_loop"])


class NativeGate(Part):
    """Nothing is emulated and nothing crashes with a wrong binary."""

    native: Yes = Field(description="Always true.", examples=[True])
    hint_below: Share = Field(
        default="60%",
        description="Throughput per pod below this part of what the baseline's makes likely is told as a hint; it never decides.",
        examples=["60%"],
    )


class ShareGate(Part):
    """The observed share of traffic is the intended one."""

    share: Literal["observed"] = Field(description="Always observed.", examples=["observed"])
    within: Share = Field(description="How far apart they may be, in points.", examples=["2%"])


class RollbackGate(Part):
    """Everything that a rollback needs is there."""

    rollback: Literal["ready"] = Field(description="Always ready.", examples=["ready"])


class FindingAbort(Part):
    """The matrix has found a symptom on the side that is moved to; of one at home, going back is no cure."""

    finding: Literal[
        "no_healthy_targets",
        "exec_format",
        "no_manifest",
        "illegal_instruction",
        "invalid_elf",
        "agent_crash_loop",
        "agent_missing",
        "emulated",
        "pending_capacity",
        "pending_taint",
        "pending_affinity",
        "quota",
        "one_arch_stuck",
        "progress_deadline",
        "hpa_at_maximum",
        "arch_label_mismatch",
        "mixed_arches",
    ] = Field(description="The symptom, as `cockpit diagnose --json` names it.", examples=["exec_format"])


GATES: Mapping[str, type[Part]] = {
    "signal": SignalGate,
    "agents": AgentsGate,
    "native": NativeGate,
    "share": ShareGate,
    "rollback": RollbackGate,
}
ABORTS: Mapping[str, type[Part]] = {"signal": SignalAbort, "agents": AgentsAbort, "finding": FindingAbort}
NO_KIND = "no_kind"
"""The type of an error for an item of gates or abort that none of its kinds' keys is in."""


def tag(kind: str) -> str:
    """How a kind of item shows up in the location of an error; no key of a playbook looks so."""
    return f"<{kind}>"


def _kind(kinds: Mapping[str, type[Part]]) -> Discriminator:
    def find(value: object) -> str | None:
        return next((tag(k) for k in kinds if k in value), None) if isinstance(value, dict) else None

    return Discriminator(find, custom_error_type=NO_KIND, custom_error_message="no kind")


Gate: TypeAlias = Annotated[
    Annotated[SignalGate, Tag(tag("signal"))]
    | Annotated[AgentsGate, Tag(tag("agents"))]
    | Annotated[NativeGate, Tag(tag("native"))]
    | Annotated[ShareGate, Tag(tag("share"))]
    | Annotated[RollbackGate, Tag(tag("rollback"))],
    _kind(GATES),
]
Abort: TypeAlias = Annotated[
    Annotated[SignalAbort, Tag(tag("signal"))]
    | Annotated[AgentsAbort, Tag(tag("agents"))]
    | Annotated[FindingAbort, Tag(tag("finding"))],
    _kind(ABORTS),
]
Gates: TypeAlias = Annotated[list[Gate], Field(max_length=50)]
Aborts: TypeAlias = Annotated[list[Abort], Field(max_length=50)]
