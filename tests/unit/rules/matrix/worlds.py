"""Snapshots from lists of Kubernetes objects as a real API server returned them, through the cockpit's own decoding.

The registry's and the load balancer's answers are no Kubernetes objects: a world that rests on them says so (`Case.recorded`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cockpit.connections import decode, decode_limits
from cockpit.model.arch import Arch
from cockpit.model.cluster import Pod, Ref
from cockpit.model.finding import FindingKind
from cockpit.model.image import Image, asked
from cockpit.model.json import Json
from cockpit.model.playbook import Agent, Playbook
from cockpit.model.share import Rule, TargetGroup
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from tests.factories import GROUPS, PLAYBOOK, RULE
from tests.unit.rules.matrix import files
from tests.unit.rules.matrix.files import FAMILIES, Items, Obj

NOW = datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC)
AGENTS = (Ref("daemonset", "kube-system", "aws-node"), Ref("daemonset", "security", "edr-sensor"))
OTHERS = ("images", "targets", "attached")
"""What a case says that is not of Kubernetes."""
MULTI_ARCH: Mapping[str, Any] = {"index": True, "platforms": ("linux/amd64", "linux/arm64/v8")}
_CODECS: Mapping[str, tuple[str, Any]] = {
    "nodes": ("nodes", decode.NODES),
    "pods": ("pods", decode.PODS),
    "deployments": ("deployments", decode.DEPLOYMENTS),
    "daemonsets": ("daemonsets", decode.DAEMONSETS),
    "events": ("events", decode.EVENTS),
    "horizontalpodautoscalers": ("autoscalers", decode_limits.AUTOSCALERS),
    "resourcequotas": ("quotas", decode_limits.QUOTAS),
}


def playbook() -> Playbook:
    """The usual playbook, with the base world's agents."""
    return replace(PLAYBOOK, agents=tuple(Agent(ref) for ref in AGENTS), target=replace(PLAYBOOK.target, context="prod-eks"))


@dataclass(frozen=True)
class Case:
    """A world and the exact set of kinds in it; `recorded` when registry and balancer only say that all is well."""

    name: str
    why: str
    expected: frozenset[FindingKind]
    snapshot: Snapshot
    recorded: bool


def cases() -> list[Case]:
    """Every labelled world."""
    base = files.recorded_base()
    return [each for family in FAMILIES for each in _family(base, family)]


def _family(base: Mapping[str, Obj], name: str) -> Iterator[Case]:
    own = files.recorded(name)
    return (_case(base, own[case["name"]], case) for case in files.asked(name))


def _case(base: Mapping[str, Obj], own: Items, case: Mapping[str, Any]) -> Case:
    snapshot = observed(files.returned(base, own, case), case)
    kinds = frozenset(map(FindingKind, case["expected"]))
    return Case(case["name"], case["why"], kinds, snapshot, case.keys().isdisjoint(OTHERS))


def observed(lists: Mapping[str, Obj], case: Mapping[str, Any]) -> Snapshot:
    """What the cockpit makes of these lists, by resource."""
    found: dict[str, Any] = {name: {} for name, _ in _CODECS.values()}
    for resource, whole in lists.items():
        name, codec = _CODECS[resource]
        for value in codec.page(json.dumps(whole).encode()).items:
            namespace = getattr(value, "namespace", "")
            found[name][f"{namespace}/{value.name}" if namespace else value.name] = value
    events = tuple(sorted(found.pop("events").values(), key=lambda e: (e.time, e.name)))
    # The API gives all of a namespace; the source asks for the target's only.
    found["autoscalers"] = {k: v for k, v in found["autoscalers"].items() if k.startswith("payments/")}
    return Snapshot(
        seq=1,
        time=NOW,
        monotonic=1000.0,
        sources={name: SourceState(Freshness.LIVE, 0.5) for name in SourceName},
        events=events,
        images={i.reference: i for i in _images(found["pods"].values(), case.get("images", {}))},
        rules={RULE: _rule(case.get("attached", [str(a) for a in Arch]))},
        targets={arn: _group(arch, case.get("targets", {}).get(arch, (3, 0, 0))) for arch, arn in GROUPS.items()},
        **found,
    )


def _images(pods: Iterable[Pod], told: Mapping[str, Mapping[str, Any]]) -> Iterator[Image]:
    """The registry's answer for each image that is asked about: what the case says of it or of its tag, else one for all."""
    for container in (c for pod in pods for c in pod.containers):
        reference = asked(container)
        yield Image(reference, **(told.get(reference) or told.get(container.image) or MULTI_ARCH))


def _rule(attached: Iterable[str]) -> Rule:
    groups: list[Json] = [{"TargetGroupArn": GROUPS[Arch(arch)], "Weight": 50} for arch in attached]
    return Rule(RULE, False, ({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}},))


def _group(arch: Arch, counts: Iterable[int]) -> TargetGroup:
    healthy, unhealthy, draining = counts
    return TargetGroup(GROUPS[arch], f"payments-{arch}", arch, healthy, unhealthy, draining)
