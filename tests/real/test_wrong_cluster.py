"""A tunnel to the real control plane that leads to another cluster in the middle of a run: nothing is written there.

The other one has the same objects, certificates and users. Only its identity differs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cockpit.clock import ManualClock
from cockpit.playbook.loader import load
from cockpit.rehearsal.aws import Account
from cockpit.rehearsal.kube import authz
from cockpit.rehearsal.world import World
from tests.real.flights import AFFINITY, OPERATOR, Bench, assert_ended, bench, load_balancer, operator_may
from tests.real.plane import Plane
from tests.wrong.clusters import Cluster, Leading, cluster


@pytest.fixture(scope="module")
def account(plane: Plane) -> Iterator[Account]:
    with operator_may(plane, AFFINITY), load_balancer() as account:
        yield account


@dataclass
class Tunnel:
    """A flight over an address that leads to the plane, and may lead elsewhere."""

    bench: Bench
    address: Leading
    wrong: Cluster


@pytest.fixture
async def tunnel(plane: Plane, account: Account, tmp_path: Path) -> AsyncIterator[Tunnel]:
    async with AsyncExitStack() as stack:
        users = {plane.files.tokens[OPERATOR]: authz.User(OPERATOR, authz.OPERATOR.rules)}
        world = World(load(AFFINITY), ManualClock(), seed=3)
        world.begin()
        wrong, _ = await cluster(stack, tmp_path, world.storage, plane.files.certificates, users)
        port = int(plane.server.rpartition(":")[2])
        address = Leading(port, wrong.port)
        await address.start()
        stack.push_async_callback(address.stop)
        config = tmp_path / "kubeconfig"
        config.touch(mode=0o600)
        text = plane.kubeconfig.read_text()
        assert plane.server in text
        config.write_text(text.replace(plane.server, f"https://127.0.0.1:{address.port}"))
        yield Tunnel(await stack.enter_async_context(bench(plane, account, AFFINITY, tmp_path, config)), address, wrong)
        # The bench takes back what is left, for which the tunnel has to lead home.
        address.target = port


async def test_a_tunnel_that_moves_mid_run_takes_no_write_with_it(tunnel: Tunnel) -> None:
    flight, before = tunnel.bench, tunnel.bench.as_it_is()

    async def moves() -> None:
        tunnel.address.lead()

    flown = await flight.fly("--autopilot", "--give-up-after", "6", proven={"prefer-arm64": moves})
    assert flown.code == 1
    assert [e["phase"] for e in flown.of("write_done")] == ["prefer-arm64"]
    back = await flight.roll_back()
    assert (back.code, back.of("write_done")) == (3, [])
    assert f"has UID {tunnel.wrong.uid}" in back.errors
    assert tunnel.wrong.writes == []

    tunnel.address.target = tunnel.address.elsewhere = int(flight.plane.server.rpartition(":")[2])
    tunnel.address.lead()
    assert_ended(await flight.roll_back(), 0, "rolled_back")
    assert flight.as_it_is() == before
    assert tunnel.wrong.writes == []
