"""CodeBuild projects' environments. Their environment variables are in the answers too: they are not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import LONGEST, Item, choose, missing, short, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import PROJECT, PROJECTS
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.builds import Environment, judge_build
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean

_A_CALL = 100


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen project."""
    wanted = [short(name).removeprefix("project/") for name in selection.names]
    if selection.searches:
        listed = await aws.everything(PROJECTS, "projects")
        wanted += [str(name) for name in listed if str(name).startswith(selection.prefix) and name not in wanted]
    found: list[Mapping[str, Any]] = []
    for at in range(0, len(wanted), _A_CALL):
        found += (await aws.ask(PROJECT, names=wanted[at : at + _A_CALL])).get("projects") or ()
    items = [Item(str(p.get("name", "")), str(p.get("arn", "")), tags=tags(p.get("tags"), "key", "value"), raw=p) for p in found]

    async def judge(item: Item) -> Verdict:
        environment = item.raw.get("environment") or {}
        return judge_build(
            Environment(clean(str(environment.get("type") or ""), 80), clean(str(environment.get("image") or ""), LONGEST))
        )

    chosen = await choose(selection, items)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]
