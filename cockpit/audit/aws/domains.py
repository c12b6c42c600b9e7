"""OpenSearch domains: data, master and warm nodes, and which Graviton types their engine version may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import Item, Tags, choose, missing, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import DOMAIN, DOMAIN_TAGS, DOMAIN_TYPES, DOMAINS
from cockpit.model.surfaces import Selection, Surface
from cockpit.rules.portability.aws.classes import Orderable, judge_class, needs_asking
from cockpit.rules.portability.aws.verdict import Judged, Verdict, together
from cockpit.text import clean

_A_CALL = 5


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen domain, over all its kinds of nodes."""
    listed = (await aws.ask(DOMAINS)).get("DomainNames") or ()
    names = [str(one.get("DomainName", "")) for one in listed]
    wanted = [n for n in names if selection.searches or n in _names(selection)]
    items = [_item(one) for one in await _described(aws, wanted)]

    async def tags_of(item: Item) -> Tags:
        return tags((await aws.ask(DOMAIN_TAGS, ARN=item.arn)).get("TagList"))

    async def judge(item: Item) -> Verdict:
        version = clean(str(item.raw.get("EngineVersion") or ""), 80)
        verdicts = [await _verdict(aws, what, class_, version) for what, class_ in _classes(item.raw)]
        return together(verdicts)

    chosen = await choose(selection, items, tags_of)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


def _names(selection: Selection) -> set[str]:
    return {name.rpartition("/")[2] for name in selection.names}


async def _described(aws: Aws, names: Sequence[str]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for at in range(0, len(names), _A_CALL):
        answer = await aws.ask(DOMAIN, DomainNames=list(names[at : at + _A_CALL]))
        found += answer.get("DomainStatusList") or ()
    return found


def _item(found: Mapping[str, Any]) -> Item:
    return Item(str(found.get("DomainName", "")), str(found.get("ARN", "")), raw=found)


def _classes(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The kinds of nodes that have a class to choose; warm and cold storage have none."""
    config = found.get("ClusterConfig") or {}
    kinds = [("data", config.get("InstanceType"))]
    if config.get("DedicatedMasterEnabled"):
        kinds.append(("master", config.get("DedicatedMasterType")))
    return [(what, clean(str(class_ or ""), 80)) for what, class_ in kinds]


async def _verdict(aws: Aws, what: str, class_: str, version: str) -> Verdict:
    candidates = needs_asking(Surface.OPENSEARCH, class_)
    order = await _orderable(aws, version, candidates) if candidates else None
    return judge_class(Surface.OPENSEARCH, class_, f"{what} nodes, {version}", order)


async def _orderable(aws: Aws, version: str, candidates: tuple[str, ...]) -> Orderable:
    for candidate in candidates:
        found = await aws.everything(DOMAIN_TYPES, "InstanceTypeDetails", EngineVersion=version, InstanceType=candidate)
        if any(one.get("InstanceType") == candidate for one in found):
            return Orderable(candidate)
    return Orderable(
        why=f"for {version} in this Region", remedy="upgrade the engine (Graviton needs Elasticsearch 7.9 or OpenSearch)"
    )
