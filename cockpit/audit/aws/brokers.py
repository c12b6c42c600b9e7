"""MSK clusters and their broker types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.choosing import Item, choose, missing, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import KAFKA_CLUSTERS
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.brokers import SERVERLESS, judge_brokers
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen cluster."""
    found = await aws.everything(KAFKA_CLUSTERS, "ClusterInfoList", MaxResults=100)
    items = [
        Item(str(c.get("ClusterName", "")), str(c.get("ClusterArn", "")), tags=tags(c.get("Tags") or {}), raw=c) for c in found
    ]

    async def judge(item: Item) -> Verdict:
        return _verdict(item.raw)

    chosen = await choose(selection, items)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


def _verdict(found: Mapping[str, Any]) -> Verdict:
    provisioned = found.get("Provisioned")
    if found.get("ClusterType") == "SERVERLESS" or (found.get("Serverless") and not provisioned):
        return SERVERLESS
    provisioned = provisioned or {}
    class_ = (provisioned.get("BrokerNodeGroupInfo") or {}).get("InstanceType") or ""
    version = (provisioned.get("CurrentBrokerSoftwareInfo") or {}).get("KafkaVersion") or ""
    return judge_brokers(clean(str(class_), 80), clean(str(version), 80))
