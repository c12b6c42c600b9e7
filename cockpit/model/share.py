"""Load-balancer rules and the share of traffic that their weights give. A weight is not a share: a share is w / sum(w)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from cockpit.model.arch import Arch
from cockpit.model.json import Json


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group and its targets' health, as DescribeTargetHealth says. `arch` is the playbook's word for it."""

    arn: str
    name: str
    arch: Arch
    healthy: int
    unhealthy: int
    draining: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A listener's default rule (`arn` is the listener's, `is_default` True) or another rule, with its whole action list.

    `actions` is what the API gave, to be written back unchanged but for weights; `tags` holds the run's own annotations.
    """

    arn: str
    is_default: bool
    actions: tuple[Mapping[str, Json], ...]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def weights(self) -> Mapping[str, int]:
        """Weight by target group ARN in the forward action; empty when there is none."""
        for action in self.actions:
            if action.get("Type") == "forward":
                return _weights(action)
        return {}

    def share(self, target_group: str) -> Fraction | None:
        """The share that the target group gets, 0 to 1; None when the weights sum to 0 or it is not attached."""
        weights = self.weights
        total = sum(weights.values())
        return Fraction(weights[target_group], total) if total and target_group in weights else None


def _weights(action: Mapping[str, Json]) -> Mapping[str, int]:
    config = action.get("ForwardConfig")
    groups = config.get("TargetGroups") if isinstance(config, dict) else None
    if isinstance(groups, list) and groups:
        return {str(g["TargetGroupArn"]): _int(g.get("Weight")) for g in groups if isinstance(g, dict)}
    arn = action.get("TargetGroupArn")
    return {arn: 1} if isinstance(arn, str) else {}


def _int(value: Json) -> int:
    # A single group may come without a weight: the load balancer then counts it as 1. Zero is a weight of its own.
    return value if isinstance(value, int) else 1
