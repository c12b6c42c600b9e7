"""What is in the embedded AWS account: a load balancer, one target group per architecture, listeners and rules."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypedDict

from cockpit.model.arch import Arch

ACCOUNT = "123456789012"
"""The account that moto plays."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the playbook needs: so many listeners (whose default rule is set) and other rules. `start` gets all traffic."""

    seed: int
    region: str
    name: str
    start: str
    listeners: int
    rules: int
    tags: dict[str, str] = field(default_factory=dict)
    """What every rule is tagged with."""


class Made(TypedDict):
    """The ARNs, target groups by architecture."""

    listeners: list[str]
    rules: list[str]
    target_groups: dict[str, str]


def seed(order: Order) -> Made:
    """Create everything in this process' moto."""
    from moto.backends import get_backend
    from moto.moto_api._internal import mock_random

    mock_random.seed(order.seed)
    balancers = get_backend("elbv2")[ACCOUNT][order.region]
    network = get_backend("ec2")[ACCOUNT][order.region]
    subnets = network.describe_subnets()[:3]
    name = order.name[:28].strip("-")
    balancer = balancers.create_load_balancer(name, [], [s.id for s in subnets], tags=[])
    groups = {a.value: _group(balancers, f"{name[:25]}-{a.value}", subnets[0].vpc_id) for a in Arch}
    action = _forward(groups, order.start)
    # A rule needs a listener; one that no playbook names takes the plain default.
    listeners = [_listener(balancers, balancer.arn, port, action) for port in range(443, 443 + max(1, order.listeners))]
    rules = [_rule(balancers, listeners[0], number, action, order.tags) for number in range(order.rules)]
    return {"listeners": listeners[: order.listeners], "rules": rules, "target_groups": groups}


def _group(balancers: Any, name: str, vpc: str) -> str:
    group = balancers.create_target_group(
        name,
        vpc_id=vpc,
        protocol="HTTP",
        port=8080,
        target_type="ip",
        healthcheck_protocol="HTTP",
        healthcheck_port="traffic-port",
        healthcheck_path="/healthz",
        healthcheck_interval_seconds=10,
        healthcheck_timeout_seconds=5,
        healthy_threshold_count=2,
        unhealthy_threshold_count=2,
        healthcheck_enabled=True,
        matcher={"HttpCode": "200"},
        tags=[],
    )
    return str(group.arn)


def _forward(groups: dict[str, str], start: str) -> dict[str, Any]:
    tuples = [{"TargetGroupArn": arn, "Weight": 100 if arch == start else 0} for arch, arn in groups.items()]
    stickiness = {"Enabled": False}
    return {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": tuples, "TargetGroupStickinessConfig": stickiness}}


def _listener(balancers: Any, balancer: str, port: int, action: dict[str, Any]) -> str:
    listener = balancers.create_listener(balancer, "HTTP", port, None, None, [deepcopy(action)], None, [])
    return str(listener.arn)


def _rule(balancers: Any, listener: str, number: int, action: dict[str, Any], tags: dict[str, str]) -> str:
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/v{number + 1}/*"]}}
    marked = [{"Key": key, "Value": value} for key, value in tags.items()]
    return str(balancers.create_rule(listener, [condition], 10 * (number + 1), [deepcopy(action)], marked).arn)
