"""The embedded load balancer controller: rules follow the annotation after a moment; what others wrote is set back later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.model.playbook import Alb, IngressAction, Playbook
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.ingress import PREFIX, ROUND, Controller, Made, install, tags
from cockpit.rehearsal.kube.storage import Storage
from tests.factories import GROUPS, PLAYBOOK

KEY = f"{PREFIX}split"
SERVICES = {Arch.AMD64: "api", Arch.ARM64: "api-arm64"}


def playbook(services: Mapping[Arch, str]) -> Playbook:
    return replace(PLAYBOOK, alb=Alb("ap-south-1", GROUPS, ingress=IngressAction("payments", "split", services)))


class Account:
    """The rule that the controller makes."""

    def __init__(self) -> None:
        self.weights = {Arch.AMD64: 100, Arch.ARM64: 0}
        self.sets = 0

    def rules(self) -> Mapping[str, Mapping[Arch, int]]:
        return {"rule": self.weights}

    async def set(self, rule: str, weights: Mapping[str, int]) -> None:
        assert rule == "rule"
        self.weights = {arch: weights[arn] for arch, arn in GROUPS.items()}
        self.sets += 1


async def story(services: Mapping[Arch, str]) -> None:
    clock, account, book = ManualClock(), Account(), playbook(services)
    storage = Storage(clock, 1)
    cluster = Cluster(storage, 1, clock.now())
    install(cluster, book, GROUPS)
    task = asyncio.create_task(Controller(cluster, book, Made(account.rules, GROUPS, account.set)).run(clock, 1.0))
    await asyncio.sleep(0)

    async def write(text: str) -> None:
        found = storage.get("ingresses", "payments", "payments")
        meta = {**found["metadata"], "annotations": {**found["metadata"]["annotations"], KEY: text}}
        storage.update("ingresses", {**found, "metadata": meta})

    try:
        await clock.advance(30)
        assert account.sets == 0, "it begins as it is annotated"
        text = storage.get("ingresses", "payments", "payments")["metadata"]["annotations"][KEY]
        await write(text.replace("100", "95").replace('"weight": 0', '"weight": 5'))
        await clock.advance(1.5)
        assert account.weights[Arch.ARM64] == 0, "not at once"
        await clock.advance(10)
        assert (account.weights, account.sets) == ({Arch.AMD64: 95, Arch.ARM64: 5}, 1)
        account.weights = {Arch.AMD64: 50, Arch.ARM64: 50}
        await clock.advance(20)
        assert account.sets == 1, "nobody tells it"
        await clock.advance(ROUND)
        assert (account.weights, account.sets) == ({Arch.AMD64: 95, Arch.ARM64: 5}, 2)
        await write(json.dumps({"type": "forward"}))
        await clock.advance(2 * ROUND)
        assert account.sets == 2, "what cannot be read changes nothing"
    finally:
        task.cancel()


async def test_by_services() -> None:
    await story(SERVICES)


async def test_by_target_groups() -> None:
    await story({})


def test_its_rules_are_tagged_as_the_controllers_own() -> None:
    assert tags(playbook({}))["ingress.k8s.aws/stack"] == "payments/payments"
    assert tags(PLAYBOOK) == {}
