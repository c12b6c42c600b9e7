"""What pods and nodes of the generated cluster have in common."""

from __future__ import annotations

from random import Random
from typing import Any

Object = dict[str, Any]

SEED = 20261122
CREATED = "2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
REGISTRY = "111122223333.dkr.ecr.ap-south-1.amazonaws.com"


def digits(random: Random, count: int) -> str:
    return f"{random.getrandbits(4 * count):0{count}x}"


def uid(random: Random) -> str:
    return "-".join(digits(random, n) for n in (8, 4, 4, 4, 12))


def moment(random: Random) -> str:
    return CREATED.format(
        day=random.randint(1, 21), hour=random.randrange(24), minute=random.randrange(60), second=random.randrange(60)
    )


def conditions(types: tuple[str, ...], time: str, **more: str) -> list[Object]:
    return [{"type": t, "status": "True", "lastProbeTime": None, "lastTransitionTime": time, **more} for t in types]


def managed(manager: str, time: str, fields: tuple[str, ...], part: str = "") -> Object:
    tree: Object = {"f:metadata": {"f:labels": {".": {}, "f:app": {}, "f:pod-template-hash": {}}, "f:ownerReferences": {".": {}}}}
    tree |= {"f:spec": {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:image": {}, "f:resources": {}} for name in fields}}
    if part:
        tree = {"f:status": {f'k:{{"type":"{name}"}}': {".": {}, "f:status": {}, "f:type": {}} for name in fields}}
    head = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": tree,
    }
    return head | ({"subresource": part} if part else {})


def node_name(n: int) -> str:
    return f"ip-10-{n >> 16 & 255}-{n >> 8 & 255}-{n & 255}.ap-south-1.compute.internal"
