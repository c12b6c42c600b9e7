"""A proxy in front of moto that throttles, denies and answers for what moto does not have, in each API's wire format.

Which operation a request is comes in a header that the test's own boto3 session adds: on the wire REST calls have no name.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import ClientSession, web

from tests.contract.aws_estate import REGION, digest, session
from tests.contract.small_api import serving

HEADER = "X-Test-Operation"
Asked = Mapping[str, str]
Answer = Callable[[Asked], str | None]
"""The body for a request's parameters; None leaves it to moto."""


@cache
def labelled(region: str = REGION) -> Any:
    """A boto3 session whose requests say in a header what they are. One for all tests: reading its models takes long."""
    made = session(region)

    def label(model: Any, params: dict[str, Any], **_: Any) -> None:
        params["headers"][HEADER] = f"{model.service_model.service_name}:{model.name}:{model.service_model.resolved_protocol}"

    made.events.register("before-call", label)
    return made


@dataclass
class Faults:
    """What goes wrong, by `service:Operation`, and what was called."""

    throttle: Counter[str] = field(default_factory=Counter)
    deny: set[str] = field(default_factory=set)
    hang: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)


@asynccontextmanager
async def proxy(upstream: str, faults: Faults) -> AsyncIterator[str]:
    """The address of a proxy in front of `upstream`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        name, _, protocol = request.headers[HEADER].rpartition(":")
        body = await request.read()
        faults.calls.append(name)
        if name in faults.hang:
            await asyncio.Event().wait()
        if name in faults.deny:
            return _error(
                protocol, 403, "AccessDenied" if protocol == "query" else "AccessDeniedException", "User is not authorized"
            )
        if faults.throttle[name] > 0:
            faults.throttle[name] -= 1
            return _error(protocol, 400, "Throttling" if protocol == "query" else "ThrottlingException", "Rate exceeded")
        made = (faults.answers.get(name) or STUBS.get(name, _nothing))(_asked(request, body))
        if made is not None:
            kind = "text/xml" if protocol in ("query", "ec2") else "application/json"
            return web.Response(text=made, content_type=kind, status=404 if '"__type"' in made else 200)
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "expect", HEADER.lower())
        }
        async with client.request(request.method, f"{upstream}{request.raw_path}", data=body, headers=headers) as answer:
            content = await answer.read()
            kept = {
                k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "smithy-protocol", "x-amzn-errortype")
            }
            return web.Response(status=answer.status, body=content, headers=kept)

    async with ClientSession(auto_decompress=True) as client, serving(handle) as url:
        yield url


def _asked(request: web.Request, body: bytes) -> Asked:
    """The request's parameters, of the query string, a form or JSON."""
    found = {"path": unquote(request.path), **dict(request.query)}
    if body.startswith(b"{"):
        return found | {k: v if isinstance(v, str) else json.dumps(v) for k, v in json.loads(body).items()}
    try:
        return found | {k: v[0] for k, v in parse_qs(body.decode()).items()}
    except UnicodeDecodeError:
        return found


def _error(protocol: str, status: int, code: str, message: str) -> web.Response:
    if protocol in ("query", "ec2"):
        inner = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        whole = (
            f"<Response><Errors>{inner}</Errors></Response>" if protocol == "ec2" else f"<ErrorResponse>{inner}</ErrorResponse>"
        )
        return web.Response(status=status, text=whole, content_type="text/xml")
    if "cbor" in protocol:
        pairs = {"__type": code, "message": message}
        body = bytes([0xA0 + len(pairs)]) + b"".join(_cbor(text) for pair in pairs.items() for text in pair)
        return web.Response(
            status=status, body=body, headers={"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
        )
    body = json.dumps({"__type": code, "message": message}).encode()
    return web.Response(status=status, body=body, headers={"X-Amzn-ErrorType": code, "Content-Type": "application/json"})


def _cbor(text: str) -> bytes:
    data = text.encode()
    return (bytes([0x60 + len(data)]) if len(data) < 24 else bytes([0x78, len(data)])) + data


def _nothing(_asked: Asked) -> str | None:
    return None


def _result(operation: str, inner: str) -> str:
    return f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"


def activities(*launches: tuple[str, str], at: str = "2026-11-22T01:00:00Z") -> str:
    """Launches of a group as Auto Scaling tells them: a status code and a message each, the newest first."""
    told = "".join(
        f"<member><ActivityId>{n}</ActivityId><Description>Launching an instance</Description><StatusCode>{code}</StatusCode>"
        f"<StatusMessage>{said}</StatusMessage><StartTime>{at}</StartTime></member>"
        for n, (code, said) in enumerate(launches)
    )
    return _result("DescribeScalingActivities", f"<Activities>{told}</Activities>")


MISMATCH = (
    "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64' of the specified AMI. "
    "Launching EC2 instance failed."
)
STALL = "We currently do not have sufficient m7g.large capacity in the Availability Zone you requested (ap-south-1a)."


def _activities(asked: Asked) -> str:
    match asked["AutoScalingGroupName"]:
        case "asg-stalled":
            return activities(("Failed", STALL), ("Failed", STALL), ("Successful", ""))
        case "asg-wrong":
            return activities(("Failed", MISMATCH))
    return activities(("Successful", ""))


def _orderable(asked: Asked) -> str | None:
    """MySQL: m6g from 8.0.28 on, m7g with io1 alone. What moto has of Aurora stays moto's."""
    if asked["Engine"] != "mysql":
        return None
    known = [("db.m6g.large", "8.0.28", "gp3"), ("db.m6g.large", "8.0.35", "gp3"), ("db.m7g.large", "8.4.0", "gp3")]
    told = "".join(
        f"<OrderableDBInstanceOption><Engine>mysql</Engine><EngineVersion>{version}</EngineVersion>"
        f"<DBInstanceClass>{class_}</DBInstanceClass><StorageType>{storage}</StorageType></OrderableDBInstanceOption>"
        for class_, version, storage in known
        if class_ == asked["DBInstanceClass"] and asked.get("EngineVersion", version) == version
    )
    return _result("DescribeOrderableDBInstanceOptions", f"<OrderableDBInstanceOptions>{told}</OrderableDBInstanceOptions>")


def _node_types(asked: Asked) -> str:
    allowed = "" if asked.get("ReplicationGroupId") == "cache-old" else "<member>cache.m6g.large</member>"
    return _result("ListAllowedNodeTypeModifications", f"<ScaleUpModifications>{allowed}</ScaleUpModifications>")


def _offerings(asked: Asked) -> str:
    class_ = asked["CacheNodeType"]
    one = f"<ReservedCacheNodesOffering><CacheNodeType>{class_}</CacheNodeType></ReservedCacheNodesOffering>"
    inner = one if class_ == "cache.m6g.large" else ""
    return _result("DescribeReservedCacheNodesOfferings", f"<ReservedCacheNodesOfferings>{inner}</ReservedCacheNodesOfferings>")


def _search_types(asked: Asked) -> str:
    wanted = asked.get("instanceType", "")
    found = (
        [{"InstanceType": wanted}] if wanted.startswith(("m6g.", "r6g.")) and asked["path"].endswith("OpenSearch_2.11") else []
    )
    return json.dumps({"InstanceTypeDetails": found})


def _layer(asked: Asked) -> str:
    archs = {"native-arm": ["arm64"], "native-x86": ["x86_64"], "native-both": ["arm64", "x86_64"]}
    arn = asked["Arn"]
    declared = archs.get(arn.split(":")[6])
    return json.dumps({"LayerVersionArn": arn, **({"CompatibleArchitectures": declared} if declared else {})})


def _scan(asked: Asked) -> str:
    """amd64 is scanned everywhere; arm64 in shop/both alone."""
    image = json.loads(asked["imageId"])["imageDigest"]
    if image == digest("arm64") and asked["repositoryName"] != "shop/both":
        return json.dumps({"__type": "ScanNotFoundException", "message": "Image scan does not exist"})
    counts = {"findingSeverityCounts": {"HIGH": 1, "LOW": 4}}
    return json.dumps({"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": counts})


STUBS: Mapping[str, Answer] = {
    "autoscaling:DescribeScalingActivities": _activities,
    "rds:DescribeOrderableDBInstanceOptions": _orderable,
    "elasticache:ListAllowedNodeTypeModifications": _node_types,
    "elasticache:DescribeReservedCacheNodesOfferings": _offerings,
    "opensearch:ListInstanceTypeDetails": _search_types,
    "lambda:GetLayerVersionByArn": _layer,
    "ecr:DescribeImageScanFindings": _scan,
}
"""Operations that moto lacks, or answers with fixed data."""
