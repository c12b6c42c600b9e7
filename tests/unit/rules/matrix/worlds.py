"""Snapshots from Kubernetes objects as the API returns them, through the cockpit's own decoding.

`objects/base.json` is a healthy world; a case replaces or adds objects, takes some away (`absent`), and says what the registry
and the load balancer know. Statuses and messages are worded as kubelet, containerd, runc, CRI-O, scheduler and controllers
word them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cockpit.connections import decode, decode_limits
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.finding import FindingKind
from cockpit.model.image import Image
from cockpit.model.json import Json
from cockpit.model.playbook import Agent, Playbook
from cockpit.model.share import Rule, TargetGroup
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from tests.factories import GROUPS, PLAYBOOK, RULE

OBJECTS = Path(__file__).with_name("objects")
FAMILIES = ("binaries", "scheduling", "agents", "rollouts", "places")
NOW = datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC)
AGENTS = (Ref("daemonset", "kube-system", "aws-node"), Ref("daemonset", "security", "edr-sensor"))
_CODECS: Mapping[str, tuple[str, Any]] = {
    "Node": ("nodes", decode.NODES),
    "Pod": ("pods", decode.PODS),
    "Deployment": ("deployments", decode.DEPLOYMENTS),
    "DaemonSet": ("daemonsets", decode.DAEMONSETS),
    "Event": ("events", decode.EVENTS),
    "HorizontalPodAutoscaler": ("autoscalers", decode_limits.AUTOSCALERS),
    "ResourceQuota": ("quotas", decode_limits.QUOTAS),
}


def playbook() -> Playbook:
    """The usual playbook, with the base world's agents."""
    return replace(PLAYBOOK, agents=tuple(Agent(ref) for ref in AGENTS), target=replace(PLAYBOOK.target, context="prod-eks"))


@dataclass(frozen=True)
class Case:
    """A world and the exact set of kinds that are in it."""

    name: str
    why: str
    expected: frozenset[FindingKind]
    snapshot: Snapshot


def cases() -> list[Case]:
    """Every labelled world."""
    base = json.loads((OBJECTS / "base.json").read_text())
    return [_case(base, each) for family in FAMILIES for each in json.loads((OBJECTS / f"{family}.json").read_text())]


def _case(base: list[dict[str, Any]], case: Mapping[str, Any]) -> Case:
    objects = {_key(o): o for o in [*base, *case["objects"]]}
    for key in case.get("absent", ()):
        del objects[key]
    snapshot = observed(objects.values(), case)
    return Case(case["name"], case["why"], frozenset(map(FindingKind, case["expected"])), snapshot)


def _key(of: Mapping[str, Any]) -> str:
    meta = of["metadata"]
    return "/".join(part for part in (of["kind"], meta.get("namespace"), meta["name"]) if part)


def observed(objects: Iterable[Mapping[str, Any]], case: Mapping[str, Any]) -> Snapshot:
    """What the cockpit makes of these objects."""
    found: dict[str, Any] = {name: {} for name, _ in _CODECS.values()}
    for each in objects:
        name, codec = _CODECS[each["kind"]]
        value = codec.one(json.dumps(each).encode())
        namespace = each["metadata"].get("namespace")
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
        images={ref: Image(ref, **facts) for ref, facts in case.get("images", {}).items()},
        rules={RULE: _rule(case.get("attached", [str(a) for a in Arch]))},
        targets={arn: _group(arch, case.get("targets", {}).get(arch, (3, 0, 0))) for arch, arn in GROUPS.items()},
        **found,
    )


def _rule(attached: Iterable[str]) -> Rule:
    groups: list[Json] = [{"TargetGroupArn": GROUPS[Arch(arch)], "Weight": 50} for arch in attached]
    return Rule(RULE, False, ({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}},))


def _group(arch: Arch, counts: Iterable[int]) -> TargetGroup:
    healthy, unhealthy, draining = counts
    return TargetGroup(GROUPS[arch], f"payments-{arch}", arch, healthy, unhealthy, draining)
