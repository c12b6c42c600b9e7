"""Rules and target health together: whether weights may move, and what moves, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cockpit.errors import Impossible
from cockpit.levers.weights_actions import ORIGINAL, comparable, label, last, stickiness, with_weights
from cockpit.model.arch import Arch
from cockpit.model.json import Json, canonical, digest
from cockpit.model.plan import Mark
from cockpit.model.share import Rule, TargetGroup
from cockpit.text import clean

CONTROLLER = "elbv2.k8s.aws/cluster"
STACK = "ingress.k8s.aws/stack"
"""Tags that the AWS Load Balancer Controller puts on what it owns: its cluster, and the Ingress or group of Ingresses."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The rules in the playbook's order (listeners first), and the target groups' health, None when it is not known."""

    rules: tuple[Rule, ...]
    targets: tuple[TargetGroup, ...] | None
    why: str = ""
    """Why the targets are not known."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Rules and listeners (ARNs) that could not be read, with the reason: whoever goes back does so with the others."""


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


def growing(rule: Rule, weights: Mapping[str, int]) -> list[str]:
    """The target groups that get a larger share of the rule by these weights."""
    return [arn for arn in weights if _share(with_(rule, weights), arn) > _share(rule, arn)]


def returning(rule: Rule, weights: Mapping[str, int], arm: str) -> list[Json]:
    """What must be healthy for an undo that sets these weights: arm64's target group `arm`, where it gets a larger share again.

    Somebody else may have given it that, and its targets may have gone since. x86 is home: there nobody asks.
    """
    return [arm] if arm in growing(rule, weights) else []


def demand_healthy(what: str, groups: Sequence[str], targets: Iterable[TargetGroup]) -> None:
    """Raise Impossible when one of these target groups, which are about to get more traffic, has no healthy target any more."""
    for group in targets:
        if group.arn in groups and group.healthy < 1:
            raise Impossible(
                f"{what}: target group {last(group.arn)} ({group.arch}) has lost its last healthy target since this was planned "
                f"({group.unhealthy} unhealthy, {group.draining} draining); nothing was written"
            )


def check_health(balance: Balance, weights: Mapping[str, int], groups: Mapping[Arch, str]) -> None:
    """Raise Impossible when a target group would get a larger share while no target in it is known to be healthy."""
    for arch, arn in groups.items():
        more = [rule for rule in balance.rules if arn in growing(rule, weights)]
        if not more:
            continue
        what = f"{label(more[0])}: no traffic may be moved to {arch} (target group {last(arn)})"
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


def mark(rule: Rule, groups: Mapping[Arch, str], *, keeps: bool = True) -> Mark:
    """What is owned of a rule: its action list, which a write replaces, and the record of the original if it `keeps` that."""
    recorded = rule.tags.get(ORIGINAL)
    value = canonical([comparable(rule.actions), recorded])
    weights = ", ".join(f"{arch} {rule.weights.get(arn, 'detached')}" for arch, arn in sorted(groups.items(), reverse=True))
    kept = weights if recorded or not keeps else f"{weights}, without the record of the original"
    return Mark(label(rule), value, f"{kept} [{digest(value)[:6]}]", changed_by(rule))


def changed_by(rule: Rule) -> str:
    """Who sets this rule: a load balancer tells nobody but by the tags of a controller; its account's trail does."""
    if cluster := rule.tags.get(CONTROLLER):
        of = clean(f"{rule.tags.get(STACK, '?')} in cluster {cluster}", 200)
        owner = f"the AWS Load Balancer Controller owns it, by its tags (Ingress {of}); "
    else:
        owner = ""
    look_up = f"--lookup-attributes AttributeKey=ResourceName,AttributeValue={clean(rule.arn, 300)}"
    return f"{owner}not known: CloudTrail knows (aws cloudtrail lookup-events {look_up})"


def _share(rule: Rule, arn: str) -> Fraction:
    return rule.share(arn) or Fraction()


def _health(balance: Balance, arn: str) -> TargetGroup | None:
    return next((group for group in balance.targets or () if group.arn == arn), None)


def _because(balance: Balance) -> str:
    return f" ({balance.why})" if balance.why else ""
