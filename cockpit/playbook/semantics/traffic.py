"""The load balancer: what is moved, and that every ARN is of one Region and account."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cockpit.playbook import names
from cockpit.playbook.issue import show
from cockpit.playbook.semantics.target import repeated
from cockpit.playbook.view import Finding, View

_SHAPES = (("listeners", names.LISTENER), ("rules", names.RULE))


def traffic(root: View) -> Iterator[Finding]:
    """Checks of `traffic.alb`."""
    alb = root.get("traffic", "alb")
    if not isinstance(alb.value, dict):
        return
    lists = [alb.get(key) for key, _ in _SHAPES]
    empty = all(view.value == [] or not alb.has(key) for view, (key, _) in zip(lists, _SHAPES, strict=True))
    if alb.get("ingress").there:
        yield from _ingress(alb, empty=empty)
    elif empty:
        yield alb.wrong(
            "neither listeners nor rules are listed, so nothing could be moved",
            "list at least one ARN in listeners or rules, or say ingress where the AWS Load Balancer Controller owns them",
        )
    for view in lists:
        yield from repeated(list(view.items), "list each ARN once")
    groups = [alb.get("target_groups", arch) for arch in ("amd64", "arm64")]
    if groups[0].text and groups[0].text == groups[1].text:
        yield groups[1].wrong(
            "both architectures have the same target group", "each architecture needs a target group of its own"
        )
    yield from _agreement(alb, _arns(alb, groups))


def _ingress(alb: View, *, empty: bool) -> Iterator[Finding]:
    ingress = alb.get("ingress")
    if not empty:
        what = "rules that an Ingress owns are set by its controller, which sets back what is written to listed ones"
        yield ingress.wrong(what, "remove listeners and rules, or remove ingress where no controller owns them")
    services = [ingress.get("services", arch) for arch in ("amd64", "arm64")]
    if services[0].text and services[0].text == services[1].text:
        yield services[1].wrong("both architectures have the same Service", "each architecture needs a Service of its own")


def _arns(alb: View, groups: list[View]) -> list[View]:
    """The ARNs that are of the right shape."""
    shaped = [(group, names.TARGET_GROUP) for group in groups]
    shaped += [(item, shape) for key, shape in _SHAPES for item in alb.get(key).items]
    return [view for view, shape in shaped if _shaped(view, shape)]


def _agreement(alb: View, arns: list[View]) -> Iterator[Finding]:
    account = alb.get("account")
    region, owned = _shaped(alb.get("region"), names.REGION), _shaped(account, names.ACCOUNT)
    owner = f"{show(account.path)} is" if owned else f"{show(arns[0].path)} is of" if arns else ""
    for arn in arns:
        if region and _part(arn, 3) != region:
            what = f"this ARN is in {_part(arn, 3)}, traffic.alb.region is {region}"
            yield arn.wrong(what, "one playbook moves one load balancer: use one Region")
        if _part(arn, 4) != (owned or _part(arns[0], 4)):
            what = f"this ARN is of the account {_part(arn, 4)}, {owner} {owned or _part(arns[0], 4)}"
            yield arn.wrong(what, "use one account")


def _shaped(view: View, shape: names.Shape) -> str:
    return view.text if view.text and re.fullmatch(shape.pattern, view.text) else ""


def _part(arn: View, index: int) -> str:
    return (arn.text or "").split(":")[index]
