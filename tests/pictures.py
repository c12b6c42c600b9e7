"""The embedded world as a test compares it: every spec, rule and record, to the letter."""

from __future__ import annotations

import asyncio
import json

import boto3

from cockpit.connections.kube import KubeClient
from cockpit.model.json import canonical
from cockpit.rehearsal.client import Ready

REVISION = "deployment.kubernetes.io/revision"


async def world_as_it_is(ready: Ready) -> dict[str, str]:
    """Every Deployment's spec and annotations and every rule's and listener's actions and tags, each as canonical JSON."""
    return {**await deployments(ready), **await asyncio.to_thread(rules, ready)}


async def deployments(ready: Ready) -> dict[str, str]:
    kube = await KubeClient.connect(ready.context, ready.kubeconfig)
    found = json.loads(await kube.get("/apis/apps/v1/namespaces/payments/deployments"))
    await kube.aclose()
    facts = {}
    for item in found["items"]:
        annotations = {k: v for k, v in item["metadata"].get("annotations", {}).items() if k != REVISION}
        facts[item["metadata"]["name"]] = canonical({"spec": item["spec"], "annotations": annotations})
    return facts


def rules(ready: Ready) -> dict[str, str]:
    if ready.aws_endpoint_url is None:
        return {}
    elb = boto3.client("elbv2", endpoint_url=ready.aws_endpoint_url)
    balancer = elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    facts = {}
    for listener in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        arn = listener["ListenerArn"]
        facts[arn] = canonical(json.loads(json.dumps(listener["DefaultActions"])))
        for rule in elb.describe_rules(ListenerArn=arn)["Rules"]:
            facts[rule["RuleArn"]] = canonical(json.loads(json.dumps(rule["Actions"])))
    for described in elb.describe_tags(ResourceArns=list(facts))["TagDescriptions"]:
        facts["tags of " + described["ResourceArn"]] = canonical(json.loads(json.dumps(described["Tags"])))
    return facts
