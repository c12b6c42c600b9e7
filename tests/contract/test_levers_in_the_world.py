"""Both levers in the embedded world, flown through a whole playbook and back: pods really roll, rules really change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cockpit.clock import Clock
from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.levers.affinity import AffinityLever, workloads_moved
from cockpit.levers.weights import WeightsLever
from cockpit.model.json import Json, canonical
from cockpit.model.plan import Plan, Proof
from cockpit.model.playbook import AffinitySet, Playbook
from cockpit.playbook import load
from cockpit.rehearsal.client import World

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "rehearsal.yaml"
WRITTEN_BY_OTHERS = ("deployment.kubernetes.io/revision", "example.com/last-reviewed")
"""By the controller, for which going back is one more revision, and by the somebody else of `api-conflict`."""


@dataclass
class Flight:
    playbook: Playbook
    client: KubeClient
    elb: Elb
    affinity: AffinityLever
    weights: WeightsLever
    clock: Clock
    told: list[str]
    """What the weights lever said of its retries."""
    scenario: str

    async def picture(self) -> str:
        """Specs and annotations of the workloads, and the rules, as canonical JSON."""
        whole: list[Json] = []
        for ref in self.playbook.target.workloads:
            body = json.loads(await self.client.get(f"/apis/apps/v1/namespaces/{ref.namespace}/deployments/{ref.name}"))
            foreign = {k: v for k, v in body["metadata"]["annotations"].items() if k not in WRITTEN_BY_OTHERS}
            whole.append([body["spec"], foreign])
        whole += [[r.arn, [dict(a) for a in r.actions], dict(r.tags)] for r in (await self.weights.read()).rules]
        return canonical(whole)

    async def rolled(self, desired: AffinitySet | None) -> None:
        """Wait, for half an hour of the world's time at most, until the affinity is on every pod."""
        for _ in range(360):
            found = self.affinity.reading(await self.affinity.read_for_restore(), desired)
            if found.proof is Proof.PROVEN:
                return
            assert found.proof is Proof.UNPROVEN, found.why
            await self.clock.sleep(5.0)
        pytest.fail("it never rolled out")

    async def fly(self, plan: Plan) -> None:
        for write in plan.writes:
            await (self.weights if write.lever == "weights" else self.affinity).apply(write)


@pytest.fixture(params=["clean", "api-conflict", "aws-throttled"])
async def flight(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Flight]:
    async with AsyncExitStack() as stack:
        world = await World.start(PLAYBOOK, scenario=request.param, seed=3, speed=60.0)
        stack.push_async_callback(world.stop)
        ready = await world.ready()
        for key, value in ready.env.items():
            monkeypatch.setenv(key, value)
        playbook = load(ready.playbook)
        assert playbook.alb is not None
        client = await KubeClient.connect(ready.context, ready.kubeconfig)
        stack.push_async_callback(client.aclose)
        elb = await Elb.connect(playbook.alb)
        stack.callback(elb.close)
        told: list[str] = []
        affinity = AffinityLever(client, workloads_moved(playbook), "rehearsal-1", ready.clock)
        weights = WeightsLever(elb, playbook.alb, ready.clock, on_retry=told.append)
        yield Flight(playbook, client, elb, affinity, weights, ready.clock, told, request.param)


async def test_through_all_phases_and_back(flight: Flight) -> None:
    before = await flight.picture()
    for phase in flight.playbook.phases:
        if phase.weights:
            await flight.fly(flight.weights.plan(await flight.weights.read(), phase.weights))
            assert flight.weights.reading(await flight.weights.read(), phase.weights).proof is Proof.PROVEN
        if desired := phase.affinity:
            await flight.fly(flight.affinity.plan(await flight.affinity.read(), desired))
            await flight.rolled(desired)
    assert await flight.picture() != before

    back = flight.weights.restore(await flight.weights.read()), flight.affinity.restore(await flight.affinity.read_for_restore())
    for plan in back:
        assert plan.writes
        await flight.fly(plan)

    assert await flight.picture() == before
    await flight.rolled(None)
    assert flight.weights.reading(await flight.weights.read(), None).proof is Proof.PROVEN
    assert bool(flight.told) is (flight.scenario == "aws-throttled")
