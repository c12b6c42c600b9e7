"""RDS and Aurora: DB instances, Multi-AZ DB clusters, and which Graviton class RDS would take an order for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import Item, choose, missing, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import DATABASE_CLUSTERS, DATABASE_ORDERABLE, DATABASES
from cockpit.model.surfaces import Selection, Surface
from cockpit.rules.portability.aws.classes import Orderable, judge_class, needs_asking
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.rules.portability.aws.versions import earliest
from cockpit.text import clean


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen instance, those of a chosen cluster among them, and on clusters that have a class themselves."""
    instances = await aws.everything(DATABASES, "DBInstances", MaxRecords=100)
    clusters = await aws.everything(DATABASE_CLUSTERS, "DBClusters", MaxRecords=100)
    arns = {str(c.get("DBClusterIdentifier")): str(c.get("DBClusterArn", "")) for c in clusters}
    items = [_instance(one, arns) for one in instances] + [_cluster(one) for one in clusters if _own_class(one)]

    async def judge(item: Item) -> Verdict:
        return await _verdict(aws, item.raw)

    chosen = await choose(selection, items)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


def _instance(found: Mapping[str, Any], clusters: Mapping[str, str]) -> Item:
    cluster = str(found.get("DBClusterIdentifier") or "")
    also = (cluster, clusters.get(cluster, "")) if cluster else ()
    name, arn = str(found.get("DBInstanceIdentifier", "")), str(found.get("DBInstanceArn", ""))
    return Item(name, arn, tuple(a for a in also if a), tags(found.get("TagList")), found, used_by=(cluster,) if cluster else ())


def _cluster(found: Mapping[str, Any]) -> Item:
    serverless = found.get("EngineMode") == "serverless"
    raw = {**found, "DBInstanceClass": "db.serverless" if serverless else found.get("DBClusterInstanceClass")}
    return Item(
        str(found.get("DBClusterIdentifier", "")), str(found.get("DBClusterArn", "")), tags=tags(found.get("TagList")), raw=raw
    )


def _own_class(cluster: Mapping[str, Any]) -> bool:
    return bool(cluster.get("DBClusterInstanceClass")) or cluster.get("EngineMode") == "serverless"


async def _verdict(aws: Aws, found: Mapping[str, Any]) -> Verdict:
    class_ = clean(str(found.get("DBInstanceClass") or ""), 80)
    engine, version = (clean(str(found.get(key) or ""), 80) for key in ("Engine", "EngineVersion"))
    candidates = needs_asking(Surface.RDS, class_)
    order = await _orderable(aws, found, engine, version, candidates) if candidates else None
    return judge_class(Surface.RDS, class_, f"{engine} {version}", order)


async def _orderable(aws: Aws, found: Mapping[str, Any], engine: str, version: str, candidates: tuple[str, ...]) -> Orderable:
    for candidate in candidates:
        options = await _options(aws, candidate, Engine=engine, EngineVersion=version)
        if any(_fits(option, found) for option in options):
            return Orderable(candidate)
        if options:
            return Orderable(why=f"{candidate} is, but not with this storage type or Multi-AZ", remedy="change the storage first")
    return await _later(aws, engine, version, candidates)


async def _later(aws: Aws, engine: str, version: str, candidates: tuple[str, ...]) -> Orderable:
    """What a newer engine version would allow: the runbook's way out."""
    for candidate in candidates:
        options = await _options(aws, candidate, Engine=engine)
        if found := earliest((str(o.get("EngineVersion", "")) for o in options), after=version):
            newer = clean(found, 80)
            return Orderable(
                why=f"for {engine} {version}", remedy=f"upgrade to {engine} {newer}, from where {candidate} is orderable"
            )
    return Orderable(why=f"for {engine} in this Region", remedy="keep it on x86 and waive it, or move to another engine")


async def _options(aws: Aws, class_: str, **asked: str) -> list[Mapping[str, Any]]:
    found = await aws.everything(
        DATABASE_ORDERABLE, "OrderableDBInstanceOptions", DBInstanceClass=class_, MaxRecords=100, **asked
    )
    return [one for one in found if one.get("DBInstanceClass") == class_]


def _fits(option: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    if found.get("MultiAZ") and not found.get("DBClusterIdentifier") and option.get("MultiAZCapable") is False:
        return False
    here, there = str(found.get("StorageType") or ""), str(option.get("StorageType") or "")
    return not here or not there or here == there or (here.startswith("aurora") and there.startswith("aurora"))
