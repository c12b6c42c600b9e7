"""What stands between the decision to write and the write: requests and connections, counted by the servers themselves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from cockpit.connections import aws, renewal
from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.connections.lanes import WARM
from cockpit.connections.pinned import KUBE_SYSTEM
from cockpit.connections.plugins import CONSENT
from cockpit.levers.affinity import AffinityLever
from cockpit.levers.affinity_reading import path_of
from cockpit.levers.weights import WeightsLever
from cockpit.model.arch import Arch
from cockpit.model.playbook import AffinityMode, AffinitySet, Alb, WeightsSet
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import roll_back
from tests.contract.balancer import Faults, account, proxy
from tests.contract.small_api import fast_clock, kubeconfig, serving
from tests.contract.test_source_kube_client import credential, plugin
from tests.factories import PLAYBOOK
from tests.unit.rehearsal.worlds import BASELINE, playbook, world
from tests.wire.proxy import Proxy, _Link

PATIENCE = 20.0
PATH = path_of("payments", BASELINE.name)
PREFERRED = AffinitySet(BASELINE, AffinityMode.PREFERRED, Arch.ARM64, 100)


async def until(holds: Callable[[], bool]) -> None:
    """Look again and again, in bounded time."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 (what is waited for happens elsewhere)
            await asyncio.sleep(0.005)


@dataclass
class Seen:
    """Every request in its order, as (method, path, the client's port)."""

    requests: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def ports(self) -> set[int]:
        """Connections, each of which cost a handshake."""
        return {port for _, _, port in self.requests}

    async def until(self, path: str, count: int) -> None:
        await until(lambda: sum(asked == path for _, asked, _ in self.requests) >= count)


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[tuple[KubeClient, Seen]]:
    """A client of an embedded cluster over TLS that notes what it is asked, pinned to it."""
    seen = Seen()

    @web.middleware
    async def note(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        assert request.transport
        seen.requests.append((request.method, request.path, request.transport.get_extra_info("peername")[1]))
        return await handler(request)

    app = make_app(world(seed=1, balanced=False).storage)
    app.middlewares.insert(0, note)
    async with AsyncExitStack() as stack:
        served = await serve(app, folder)
        stack.push_async_callback(served.stop)
        write_kubeconfig(folder / "config", served.url, served.authority, "payments")
        client = await KubeClient.connect(kubeconfig=folder / "config")
        stack.push_async_callback(client.aclose)
        client.pin(await client.identity())
        yield client, seen


async def test_from_enter_to_the_accepted_patch_there_are_four_requests_and_no_handshake(tmp_path: Path) -> None:
    async with cluster(tmp_path) as (client, seen):
        lever = AffinityLever(client, [BASELINE], "run", fast_clock(), rng=Random(1))
        for write in lever.plan(await lever.read(), PREFERRED).writes:
            await lever.apply(write)
        seen.requests.clear()
        client.keep_warm()
        await seen.until(KUBE_SYSTEM, WARM)
        warm = seen.ports
        assert len(warm) == WARM
        seen.requests.clear()
        crew = Crew(playbook(balanced=False), {"affinity": lever})
        outcome = await roll_back(crew, Logbook(fast_clock(), "run", "a@b", None), fast_clock(), give_up=20.0)
    assert outcome.written == 1
    patched = [method for method, _, _ in seen.requests].index("PATCH")
    assert [(method, path) for method, path, _ in seen.requests[: patched + 1]] == [
        ("GET", PATH),
        ("GET", PATH),
        ("GET", KUBE_SYSTEM),
        ("PATCH", PATH),
    ]
    assert seen.requests[patched][2] == seen.requests[patched - 1][2], "the write goes where the answer came from"
    assert seen.ports <= warm


async def test_writes_side_by_side_have_a_connection_each_that_was_asked_where_it_leads(tmp_path: Path) -> None:
    async with cluster(tmp_path) as (client, seen):
        seen.requests.clear()
        client.keep_warm()
        await seen.until(KUBE_SYSTEM, WARM)
        seen.requests.clear()
        maps = "/api/v1/namespaces/payments/configmaps"
        bodies = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}"}} for number in range(WARM + 2)]
        await asyncio.gather(*(client.post(maps, body) for body in bodies))  # type: ignore[arg-type]
    for port in seen.ports:
        mine = [path for _, path, at in seen.requests if at == port]
        assert mine == [KUBE_SYSTEM, maps] * (len(mine) // 2)
    assert len([path for _, path, _ in seen.requests if path == maps]) == WARM + 2


async def test_a_plugin_that_hangs_delays_no_write_and_the_token_there_is_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CONSENT, "everything", True)
    monkeypatch.setattr(renewal, "LEAST_SECONDS", 0.0)
    begun = tmp_path / "begun"
    hang = f'echo x >> {begun}; [ "$(wc -l < {begun})" = 1 ] || exec sleep 2'
    tokens: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        tokens.append(request.headers["Authorization"])
        return web.json_response({})

    async with serving(note) as url:
        script = f"{hang}; echo '{credential('first', 1)}'"
        client = await KubeClient.connect(kubeconfig=kubeconfig(tmp_path, url, plugin(tmp_path, script)))
        await client.get("/version")
        await until(lambda: begun.read_text().count("x") >= 2)
        await asyncio.wait_for(client.patch("/write", []), 1.5)
        await asyncio.wait_for(client.aclose(), 1.5)
    assert set(tokens) == {"Bearer first"}


class Counting(Proxy):
    """Counts the connections that were opened."""

    opened = 0

    def accepted(self, link: _Link) -> None:
        self.opened += 1
        super().accepted(link)


@asynccontextmanager
async def counted(address: str) -> AsyncIterator[Counting]:
    """In front of a server that keeps connections open, as AWS does; moto at `address` does not."""
    async with proxy(address, Faults()) as kept:
        front = Counting(int(kept.rpartition(":")[2]))
        await front.start()
        try:
            yield front
        finally:
            await front.stop()


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


async def test_a_way_back_of_the_load_balancer_opens_no_connection(
    balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, os.environ.get(key, "testing"))
    address, alb = balancer
    async with counted(address) as front:
        elb = await Elb.connect(replace(alb, endpoint_url=f"http://127.0.0.1:{front.port}"))
        elb.pin(await elb.account())
        lever = WeightsLever(elb, alb, fast_clock(), rng=Random(1))
        plan = lever.plan(replace(await lever.read(), targets=None), WeightsSet({Arch.ARM64: 0, Arch.AMD64: 50}))
        for write in plan.writes:
            await lever.apply(write)
        elb.keep_warm(alb.target_groups[Arch.AMD64])
        await asyncio.wait_for(elb.warmed.wait(), PATIENCE)
        warm = front.opened
        crew, logbook = Crew(PLAYBOOK, {"weights": lever}), Logbook(fast_clock(), "run", "a@b", None)
        outcome = await roll_back(crew, logbook, fast_clock(), give_up=20.0)
        elb.close()
    assert outcome.safe, outcome.failures
    assert outcome.written == len(plan.writes) == aws.WARM
    assert front.opened == warm
