"""`cockpit run` without a screen while somebody else has the controls: it says who, ends with 4, and leaves all as it was."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.clock import WallClock
from cockpit.connections.kube import KubeClient
from cockpit.controls.api import Place
from cockpit.controls.desk import Desk
from cockpit.playbook.loader import load
from cockpit.rehearsal.client import Ready, World
from cockpit.run.shared.desk import desk
from tests.contract.shell import Shell
from tests.fuzz.front import Fronts, fronted

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "affinity-only.yaml"
PLACE = Place("payments", "ledger-worker")
LEASE = f"{PLACE.leases}/{PLACE.name}"
DEPLOYMENT = "/apis/apps/v1/namespaces/payments/deployments/ledger-worker"


@pytest.fixture
async def ready() -> AsyncIterator[Ready]:
    with World.spawn(PLAYBOOK, speed=20.0) as world:
        yield await world.ready()


@pytest.fixture
async def bob(ready: Ready) -> AsyncIterator[Desk]:
    """Somebody else, who has the controls and renews them."""
    kube = await KubeClient.connect("rehearsal-second", ready.kubeconfig)
    seated = desk(load(PLAYBOOK), kube, None, "bob@laptop", WallClock())
    seated.start()
    await seated.opened.wait()
    yield seated
    await seated.close()
    await kube.aclose()


async def standing(ready: Ready) -> list[object]:
    """What a cockpit could change: whose the controls are, the workload, every ConfigMap."""
    kube = await KubeClient.connect("rehearsal-second", ready.kubeconfig)
    try:
        lease, deployment, maps = [json.loads(await kube.get(path)) for path in (LEASE, DEPLOYMENT, PLACE.configmaps)]
    finally:
        await kube.aclose()
    spec = lease["spec"]
    return [spec.get("holderIdentity"), spec["leaseTransitions"], spec.get("acquireTime"), deployment, maps["items"]]


def shell_of(fronts: Fronts, ready: Ready, home: Path) -> Shell:
    environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(fronts.kubeconfig), **ready.env}
    return Shell(home, environment, fronts.playbook)


@pytest.mark.parametrize("more", [(), ("--autopilot",), ("--output", "text")], ids=lambda more: " ".join(more) or "plain")
async def test_it_ends_with_four_and_names_the_holder(ready: Ready, bob: Desk, tmp_path: Path, more: tuple[str, ...]) -> None:
    before = await standing(ready)
    async with fronted(ready, tmp_path) as fronts:
        shell = shell_of(fronts, ready, tmp_path)
        said = await asyncio.to_thread(shell, "run", str(shell.playbook), "--headless", *more)
    assert said.code == 4, said
    assert said.err == "cockpit: bob@laptop has the controls of ledger-worker (epoch 1): nothing was begun here\n"
    assert "write_intended" not in said.out
    own = f"{PLACE.leases}/{PLACE.name}."
    others = [r for r in fronts.mutating if not r.startswith((f"PUT {own}", f"DELETE {own}")) and r != f"POST {PLACE.leases}"]
    assert others == [], "nothing but its own presence"
    assert await standing(ready) == before
    assert bob.view().mine


async def test_once_they_are_handed_back_it_flies(ready: Ready, bob: Desk, tmp_path: Path) -> None:
    await bob.hand_over("")
    async with fronted(ready, tmp_path) as fronts:
        shell = shell_of(fronts, ready, tmp_path)
        said = await asyncio.to_thread(shell, "run", str(shell.playbook), "--headless", "--give-up-after", "1")
    assert said.code == 1, said
    assert any(r == f"PUT {LEASE}" for r in fronts.mutating), "it had them, and handed them back"
