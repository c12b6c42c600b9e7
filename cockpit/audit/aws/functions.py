"""Lambda functions and their layers. A function's environment is in the answers too: it is not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from cockpit.audit.aws.asking import Aws, absent
from cockpit.audit.aws.choosing import LONGEST, Item, Tags, choose, missing, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import FUNCTION, FUNCTION_TAGS, FUNCTIONS, LAYER
from cockpit.errors import CockpitError
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.functions import Function, Layer, judge_function
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen function."""
    layers: dict[str, asyncio.Task[Layer]] = {}

    async def tags_of(item: Item) -> Tags:
        return tags((await aws.ask(FUNCTION_TAGS, Resource=item.arn)).get("Tags"))

    async def judge(item: Item) -> Verdict:
        config = item.raw or await aws.ask(FUNCTION, FunctionName=item.name)
        arns = [str(one.get("Arn", "")) for one in config.get("Layers") or ()]
        for arn in arns:
            if arn not in layers:
                layers[arn] = asyncio.ensure_future(_layer(aws, arn))
        return judge_function(_function(config, await asyncio.gather(*(layers[arn] for arn in arns))))

    if selection.searches:
        found = await aws.everything(FUNCTIONS, "Functions", MaxItems=50)
        items = [_item(one) for one in found]
    else:
        items = [one for one in await asyncio.gather(*(_named(aws, name) for name in selection.names)) if one]
    chosen = await choose(selection, items, tags_of)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


async def _named(aws: Aws, name: str) -> Item | None:
    """The function of that name; None when there is none. Where it cannot be asked for, what follows says why."""
    try:
        config = await aws.ask(FUNCTION, FunctionName=name)
    except CockpitError as error:
        return None if absent(error) else Item(name)
    return _item(config, name)


def _item(config: Mapping[str, Any], *also: str) -> Item:
    return Item(str(config.get("FunctionName", "")), str(config.get("FunctionArn", "")), also, raw=config)


async def _layer(aws: Aws, arn: str) -> Layer:
    found = await aws.ask(LAYER, Arn=arn)
    return Layer(clean(arn, LONGEST), tuple(clean(str(a), 40) for a in found.get("CompatibleArchitectures") or ()))


def _function(config: Mapping[str, Any], layers: list[Layer]) -> Function:
    archs = tuple(clean(str(a), 40) for a in config.get("Architectures") or ())
    return Function(archs, clean(str(config.get("Runtime") or ""), 80), layers, config.get("PackageType") == "Image")
