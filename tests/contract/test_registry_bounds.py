"""What one image may take of an audit, however its registry answers: documents, bytes, time, and what is remembered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import pytest
from aiohttp import web

from cockpit.clock import ManualClock
from cockpit.connections.registry import audit
from cockpit.connections.registry import client as registry_client
from cockpit.connections.registry.audit import image_facts
from cockpit.connections.registry.documents import CONFIGS, INDEXES, MANIFESTS, digest_of
from cockpit.connections.registry.patience import Patience
from cockpit.model.arch import Arch
from cockpit.model.builds import Fault
from tests.contract.registry_bench import HOST, NAME, Bench, bench, client
from tests.contract.small_api import serving
from tests.contract.test_registry_audit import docker, facts, put
from tests.layers import ARM64, elf, layer

__all__ = ["docker"]


def push_many(at: Bench, indexes: int, builds: int, size: int) -> None:
    """Push an index of indexes of builds, all for arm64, whose manifests have so many bytes and more."""
    config = json.dumps({"os": "linux", "architecture": "arm64"}).encode()
    at.blobs[f"{NAME}/{digest_of(config)}"] = "x", config
    named = {"mediaType": CONFIGS[0], "digest": digest_of(config), "size": len(config)}

    def index(tag: str, digests: Iterable[str]) -> str:
        entries = [{"mediaType": MANIFESTS[0], "digest": digest, "size": 1} for digest in digests]
        return at.put(NAME, tag, {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}, INDEXES[0])

    def build(name: str) -> str:
        document = {"schemaVersion": 2, "mediaType": MANIFESTS[0], "config": named, "annotations": {"n": name + "x" * size}}
        return at.put(NAME, name, document, MANIFESTS[0])

    index("1", [index(f"i{n}", [build(f"b{n}.{m}") for m in range(builds)]) for n in range(indexes)])


@pytest.mark.parametrize(("limit", "most"), [("MOST_MANIFESTS", 4), ("MOST_BYTES", 40_000)])
async def test_an_index_of_many_large_builds_is_left_and_few_are_held_at_once(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_client, limit, most)
    held, worst = 0, 0

    class Counting(Bench):
        async def __call__(self, request: web.Request) -> web.StreamResponse:
            nonlocal held, worst
            held += 1
            worst = max(worst, held)
            await asyncio.sleep(0.01)  # so that what comes together is seen together
            held -= 1
            return await super().__call__(request)

    at = Counting()
    async with serving(at) as at.url:
        push_many(at, 3, 20, 10_000)
        found = await facts(at)
    assert found.fault is Fault.BROKEN and "leads to more than" in found.why
    assert sum("/manifests/" in path for path, _ in at.requests) < 12 and worst <= 4


async def test_an_index_in_an_index_within_the_limits_is_read() -> None:
    async with bench() as at:
        push_many(at, 3, 20, 0)
        found = await facts(at)
    assert not found.fault and len(found.builds) == 60


async def test_what_takes_for_ever_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "IMAGE_SECONDS", 0.3)

    class Slow(Bench):
        async def __call__(self, request: web.Request) -> web.StreamResponse:
            if request.method == "HEAD":
                await asyncio.Event().wait()
            return await super().__call__(request)

    at = Slow()
    async with serving(at) as at.url:
        put(at, [layer({"a": elf(ARM64)})])
        found = await facts(at)
    assert found.fault is Fault.UNREACHABLE and "did not tell all of it within 0.3 s" in found.why


async def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_client, "REMEMBERED_LAYERS", 5)
    async with bench() as at, client(at) as registry:
        made = [put(at, [layer({f"{tag}{n}": b""}) for n in range(2)], tag) for tag in "ab"]
        for digest in (*made, made[1], made[0]):
            await image_facts(registry, f"{HOST}/{NAME}@{digest}", Arch.ARM64, Patience(ManualClock()))
        assert [sum(digest in path for path, _ in at.requests) for digest in made] == [2, 1]
