"""ECS task definitions. A container's environment is in the answers too: it is not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from cockpit.audit.aws.asking import Aws, absent
from cockpit.audit.aws.choosing import LONGEST, Item, Tags, nothing, short, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import FAMILIES, TASK_DEFINITION
from cockpit.errors import CockpitError, NotFound
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.tasks import Task, judge_task
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on the newest active revision of each chosen family, or on the revision that is named."""

    async def tags_of(name: str) -> Tags:
        return tags((await _described(aws, name)).get("tags"), "key", "value")

    async def judge(item: Item) -> Verdict:
        try:
            return judge_task(_task((await _described(aws, item.name)).get("taskDefinition") or {}))
        except CockpitError as error:
            if not absent(error):
                raise
            raise NotFound(f"there is no active task definition {item.shown}", status=400) from error

    items = [Item(name, shown=short(name).removeprefix("task-definition/")) for name in selection.names]
    if selection.searches:
        found = await aws.everything(FAMILIES, "families", familyPrefix=selection.prefix, status="ACTIVE")
        tagged = await asyncio.gather(*(tags_of(f) for f in found)) if selection.tags else [selection.tags] * len(found)
        wanted = [f for f, tags_ in zip(found, tagged, strict=True) if selection.tags.items() <= tags_.items()]
        items += [Item(family, shown=clean(family, LONGEST)) for family in wanted if family not in selection.names]
        if not wanted:
            return [*await each(selection, items, judge), nothing(selection)]
    return await each(selection, items, judge)


async def _described(aws: Aws, name: str) -> Mapping[str, Any]:
    return await aws.ask(TASK_DEFINITION, taskDefinition=name, include=["TAGS"])


def _task(found: Mapping[str, Any]) -> Task:
    platform = found.get("runtimePlatform") or {}
    containers = found.get("containerDefinitions") or ()
    return Task(
        revision=clean(f"{found.get('family', '')}:{found.get('revision', '')}", LONGEST),
        cpu=clean(str(platform.get("cpuArchitecture") or ""), 40),
        system=clean(str(platform.get("operatingSystemFamily") or ""), 80),
        needs=tuple(clean(str(n), 40) for n in found.get("requiresCompatibilities") or ()),
        images=tuple(clean(str(c.get("image", "")), LONGEST) for c in containers),
    )
