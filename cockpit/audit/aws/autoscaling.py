"""Auto Scaling groups: what they would launch, and how their last launches went."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import Item, choose, missing, tags
from cockpit.audit.aws.compute import Compute, Start, start
from cockpit.audit.aws.each import SAID, each
from cockpit.audit.aws.operations import ACTIVITIES, CONFIGURATIONS, GROUPS
from cockpit.model.surfaces import Selection
from cockpit.redact import told
from cockpit.rules.portability.aws.launches import Activity, Launch, judge_launches
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean

FRESH = timedelta(days=1)
"""A failed launch older than this says nothing of today: a group that still fails tries again all the time."""
_NEWEST = 50


async def look(aws: Aws, selection: Selection, compute: Compute) -> list[Judged]:
    """A verdict on each chosen group."""
    found = await aws.everything(GROUPS, "AutoScalingGroups", MaxRecords=100)
    items = [
        Item(str(g.get("AutoScalingGroupName", "")), str(g.get("AutoScalingGroupARN", "")), tags=tags(g.get("Tags")), raw=g)
        for g in found
    ]

    async def judge(item: Item) -> Verdict:
        launches = [launch async for launch in _launches(aws, compute, item.raw)]
        return judge_launches(launches, await activities(aws, item.name))

    chosen = await choose(selection, items)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


async def activities(aws: Aws, group: str) -> list[Activity]:
    """The newest launches of a group that have ended and are fresh, the newest first."""
    answer = await aws.ask(ACTIVITIES, AutoScalingGroupName=group, MaxRecords=_NEWEST)
    return [_activity(one) for one in answer.get("Activities") or () if _is_launch(one) and _is_fresh(aws, one)]


async def _launches(aws: Aws, compute: Compute, group: Mapping[str, Any]) -> AsyncIterator[Launch]:
    if name := group.get("LaunchConfigurationName"):
        answer = await aws.ask(CONFIGURATIONS, LaunchConfigurationNames=[name])
        for data in answer.get("LaunchConfigurations") or ():
            for launch in await compute.launches(start(data)):
                yield launch
        return
    policy = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    spec = policy.get("LaunchTemplateSpecification") or group.get("LaunchTemplate")
    if not spec:
        return
    base = await compute.template(spec)
    overrides = policy.get("Overrides") or ()
    for begun in [await _overridden(compute, base, one) for one in overrides] or [base]:
        for launch in await compute.launches(begun):
            yield launch


async def _overridden(compute: Compute, base: Start, override: Mapping[str, Any]) -> Start:
    spec = override.get("LaunchTemplateSpecification")
    own = await compute.template(spec) if spec else base
    if ami := override.get("ImageId"):
        own = replace(own, ami=str(ami))
    if named := override.get("InstanceType"):
        return replace(own, types=(clean(str(named), 80),), by_attributes=False)
    return replace(own, types=(), by_attributes=True) if override.get("InstanceRequirements") else own


def _is_launch(found: Mapping[str, Any]) -> bool:
    return "launching" in str(found.get("Description", "")).lower() and found.get("StatusCode") in ("Successful", "Failed")


def _is_fresh(aws: Aws, found: Mapping[str, Any]) -> bool:
    began = found.get("StartTime")
    return began is None or aws.now() - began.astimezone(UTC) < FRESH


def _activity(found: Mapping[str, Any]) -> Activity:
    said = found.get("StatusMessage") or found.get("Description") or ""
    return Activity(found.get("StatusCode") == "Failed", told(str(said), SAID))
