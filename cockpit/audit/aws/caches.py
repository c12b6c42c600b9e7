"""ElastiCache: replication groups and single clusters, and which Graviton node type they may be changed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import Item, Tags, choose, missing, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import CACHE_CLUSTERS, CACHE_OFFERINGS, CACHE_TAGS, CACHE_TYPES, REPLICATION_GROUPS
from cockpit.model.surfaces import Selection, Surface
from cockpit.rules.portability.aws.classes import Orderable, judge_class, needs_asking
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean

_UPGRADE = "upgrade the engine first (Graviton nodes need Redis OSS 5.0.6, Memcached 1.5.16 or later), or move to a new cluster"


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen replication group, and on each cluster that is in none."""
    groups = await aws.everything(REPLICATION_GROUPS, "ReplicationGroups", MaxRecords=100)
    clusters = await aws.everything(CACHE_CLUSTERS, "CacheClusters", MaxRecords=100)
    members = {str(c.get("CacheClusterId")): c for c in clusters}
    single = [c for c in clusters if not c.get("ReplicationGroupId")]
    items = [_group(one, members) for one in groups] + [_single(one) for one in single]

    async def tags_of(item: Item) -> Tags:
        return tags((await aws.ask(CACHE_TAGS, ResourceName=item.arn)).get("TagList"))

    async def judge(item: Item) -> Verdict:
        class_ = clean(str(item.raw.get("CacheNodeType") or ""), 80)
        engine = clean(f"{item.raw.get('Engine') or 'redis'} {item.raw.get('EngineVersion') or ''}".strip(), 80)
        candidates = needs_asking(Surface.ELASTICACHE, class_)
        order = await _orderable(aws, item.raw, candidates) if candidates else None
        return judge_class(Surface.ELASTICACHE, class_, engine, order)

    chosen = await choose(selection, items, tags_of)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


def _group(found: Mapping[str, Any], members: Mapping[str, Mapping[str, Any]]) -> Item:
    """A replication group; its engine's version is its members'."""
    ids = tuple(str(one) for one in found.get("MemberClusters") or ())
    first: Mapping[str, Any] = next((members[one] for one in ids if one in members), {})
    told = {key: first[key] for key in ("CacheNodeType", "Engine", "EngineVersion") if first.get(key)}
    raw = {**told, **{k: v for k, v in found.items() if v}}
    return Item(str(found.get("ReplicationGroupId", "")), str(found.get("ARN", "")), ids, raw=raw)


def _single(found: Mapping[str, Any]) -> Item:
    return Item(str(found.get("CacheClusterId", "")), str(found.get("ARN", "")), raw=found)


async def _orderable(aws: Aws, found: Mapping[str, Any], candidates: tuple[str, ...]) -> Orderable:
    allowed = await _changes(aws, found)
    if ready := next((c for c in candidates if c in allowed), ""):
        return Orderable(ready)
    offered = [c for c in candidates if await _offered(aws, c)]
    if not offered:
        return Orderable(why="in this Region", remedy="use another Region or profile, or keep it on x86 and waive it")
    if found.get("Engine") == "memcached":
        return Orderable(offered[0], "a Memcached cluster is replaced, not changed", _replace(offered[0]), can_be_asked=False)
    return Orderable(why=f"{offered[0]} is offered here, but not as a change of this cluster", remedy=_UPGRADE)


async def _changes(aws: Aws, found: Mapping[str, Any]) -> set[str]:
    """The node types that the service would change a cluster to; Memcached has no such changes."""
    if found.get("Engine") == "memcached":
        return set()
    key = "ReplicationGroupId" if found.get("ReplicationGroupId") else "CacheClusterId"
    answer = await aws.ask(CACHE_TYPES, **{key: found.get(key)})
    return {*(answer.get("ScaleUpModifications") or ()), *(answer.get("ScaleDownModifications") or ())}


async def _offered(aws: Aws, class_: str) -> bool:
    answer = await aws.ask(CACHE_OFFERINGS, CacheNodeType=class_, MaxRecords=20)
    return any(one.get("CacheNodeType") == class_ for one in answer.get("ReservedCacheNodesOfferings") or ())


def _replace(class_: str) -> str:
    return f"make a cluster of {class_} beside it (Memcached 1.5.16 or later) and point clients there: it starts empty"
