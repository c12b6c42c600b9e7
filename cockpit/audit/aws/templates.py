"""Launch templates by themselves: the default version's AMI against its instance type."""

from __future__ import annotations

from dataclasses import replace

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import Item, choose, missing, tags
from cockpit.audit.aws.compute import Compute
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import TEMPLATES
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.launches import judge_launches
from cockpit.rules.portability.aws.verdict import Judged, Verdict


async def look(aws: Aws, selection: Selection, compute: Compute) -> list[Judged]:
    """A verdict on each chosen template. One that names no type leaves it to the group that uses it."""
    found = await aws.everything(TEMPLATES, "LaunchTemplates", MaxResults=200)
    items = [
        Item(str(t.get("LaunchTemplateName", "")), also=(str(t.get("LaunchTemplateId", "")),), tags=tags(t.get("Tags")), raw=t)
        for t in found
    ]

    async def judge(item: Item) -> Verdict:
        start = await compute.template({"LaunchTemplateId": item.raw.get("LaunchTemplateId")})
        return judge_launches(await compute.launches(replace(start, by_attributes=not start.types)))

    chosen = await choose(selection, items)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]
