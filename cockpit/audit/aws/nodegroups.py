"""EKS managed node groups: AMI type against instance types, their health, and their groups' last launches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.autoscaling import activities
from cockpit.audit.aws.choosing import Item, Tags, choose, missing, tags
from cockpit.audit.aws.compute import Compute, Start
from cockpit.audit.aws.each import SAID, each
from cockpit.audit.aws.operations import NODE_GROUP, NODE_GROUPS
from cockpit.model.surfaces import Selection
from cockpit.redact import told
from cockpit.rules.portability.aws.launches import Activity, judge_launches
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean

_LAUNCHES = ("AsgInstanceLaunchFailures", "InstanceLimitExceeded", "Ec2LaunchTemplateInvalidConfiguration", "AmiIdNotFound")
"""Health issues that are failed launches."""


async def look(aws: Aws, selection: Selection, compute: Compute) -> list[Judged]:
    """A verdict on each chosen node group of the cluster."""
    cluster = selection.cluster
    names = await aws.everything(NODE_GROUPS, "nodegroups", clusterName=cluster)
    described: dict[str, Mapping[str, Any]] = {}

    async def describe(name: str) -> Mapping[str, Any]:
        if name not in described:
            described[name] = (await aws.ask(NODE_GROUP, clusterName=cluster, nodegroupName=name)).get("nodegroup") or {}
        return described[name]

    async def tags_of(item: Item) -> Tags:
        return tags((await describe(item.name)).get("tags"))

    async def judge(item: Item) -> Verdict:
        group = await describe(item.name)
        return await _verdict(aws, compute, group)

    items = [Item(name, also=(f"{cluster}/{name}", *_arn(selection, name)), shown=f"{cluster}/{name}") for name in names]
    chosen = await choose(selection, items, tags_of)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


def _arn(selection: Selection, name: str) -> tuple[str, ...]:
    """The ARN in the playbook that means this group: it ends in an id that a list does not tell."""
    middle = f":nodegroup/{selection.cluster}/{name}/"
    return tuple(one for one in selection.names if middle in one)


async def _verdict(aws: Aws, compute: Compute, group: Mapping[str, Any]) -> Verdict:
    spec = group.get("launchTemplate")
    template = await compute.template(spec) if spec else Start()
    types = tuple(clean(str(t), 80) for t in group.get("instanceTypes") or ()) or template.types
    kind = clean(str(group.get("amiType") or ""), 80)
    arch = _arch(kind)
    start = replace(template, ami=template.ami if not arch else kind, types=types)
    launches = await compute.launches(start, arch)
    groups = [g.get("name") for g in (group.get("resources") or {}).get("autoScalingGroups") or ()]
    lately = await asyncio.gather(*(activities(aws, str(name)) for name in groups if name))
    failed = [Activity(True, _said(i)) for i in _issues(group) if i.get("code") in _LAUNCHES]
    verdict = judge_launches(launches, [*failed, *(one for some in lately for one in some)])
    others = tuple(_said(i) for i in _issues(group) if i.get("code") not in _LAUNCHES)
    return replace(verdict, notes=(*verdict.notes, *others))


def _arch(ami_type: str) -> str:
    """The architecture in an AMI type (`AL2023_ARM_64_STANDARD`); empty for CUSTOM, whose AMI says it."""
    return "arm64" if "ARM_64" in ami_type else "x86_64" if "x86_64" in ami_type or "WINDOWS" in ami_type else ""


def _issues(group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((group.get("health") or {}).get("issues") or ())


def _said(issue: Mapping[str, Any]) -> str:
    return told(f"{issue.get('code', '')}: {issue.get('message', '')}", SAID)
