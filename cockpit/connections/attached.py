"""The rules of a load balancer that forward to given target groups, found from the groups themselves.

For rules that a controller makes and unmakes: nobody can list their ARNs in a playbook.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cockpit.model.json import Json
from cockpit.model.share import Rule

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

T = TypeVar("T")
_SERVICE = "elasticloadbalancing"


class Call(Protocol):
    """Runs a call of boto3 elsewhere; `action` names it for its errors."""

    def __call__(self, action: str, work: Callable[[], T]) -> Awaitable[T]:
        """What `work` gives."""
        ...


async def attached(client: ElasticLoadBalancingv2Client, call: Call, groups: Collection[str]) -> list[Rule]:
    """All rules, default ones too, whose forward action has every one of `groups`, in the order of listeners; without tags.

    A default rule is named by its listener, as everywhere else.
    """
    asked = partial(client.describe_target_groups, TargetGroupArns=list(groups))
    found: dict[str, Any] = dict(await call(f"{_SERVICE}:DescribeTargetGroups", asked))
    balancers = list(dict.fromkeys(arn for group in found["TargetGroups"] for arn in group.get("LoadBalancerArns", [])))
    rules: list[Rule] = []
    for balancer in balancers:
        for listener in await _all(call, client.describe_listeners, "Listeners", "DescribeListeners", LoadBalancerArn=balancer):
            arn = str(listener["ListenerArn"])
            listed = await _all(call, client.describe_rules, "Rules", "DescribeRules", ListenerArn=arn)
            rules += [_rule(rule, arn) for rule in listed]
    return [rule for rule in rules if all(group in rule.weights for group in groups)]


async def _all(call: Call, ask: Callable[..., Any], key: str, action: str, **about: str) -> list[Mapping[str, Any]]:
    listed: list[Mapping[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        page = await call(f"{_SERVICE}:{action}", partial(ask, **about, **marker))
        listed += page[key]
        if not page.get("NextMarker"):
            return listed
        marker = {"Marker": str(page["NextMarker"])}


def _rule(found: Mapping[str, Any], listener: str) -> Rule:
    actions: tuple[Mapping[str, Json], ...] = tuple(found.get("Actions") or ())
    default = bool(found.get("IsDefault"))
    return Rule(listener if default else str(found["RuleArn"]), default, actions)
