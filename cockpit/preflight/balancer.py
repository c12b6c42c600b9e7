"""The load balancer: both target groups in every rule, targets that are healthy, and nobody else who sets the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from cockpit.connections.aws import Elb
from cockpit.errors import CockpitError
from cockpit.levers.weights_actions import ORIGINAL
from cockpit.model.arch import Arch
from cockpit.model.check import Check, Result
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule, TargetGroup
from cockpit.preflight.look import Look, failed, refused
from cockpit.text import clean

CONTROLLER_TAGS = ("ingress.k8s.aws/stack", "ingress.k8s.aws/resource", "elbv2.k8s.aws/cluster")
"""What the AWS Load Balancer Controller tags its listeners and rules with; it sets them back to what its Ingress says."""
WRITES = ("ModifyRule", "ModifyListener", "AddTags", "RemoveTags")


async def balancer(alb: Alb, elb: Elb, serving: Arch) -> Look:
    """The rules and the targets behind them; `serving` is the architecture that serves now."""
    rules, targets = await asyncio.gather(_rules(alb, elb), _targets(alb, elb))
    faults = [check for rule in rules for check in _rule(alb, rule)]
    if alb.ingress and not rules:
        why = "no rule of a load balancer forwards to both target groups, so nothing would prove that the Ingress is followed"
        faults = [refused("rules", f"{why}: write both into its action first, the new one at weight 0")]
    whole = Check("rules", Result.PASS, f"{len(rules)} with both target groups")
    # By reading alone nobody can tell whether a write will be allowed.
    unasked = Check("AWS writes", Result.NOT_CHECKED, ", ".join(f"elasticloadbalancing:{action}" for action in WRITES))
    health = [targets] if isinstance(targets, Check) else list(_health(targets, serving))
    return Look((*(faults or [whole]), *health, unasked), any(ORIGINAL in rule.tags for rule in rules))


async def _rules(alb: Alb, elb: Elb) -> tuple[Rule, ...]:
    if alb.ingress:
        return await elb.attached(tuple(alb.target_groups.values()))
    return await elb.rules(alb.listeners, alb.rules)


async def _targets(alb: Alb, elb: Elb) -> tuple[TargetGroup, ...] | Check:
    try:
        return await elb.target_groups(alb.target_groups)
    except CockpitError as fault:
        return failed("targets", fault)


def _rule(alb: Alb, rule: Rule) -> Iterator[Check]:
    for arch, group in alb.target_groups.items():
        if group not in rule.weights:
            yield refused(
                "rules",
                f"the {arch} target group is not in {rule.arn}: attach both groups to the rule first, "
                "the new one at weight 0 (a group in no rule has no health checks)",
            )
    owned = [f"{key}={clean(rule.tags[key], 80)}" for key in CONTROLLER_TAGS if key in rule.tags]
    if owned and alb.ingress is None:
        yield refused(
            "rules",
            f"the AWS Load Balancer Controller sets {rule.arn} back ({', '.join(owned)}): "
            "move the weights through its Ingress instead, with traffic.alb.ingress in place of listeners and rules",
        )


def _health(targets: Sequence[TargetGroup], serving: Arch) -> Iterator[Check]:
    for group in targets:
        if group.healthy:
            yield Check("targets", Result.PASS, f"{group.name} ({group.arch}): {group.healthy} healthy")
        elif group.arch == serving:
            yield refused("targets", f"{group.name} ({group.arch}) has no healthy target, so there is nothing to go back to")
        else:
            words = f"{group.name} ({group.arch}) has no healthy target yet; no traffic is shifted to it until it has one"
            yield Check("targets", Result.WARN, words)
