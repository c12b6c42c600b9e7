"""The embedded world behind proxies, brought into any phase of the short playbook and left as it was found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from cockpit import assembly
from cockpit.assembly import Connections, Options
from cockpit.connections.kube import KubeClient
from cockpit.errors import NotFound
from cockpit.flight import Flight
from cockpit.journal import Journal
from cockpit.model.json import Json
from cockpit.model.playbook import Playbook
from cockpit.playbook import load
from cockpit.rehearsal.client import Ready, World
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from cockpit.run.shared.desk import desk
from cockpit.run.shared.making import sharing
from tests.pictures import world_as_it_is
from tests.scenarios.flights import PLAYBOOK
from tests.wire.proxy import Proxy

SPEED = 80.0
"""A rollback tries for 15 minutes of the clock: 11 s of the wall, which outlast every fault here on a busy machine too."""
SETTLED_WITHIN = 20.0
"""Wall seconds in which a new cockpit has the controls and knows what was left to it."""
NAMESPACE = "/apis/apps/v1/namespaces/payments/deployments"
BASELINE = "payments-api"


@dataclass
class Ground:
    """One world, with a client of its own that goes round the proxies, and the picture from before anything."""

    ready: Ready
    playbook: Playbook
    proxies: dict[str, Proxy]
    kubeconfig: Path
    direct: KubeClient
    before: dict[str, str]

    async def picture(self) -> dict[str, str]:
        return await world_as_it_is(self.ready)

    async def scenario(self, name: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(f"{self.ready.control_url}/scenario", json={"name": name})).raise_for_status()

    async def connect(self) -> tuple[Connections, Options]:
        how = Options(context=self.ready.context, kubeconfig=self.kubeconfig, clock=self.ready.clock, tick_seconds=0.05)
        return await assembly.connect(self.playbook, how), how

    async def edit(self, patch: Json) -> None:
        """Somebody else patches the baseline."""
        await self.direct.patch(f"{NAMESPACE}/{BASELINE}", patch, params={"fieldManager": "kubectl-edit"})

    async def bring(self, crew: Crew, phase: int, *, half: bool = False) -> None:
        """Make the writes of every phase up to `phase`; `half`: of the last one only the first write."""
        for index in range(phase + 1):
            for lever, desired in crew.steps(self.playbook.phases[index]):
                writes = lever.plan(await lever.read(), desired).writes
                for write in writes[:1] if half and index == phase else writes:
                    await lever.apply(write)

    async def tidy(self) -> None:
        """Whatever a case has left of others' doing is taken away."""
        await self.scenario("clean")
        for name, text in self.before.items():
            if name.startswith(("arn:", "tags of ")):
                continue
            await self._put_back(name, json.loads(text))
        for path in ("/apis/coordination.k8s.io/v1/namespaces/payments/leases", "/api/v1/namespaces/payments/configmaps"):
            await self._sweep(path)

    async def _put_back(self, name: str, was: dict[str, Json]) -> None:
        live = json.loads(await self.direct.get(f"{NAMESPACE}/{name}"))
        patch: list[Json] = [{"op": "replace", "path": "/spec", "value": was["spec"]}]
        if live["metadata"].get("annotations") is not None:
            patch.append({"op": "replace", "path": "/metadata/annotations", "value": was["annotations"]})
        await self.direct.patch(f"{NAMESPACE}/{name}", patch)

    async def _sweep(self, path: str) -> None:
        for item in json.loads(await self.direct.get(path))["items"]:
            name = item["metadata"]["name"]
            if name.startswith("cutover-cockpit"):
                try:
                    await self.direct.delete(f"{path}/{name}", {})
                except NotFound:
                    continue


@asynccontextmanager
async def grounded(folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> AsyncIterator[Ground]:
    """A world that many cases share."""
    async with AsyncExitStack() as stack:
        world = await World.start(PLAYBOOK, seed=seed, speed=SPEED)
        stack.push_async_callback(world.stop)
        ready = await world.ready()
        for name, value in ready.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COCKPIT_HOME", str(folder / "home"))
        config = yaml.safe_load(ready.kubeconfig.read_text())
        servers = {"kube": config["clusters"][0]["cluster"]["server"], "aws": ready.aws_endpoint_url or ""}
        proxies = {name: Proxy(urlsplit(url).port or 0) for name, url in servers.items()}
        for proxy in proxies.values():
            await proxy.start()
            stack.push_async_callback(proxy.stop)
        copies = {folder / "kubeconfig": ready.kubeconfig, folder / "playbook.yaml": ready.playbook}
        for copy, original in copies.items():
            text = original.read_text()
            for name, url in servers.items():
                text = text.replace(f"127.0.0.1:{urlsplit(url).port}", f"127.0.0.1:{proxies[name].port}")
            copy.write_text(text)
        direct = await KubeClient.connect(ready.context, ready.kubeconfig)
        stack.push_async_callback(direct.aclose)
        playbook = load(folder / "playbook.yaml")
        yield Ground(ready, playbook, proxies, folder / "kubeconfig", direct, await world_as_it_is(ready))


@asynccontextmanager
async def flight(ground: Ground, journal: Journal | None) -> AsyncIterator[Flight]:
    """A flight that sees nothing: no source, no metrics. Its levers reach the world, and it has the controls and the record."""
    servers, how = await ground.connect()
    assert servers.kube is not None
    logbook = Logbook(how.clock, "short-20261122T020000Z-0001", "ana@bastion", journal)
    crew = assembly.crew(ground.playbook, servers, how, logbook.run)
    who = Identity(ground.ready.context, "ana@bastion")
    seat = desk(ground.playbook, servers.kube, servers.elb, "ana@bastion", how.clock)
    shared = sharing(crew, servers.kube, logbook, how.clock, seat, writes=True)
    tick, leave = how.tick_seconds, servers.aclose
    made = Flight(crew, [], who, how.clock, logbook, tick_seconds=tick, on_close=leave, desk=seat, sharing=shared)
    try:
        made.start()
        seat.start()
        async with asyncio.timeout(SETTLED_WITHIN):
            while not ((frame := made.frame()) and frame.controls.mine and shared.keeper.claimed):
                await made.next_tick()
        yield made
    finally:
        await made.close()
