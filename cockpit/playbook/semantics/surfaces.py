"""The AWS surfaces that are audited: something is chosen of each, and names and ARNs are of their service, Region and account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cockpit.playbook import names
from cockpit.playbook.issue import listed
from cockpit.playbook.semantics.target import repeated
from cockpit.playbook.view import Finding, View

_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"
_PATH = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}"
_SHAPES: Mapping[str, tuple[str, str, str, str]] = {
    # key: names, the service and the resource of ARNs, an example
    "launch_templates": (r"[A-Za-z0-9(]([A-Za-z0-9()._/-]{0,127})", "", "", "payments-arm64 or lt-0abcd1234ef567890"),
    "autoscaling": (r"[^:]{1,255}", "autoscaling", r"autoScalingGroup:[0-9a-f-]+:autoScalingGroupName/.+", "payments-arm64"),
    "eks": (r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "eks", r"nodegroup/[^/]+/[^/]+/[0-9a-f-]+", "graviton"),
    "karpenter": (r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", "", "", "graviton"),
    "lambda": (r"[A-Za-z0-9_-]{1,64}", "lambda", r"function:[A-Za-z0-9_-]{1,64}", "payments-webhook"),
    "ecs": (r"[A-Za-z0-9_-]{1,255}(:[0-9]{1,9})?", "ecs", r"task-definition/[A-Za-z0-9_-]{1,255}:[0-9]{1,9}", "payments-worker"),
    "rds": (r"[A-Za-z][A-Za-z0-9-]{0,62}", "rds", r"(db|cluster):[A-Za-z0-9-]{1,63}", "payments-orders"),
    "elasticache": (
        r"[A-Za-z][A-Za-z0-9-]{0,49}",
        "elasticache",
        r"(cluster|replicationgroup):[A-Za-z0-9-]{1,50}",
        "payments-sessions",
    ),
    "opensearch": (r"[a-z][a-z0-9-]{2,27}", "es", r"domain/[a-z0-9-]{3,28}", "payments-search"),
    "msk": (r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", "kafka", r"cluster/[A-Za-z0-9-]{1,64}/[0-9A-Za-z-]+", "payments-events"),
    "ecr": (_PATH, "ecr", rf"repository/{_PATH}", "payments/api"),
    "codebuild": (_PLAIN, "codebuild", rf"project/{_PLAIN}", "payments-build"),
}
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):([a-z0-9-]+):([a-z0-9-]*):([0-9]*):(.+)", re.DOTALL)


def surfaces(root: View) -> Iterator[Finding]:
    """Checks of `portability.aws`."""
    part, alb = root.get("portability", "aws"), root.get("traffic", "alb")
    if not part.there:
        return
    chosen = [key for key in _SHAPES if part.get(key).there]
    if not chosen and isinstance(part.value, dict):
        yield part.wrong("no surface is named, so that nothing would be looked at", f"name one of {listed(_SHAPES)}")
    if root.get("target", "to").text == "amd64":
        yield part.wrong("these surfaces are judged for a move to arm64 alone", "leave aws out, or write target.to: arm64")
    if chosen and not part.get("region").there and not alb.get("region").there:
        yield part.wrong("it is in no Region, as there is no traffic.alb", "add it, like `region: ap-south-1`")
    yield from _account(part.get("account"), alb.get("account"))
    for key in chosen:
        yield from _chosen(part, key, alb)


def _account(account: View, other: View) -> Iterator[Finding]:
    if account.text and other.text and account.text != other.text:
        what = f"this is another account than traffic.alb.account, {other.text}"
        yield account.wrong(what, "one playbook has one account's credentials: leave it out")


def _chosen(part: View, key: str, alb: View) -> Iterator[Finding]:
    view = part.get(key)
    if isinstance(view.value, dict) and not any(view.get(k).value for k in ("names", "prefix", "tags")):
        yield view.wrong("nothing is chosen of it", f"add names, a prefix or tags, like `names: [{_SHAPES[key][3].split()[0]}]`")
    yield from repeated(list(view.get("names").items), "list each once")
    for name in view.get("names").items:
        if name.text:
            yield from _name(name, name.text, key, part, alb)


def _name(view: View, text: str, key: str, part: View, alb: View) -> Iterator[Finding]:
    shape, service, resource, example = _SHAPES[key]
    if not text.startswith("arn:"):
        if not re.fullmatch(shape, text):
            yield view.wrong(f"this is no name that {key} has", f"write it like {example}" + (", or the ARN" if service else ""))
        return
    match = _ARN.fullmatch(text)
    if not service:
        yield view.wrong(f"{key} is named without ARNs", f"write it like {example}")
    elif not match or match.group(2) != service or not re.fullmatch(resource, match.group(5)):
        yield view.wrong(f"this ARN is of nothing that {key} looks at", f"write a name like {example}, or arn:aws:{service}:...")
    else:
        yield from _place(view, match, part, alb)


def _place(view: View, match: re.Match[str], part: View, alb: View) -> Iterator[Finding]:
    region = part.get("region").text or alb.get("region").text or ""
    account = part.get("account").text or alb.get("account").text or ""
    if re.fullmatch(names.REGION.pattern, region) and match.group(3) != region:
        yield view.wrong(f"this ARN is in {match.group(3) or 'no Region'}, the surfaces are in {region}", "use one Region")
    if re.fullmatch(names.ACCOUNT.pattern, account) and match.group(4) != account:
        yield view.wrong(
            f"this ARN is of the account {match.group(4) or '(none)'}, the surfaces are of {account}", "use one account"
        )
