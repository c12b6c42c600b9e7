"""Weights inside a load balancer rule's action list: reading, setting, comparing and keeping them in a tag. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence

from cockpit.errors import Impossible
from cockpit.model.json import Json, canonical
from cockpit.model.share import Rule
from cockpit.text import clean

ORIGINAL = "cutover-cockpit/original-weights"
EPOCH = "cutover-cockpit/epoch"
"""The tag with the epoch of the controls under which the weights were written last."""
HEAVIEST = 999
MOST_GROUPS = 5
_RECORD = re.compile(r"(?P<id>[A-Za-z0-9-]+)=(?P<weight>[0-9]{1,3})")

Actions = tuple[Mapping[str, Json], ...]


def label(rule: Rule) -> str:
    """A short name for people: `listener <id>` for a default rule, else `rule <id>`."""
    return f"{'listener' if rule.is_default else 'rule'} {last(rule.arn)}"


def last(arn: str) -> str:
    """The id at the end of an ARN."""
    return clean(arn.rpartition("/")[2], 64)


def sendable(actions: Sequence[Mapping[str, Json]]) -> Actions:
    """The actions as they can be sent back: an OIDC action's client secret is never read, so the existing one is kept."""
    return tuple(_without_secret(action) for action in actions)


def same(left: Sequence[Mapping[str, Json]], right: Sequence[Mapping[str, Json]]) -> bool:
    """Equal but for what a load balancer never returns, and for the order of target groups, which means nothing."""
    return canonical(comparable(left)) == canonical(comparable(right))


def comparable(actions: Sequence[Mapping[str, Json]]) -> list[Json]:
    """The actions in the form in which `same` compares them."""
    result: list[Json] = []
    for action in copy.deepcopy([dict(a) for a in sendable(actions)]):
        oidc = action.get("AuthenticateOidcConfig")
        if isinstance(oidc, dict):
            oidc.pop("UseExistingClientSecret", None)
        groups = _groups(action)
        groups.sort(key=lambda g: str(g.get("TargetGroupArn")) if isinstance(g, dict) else "")
        result.append(action)
    return result


def check(rule: Rule, weights: Mapping[str, int]) -> None:
    """Raise Impossible, with the way out, unless exactly `weights` (by target group ARN) can be set in this rule's action."""
    what = f"{label(rule)}: the weights cannot be set"
    forwards = [action for action in rule.actions if action.get("Type") == "forward"]
    if len(forwards) != 1:
        raise Impossible(f"{what}: it has {len(forwards) or 'no'} forward actions; give it exactly one, to both target groups")
    if rule.weights and not any(rule.weights.values()):
        raise Impossible(f"{what}: all of its weights are zero, so there is nothing to go back to; give it some first")
    if len(rule.weights) > MOST_GROUPS:
        raise Impossible(
            f"{what}: its action has {len(rule.weights)} target groups; the load balancer takes at most {MOST_GROUPS}"
        )
    for group in weights:
        if group not in rule.weights:
            raise Impossible(
                f"{what}: target group {last(group)} is not in its forward action; attach both at weight 0 first, "
                "because a target group in no rule has no health checks"
            )


def check_weights(weights: Mapping[str, int]) -> None:
    """Raise Impossible unless each weight is an integer from 0 to 999 and not all are zero."""
    for name, weight in weights.items():
        if isinstance(weight, bool) or not 0 <= weight <= HEAVIEST:
            raise Impossible(f"weight {weight} for {name}: a weight is an integer from 0 to {HEAVIEST}")
    if not any(weights.values()):
        raise Impossible("all weights are zero: nothing would get traffic; give at least one a weight above zero")


def with_weights(actions: Sequence[Mapping[str, Json]], weights: Mapping[str, int]) -> Actions:
    """The actions with the Weight of exactly these target groups changed, in place and in order."""
    result = copy.deepcopy([dict(action) for action in actions])
    for action in result:
        if action.get("Type") == "forward":
            for group in _groups(action):
                if isinstance(group, dict) and (arn := group.get("TargetGroupArn")) in weights:
                    group["Weight"] = weights[str(arn)]
    return tuple(result)


def record(rule: Rule) -> str:
    """The tag value that keeps a rule's weights: `<id>=<weight>` of each group in the action's order, 256 characters at most."""
    return " ".join(f"{last(arn)}={weight}" for arn, weight in rule.weights.items())


def recorded(rule: Rule, groups: Sequence[str]) -> Mapping[str, int]:
    """The weights of `groups` that the rule's tag keeps. Impossible when it keeps none or a group has left the action."""
    text = rule.tags.get(ORIGINAL, "")
    kept = {m["id"]: int(m["weight"]) for m in map(_RECORD.fullmatch, text.split()) if m}
    found = {arn: kept[last(arn)] for arn in groups if last(arn) in kept and arn in rule.weights}
    if len(found) < len(groups):
        raise Impossible(
            f"{label(rule)}: its tag {ORIGINAL} ({clean(text, 80)!r}) does not give back the weights of both target groups; "
            "set them by hand (aws elbv2 modify-rule or modify-listener) and remove the tag"
        )
    if not any({**rule.weights, **found}.values()):
        raise Impossible(
            f"{label(rule)}: its tag {ORIGINAL} ({clean(text, 80)!r}) would leave every weight zero, and nobody served; "
            "set the weights by hand (aws elbv2 modify-rule or modify-listener) and remove the tag"
        )
    return found


def stickiness(rule: Rule) -> float:
    """Seconds for which the action binds a client to its target group, 0 when it does not."""
    for action in rule.actions:
        config = action.get("ForwardConfig")
        sticky = config.get("TargetGroupStickinessConfig") if isinstance(config, dict) else None
        if isinstance(sticky, dict) and sticky.get("Enabled") is True:
            seconds = sticky.get("DurationSeconds")
            return float(seconds) if isinstance(seconds, int) else 0.0
    return 0.0


def _groups(action: Mapping[str, Json]) -> list[Json]:
    config = action.get("ForwardConfig")
    groups = config.get("TargetGroups") if isinstance(config, dict) else None
    return groups if isinstance(groups, list) else []


def _without_secret(action: Mapping[str, Json]) -> dict[str, Json]:
    oidc = action.get("AuthenticateOidcConfig")
    if not isinstance(oidc, dict):
        return dict(action)
    kept: dict[str, Json] = {key: value for key, value in oidc.items() if key != "ClientSecret"}
    return {**action, "AuthenticateOidcConfig": {**kept, "UseExistingClientSecret": True}}
