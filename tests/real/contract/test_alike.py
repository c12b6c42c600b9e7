"""The two servers side by side: the same objects, as the cockpit decodes them, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from cockpit.connections import decode
from tests.real.api import Api
from tests.real.contract.asked import DRY, MERGE, PODS, STRATEGIC, TARGET
from tests.real.contract.content import WEB
from tests.real.contract.servers import Server

OWN = {"uid", "resource_version", "created", "image_id", "node", "name", "owner", "generation", "observed_generation"}
"""What every cluster makes up for itself; generations also count what other tests have done."""
HASHED = ("pod-template-hash", "topology.kubernetes.io/region", "topology.kubernetes.io/zone")
"""Labels: a hash of Go's own; and where the node is, which 1.36 writes on pods and the embedded world does not."""
PATCHES = [
    (MERGE, {"spec": {"template": {"spec": {"affinity": None, "tolerations": [{"key": "arch", "operator": "Exists"}]}}}}),
    (STRATEGIC, {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/arch": "arm64"}}}}}),
    (STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "registry.example.com/side:1"}]}}}}),
    (MERGE, {"metadata": {"annotations": {"example.com/note": "1"}}, "spec": {"paused": True}}),
]


@pytest.fixture
def pair(embedded_server: Server, real_server: Server, plane: object) -> Iterator[tuple[Api, Api]]:
    with embedded_server.api() as embedded, real_server.api() as real:
        yield embedded, real


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: comparable(v) for k, v in value.items() if k not in OWN and k not in HASHED and not k.startswith("example.com/")
        }
    return [comparable(v) for v in value] if isinstance(value, list | tuple) else value


def test_a_deployment(pair: tuple[Api, Api]) -> None:
    embedded, real = (comparable(asdict(decode.DEPLOYMENTS.one(api.raw("GET", TARGET).content))) for api in pair)
    for one in (embedded, real):
        del one["managers"]  # the real server keeps the one of `status` apart
        for condition in one["conditions"]:
            condition["message"] = condition["message"].partition('"')[0]
            condition["since"] = condition["since"] is not None
        one["conditions"].sort(key=lambda c: c["type"])
    assert embedded == real


def test_pods(pair: tuple[Api, Api]) -> None:
    query = {"labelSelector": f"app={WEB}"}
    pages = [decode.PODS.page(api.raw("GET", PODS, params=query).content).items for api in pair]
    embedded, real = ([comparable(asdict(pod)) for pod in page] for page in pages)
    assert embedded == real


@pytest.mark.parametrize(("media", "body"), PATCHES, ids=lambda value: json.dumps(value)[:40])
def test_what_a_patch_would_make(pair: tuple[Api, Api], media: str, body: Any) -> None:
    answers = [api.raw("PATCH", TARGET, json=body, params=DRY, headers={"Content-Type": media}).content for api in pair]
    embedded, real = (comparable(json.loads(answer)["spec"]) for answer in answers)
    assert embedded == real
