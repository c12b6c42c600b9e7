"""Rules and target health together: whether weights may move, and what moves, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from cockpit.errors import Impossible
from cockpit.levers.weights_actions import label, last, stickiness, with_weights
from cockpit.model.arch import Arch
from cockpit.model.share import Rule, TargetGroup


@dataclass(frozen=True, slots=True)
class Balance:
    """The rules in the playbook's order (listeners first), and the target groups' health, None when it is not known."""

    rules: tuple[Rule, ...]
    targets: tuple[TargetGroup, ...] | None
    why: str = ""
    """Why the targets are not known."""


def is_set(rule: Rule, weights: Mapping[str, int]) -> bool:
    """Whether the rule gives each of these target groups exactly that weight. Zero is a weight; being absent is not."""
    return all(rule.weights.get(arn) == weight for arn, weight in weights.items())


def with_(rule: Rule, weights: Mapping[str, int]) -> Rule:
    """The rule as it would be with these weights."""
    return replace(rule, actions=with_weights(rule.actions, weights))


def share_in_words(rule: Rule, group: str) -> str:
    """`25%`, or `none` when the group is not attached or nothing has any weight."""
    share = rule.share(group)
    return "none" if share is None else f"{float(share * 100):.4g}%"


def check_health(balance: Balance, weights: Mapping[str, int], groups: Mapping[Arch, str]) -> None:
    """Raise Impossible when a target group would get a larger share while no target in it is known to be healthy."""
    for arch, arn in groups.items():
        growing = [rule for rule in balance.rules if _share(with_(rule, weights), arn) > _share(rule, arn)]
        if not growing:
            continue
        what = f"{label(growing[0])}: no traffic may be moved to {arch} (target group {last(arn)})"
        health = _health(balance, arn)
        if health is None:
            raise Impossible(f"{what}: its health is not known{_because(balance)}; read it first")
        if health.healthy < 1:
            raise Impossible(
                f"{what}: it has no healthy target ({health.unhealthy} unhealthy, {health.draining} draining); "
                "get its targets healthy first: kubectl get pods and aws elbv2 describe-target-health show why they are not"
            )


def sick(balance: Balance, group: str) -> str:
    """A warning when the target group has no target known to be healthy; else empty. It never blocks anything."""
    health = _health(balance, group)
    if health is None:
        return f"health of target group {last(group)} is not known{_because(balance)}"
    return "" if health.healthy else f"target group {last(group)} ({health.arch}) has no healthy target: requests to it will fail"


def moves(balance: Balance, weights: Mapping[str, int], arm: str) -> str:
    """The blast radius: how much of the traffic changes sides at most, and how long stickiness holds clients back."""
    shares = [(rule.share(arm), with_(rule, weights).share(arm)) for rule in balance.rules]
    most = max((abs((new or Fraction()) - (old or Fraction())) for old, new in shares), default=Fraction())
    before = " / ".join(dict.fromkeys(share_in_words(rule, arm) for rule in balance.rules))
    after = " / ".join(dict.fromkeys(share_in_words(with_(rule, weights), arm) for rule in balance.rules))
    words = f"{float(most * 100):.4g}% of traffic moves (arm64 {before} to {after})"
    held = max(map(stickiness, balance.rules), default=0.0)
    return f"{words}; sticky clients keep their target group for up to {held:.0f} s" if held else words


def _share(rule: Rule, arn: str) -> Fraction:
    return rule.share(arn) or Fraction()


def _health(balance: Balance, arn: str) -> TargetGroup | None:
    return next((group for group in balance.targets or () if group.arn == arn), None)


def _because(balance: Balance) -> str:
    return f" ({balance.why})" if balance.why else ""
