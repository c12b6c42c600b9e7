"""The embedded registry: real documents, served as strictly as by a real one, under the digests that the kubelets name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from aiohttp import web

from cockpit.connections.registry.client import RegistryClient
from cockpit.rehearsal.images import MULTI_ARCH, X86_INDEX, X86_ONLY
from cockpit.rehearsal.registry import RegistryApi, hosts
from cockpit.rehearsal.registry_content import INDEX, image_id, pushed
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import world as make_world

HOST = "registry.example.com"
APP = f"{HOST}/payments/payments-api:2.14.0"


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    runner = web.AppRunner(RegistryApi(world.cluster).app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def test_every_document_has_its_digest() -> None:
    for build in (MULTI_ARCH, X86_ONLY, X86_INDEX):
        made = pushed(APP, build)
        for held in (made.manifests, made.blobs):
            assert all(digest == "sha256:" + hashlib.sha256(body).hexdigest() for digest, (_, body) in held.items())
        top = json.loads(made.manifests[made.digest][1])
        assert ("manifests" in top) == build.index


def test_pods_run_what_the_registry_serves_and_another_image_has_another_digest() -> None:
    world = make_world()
    statuses = [c for p in world.storage.list("pods") for c in p["status"]["containerStatuses"]]
    assert statuses
    assert all(c["imageID"] == image_id(c["image"], MULTI_ARCH) for c in statuses)
    assert len({c["imageID"] for c in statuses}) == len({c["image"] for c in statuses})
    assert hosts(world.cluster) == (HOST,)


async def test_the_cockpits_own_client_reads_it() -> None:
    world = make_world()
    async with served(world) as url:
        registry = RegistryClient({HOST: url})
        first = await registry.image(image_id(APP, MULTI_ARCH))
        assert first.platforms == ("linux/amd64", "linux/arm64")
        world.cluster.images.publish(APP, X86_ONLY)
        assert (await registry.image(APP)).platforms == ("linux/amd64",)
        fresh = RegistryClient({HOST: url})
        assert (await fresh.image(image_id(APP, MULTI_ARCH))).platforms == first.platforms, "what was pushed before stays"
        assert (await fresh.image(image_id(APP, X86_ONLY))).index is False
        await registry.aclose()
        await fresh.aclose()


async def test_it_is_as_strict_as_a_real_one() -> None:
    async with served(make_world()) as url, httpx.AsyncClient(base_url=url) as client:
        path = "/v2/payments/payments-api/manifests/2.14.0"
        assert (await client.get("/v2/")).status_code == 200
        assert (await client.get(path)).status_code == 404, "an index is not given to who does not accept it"
        found = await client.get(path, headers={"Accept": INDEX})
        assert found.headers["Docker-Content-Digest"] == pushed(APP, MULTI_ARCH).digest
        for wrong in ("2.14.1", "sha256:" + "0" * 64):
            missing = await client.get(f"/v2/payments/payments-api/manifests/{wrong}", headers={"Accept": INDEX})
            assert missing.status_code == 404
            assert missing.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"
        assert (await client.get(path, headers={"Accept": INDEX}, params={"ns": "other.example.com"})).status_code == 404
