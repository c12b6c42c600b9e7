"""The Query protocol of Elastic Load Balancing v2: requests as forms, answers and errors as XML."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.etree import ElementTree
from xml.sax.saxutils import escape

NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
MAX_WEIGHT = 999
MAX_GROUPS = 5
MAX_STICKINESS = 604_800
_GROUP = re.compile(r"(?:Default)?Actions\.member\.(\d+)\.ForwardConfig\.TargetGroups\.member\.(\d+)\.(TargetGroupArn|Weight)")
_DURATION = re.compile(r"(?:Default)?Actions\.member\.(\d+)\.ForwardConfig\.TargetGroupStickinessConfig\.DurationSeconds")


class AwsError(Exception):
    """An answer of the service that is an error, with its code and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def xml(self) -> str:
        """The error in the shape that SDKs parse."""
        body = f"<Type>Sender</Type><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message>"
        return f'<ErrorResponse xmlns="{NAMESPACE}"><Error>{body}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>'


def parse_form(body: str) -> dict[str, str]:
    """The request's parameters by their dotted names."""
    return dict(parse_qsl(body, keep_blank_values=True))


def check_actions(form: Mapping[str, str]) -> None:
    """Refuse what the service refuses and moto does not: weights, the number of groups, groups named twice, stickiness."""
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for name, value in form.items():
        if found := _GROUP.fullmatch(name):
            action, number, part = found.groups()
            groups.setdefault(action, {}).setdefault(number, {})[part] = value
        elif found := _DURATION.fullmatch(name):
            where = f"actions.{found.group(1)}.member.forwardConfig.targetGroupStickinessConfig.durationSeconds"
            _check_range(value, where, 1, MAX_STICKINESS)
    for action, listed in groups.items():
        _check_groups(action, listed)


def _check_groups(action: str, listed: Mapping[str, Mapping[str, str]]) -> None:
    arns = [g.get("TargetGroupArn", "") for g in listed.values()]
    if len(set(arns)) < len(arns):
        raise AwsError("ValidationError", "A target group can only be specified once in a forward action")
    if len(arns) > MAX_GROUPS:
        text = f"The maximum number of target groups of a forward action is {MAX_GROUPS}"
        raise AwsError("TooManyUniqueTargetGroupsPerLoadBalancer", text)
    for number, group in listed.items():
        if "Weight" in group:
            _check_range(
                group["Weight"], f"actions.{action}.member.forwardConfig.targetGroups.{number}.member.weight", 0, MAX_WEIGHT
            )
        elif len(listed) > 1:
            raise AwsError("ValidationError", "A weight must be specified for each target group of a forward action with several")


def _check_range(text: str, where: str, low: int, high: int) -> None:
    value = int(text) if re.fullmatch(r"-?\d+", text) else None
    if value is None:
        raise AwsError("MalformedInput", f"'{text}' at '{where}' is no whole number")
    if low <= value <= high:
        return
    limit = f"less than or equal to {high}" if value > high else f"greater than or equal to {low}"
    text = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must have value {limit}"
    raise AwsError("ValidationError", f"1 validation error detected: {text}")


def members(xml: str, path: str) -> list[ElementTree.Element]:
    """The elements at a path of plain names such as `Rules/member`, anywhere below the result."""
    root = ElementTree.fromstring(xml)  # noqa: S314 (from our own moto)
    return root.findall(".//" + "/".join(f"{{{NAMESPACE}}}{p}" for p in path.split("/")))


def text(element: ElementTree.Element, name: str) -> str:
    """The text of a child element, empty when there is none."""
    return element.findtext(f"{{{NAMESPACE}}}{name}") or ""


def weights(unit: ElementTree.Element, actions: str) -> dict[str, int]:
    """Weight by target group ARN of a rule's or listener's forward action."""
    path = "/".join(f"{{{NAMESPACE}}}{p}" for p in (actions, "member", "ForwardConfig", "TargetGroups", "member"))
    return {text(g, "TargetGroupArn"): int(text(g, "Weight") or 1) for g in unit.findall(path)}


def forward_form(weights: Mapping[str, int]) -> dict[str, str]:
    """The parameters of one forward action to these target groups."""
    form = {"Actions.member.1.Type": "forward", "Actions.member.1.Order": "1"}
    for number, (arn, weight) in enumerate(weights.items(), 1):
        group = f"Actions.member.1.ForwardConfig.TargetGroups.member.{number}"
        form |= {f"{group}.TargetGroupArn": arn, f"{group}.Weight": str(weight)}
    return form


def target_health(targets: list[tuple[str, str, str]], port: int) -> str:
    """DescribeTargetHealth's answer for targets of (address, zone, state)."""
    body = "".join(_target(address, zone, state, port) for address, zone, state in targets)
    result = f"<TargetHealthDescriptions>{body}</TargetHealthDescriptions>"
    meta = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    name = "DescribeTargetHealth"
    return f'<{name}Response xmlns="{NAMESPACE}"><{name}Result>{result}</{name}Result>{meta}</{name}Response>'


_REASONS = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
}


def _target(address: str, zone: str, state: str, port: int) -> str:
    why = "".join(
        f"<{tag}>{escape(value)}</{tag}>" for tag, value in zip(("Reason", "Description"), _REASONS.get(state, ()), strict=False)
    )
    target = f"<Id>{address}</Id><Port>{port}</Port><AvailabilityZone>{zone}</AvailabilityZone>"
    health = f"<HealthCheckPort>{port}</HealthCheckPort><TargetHealth><State>{state}</State>{why}</TargetHealth>"
    return f"<member><Target>{target}</Target>{health}</member>"
