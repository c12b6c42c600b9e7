"""The ingress lever between an API server in which others write and refuse, and a load balancer that a test's hand controls."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from cockpit.connections.aws import Elb
from cockpit.connections.kube import KubeClient
from cockpit.levers.ingress import IngressLever
from cockpit.levers.ingress_action import PREFIX
from cockpit.levers.weights_actions import with_weights
from cockpit.model.arch import Arch
from cockpit.model.json import canonical
from cockpit.model.plan import Plan
from cockpit.model.playbook import Alb, IngressAction, WeightsSet
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.kube.tls import Certificates
from tests.contract.affinity_bench import Trouble
from tests.contract.balancer import Faults, proxy
from tests.contract.leaping import LeapingClock
from tests.unit.rehearsal.small_world import NAMESPACE, small_world

NAME, ACTION = "payments", "split"
KEY = PREFIX + ACTION
PATH = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses/{NAME}"
SERVICES = {Arch.AMD64: "api-x86", Arch.ARM64: "api-arm"}
TEXT = (
    '{"Type" : "forward",\n "forwardConfig":{"targetGroups":[ {"serviceName":"api-x86", "servicePort":"http","weight":100} ,'
    '{"weight":0, "serviceName":"api-arm","servicePort":80}],  '
    '"targetGroupStickinessConfig":{"enabled":true,"durationSeconds":200}}}'
)
"""As people write it: keys in any case and order, and room where they like it."""
STACK = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/stack": f"{NAMESPACE}/{NAME}", "ingress.k8s.aws/resource": "443:1"}

Obj = dict[str, Any]


@dataclass
class Bench:
    lever: IngressLever
    dry: IngressLever
    blind: IngressLever
    """Without a load balancer to ask."""
    storage: Storage
    other: Elb
    alb: Alb
    trouble: Trouble
    faults: Faults
    clock: LeapingClock

    def get(self) -> Obj:
        return copy.deepcopy(self.storage.get("ingresses", NAMESPACE, NAME))

    @property
    def text(self) -> str:
        return str(self.get()["metadata"]["annotations"][KEY])

    def picture(self) -> str:
        """The whole Ingress but for what the server itself counts."""
        found = self.get()
        for key in ("resourceVersion", "managedFields"):
            found["metadata"].pop(key, None)
        return canonical(found)

    def annotate(self, **notes: str | None) -> None:
        """Somebody else sets annotations (`action` is the action's; None removes)."""
        found = self.get()
        held = found["metadata"].setdefault("annotations", {})
        for key, value in notes.items():
            key = KEY if key == "action" else key
            held.pop(key, None)
            held |= {} if value is None else {key: value}
        self.storage.update("ingresses", found)

    async def follow(self, arm64: int, amd64: int) -> None:
        """The controller, or somebody behind its back, sets all rules."""
        groups = self.alb.target_groups
        weights = {groups[Arch.ARM64]: arm64, groups[Arch.AMD64]: amd64}
        for rule in await self.other.attached(tuple(groups.values())):
            await self.other.modify(rule, with_weights(rule.actions, weights))

    async def plan(self, desired: WeightsSet) -> Plan:
        return self.lever.plan(await self.lever.read(), desired)

    async def fly(self, plan: Plan, lever: IngressLever | None = None) -> None:
        for write in plan.writes:
            await (lever or self.lever).apply(write)


def ingress() -> Obj:
    backend = {"service": {"name": ACTION, "port": {"name": "use-annotation"}}}
    rules = [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    notes = {"alb.ingress.kubernetes.io/scheme": "internal", KEY: TEXT}
    return {"metadata": {"name": NAME, "namespace": NAMESPACE, "annotations": notes}, "spec": {"rules": rules}}


@asynccontextmanager
async def ingress_bench(folder: Path, certificates: Certificates, address: str, alb: Alb) -> AsyncIterator[Bench]:
    """A fresh cluster with the Ingress, and the account at `address` with its rules put back to their start."""
    clock, trouble, faults = LeapingClock(), Trouble(), Faults()
    storage = small_world(clock)
    storage.create("ingresses", ingress())
    async with AsyncExitStack() as stack:
        serving = await serve(make_app(storage, None, trouble), folder, certificates=certificates)
        stack.push_async_callback(serving.stop)
        write_kubeconfig(folder / "config", serving.url, serving.authority, NAMESPACE)
        client = await KubeClient.connect(kubeconfig=folder / "config")
        stack.push_async_callback(client.aclose)
        front = replace(
            alb,
            endpoint_url=await stack.enter_async_context(proxy(address, faults)),
            listeners=(),
            rules=(),
            ingress=IngressAction(NAME, ACTION, SERVICES),
        )
        elb, other = await Elb.connect(front), await Elb.connect(alb)
        stack.callback(elb.close)
        stack.callback(other.close)
        lever = IngressLever(client, elb, front, NAMESPACE, "run-1", clock, rng=Random(1))
        dry = IngressLever(client, elb, front, NAMESPACE, "run-1", clock, dry_run=True)
        blind = IngressLever(client, None, front, NAMESPACE, "run-1", clock, rng=Random(1))
        made = Bench(lever, dry, blind, storage, other, alb, trouble, faults, clock)
        await _reset(made)
        yield made


async def _reset(bench: Bench) -> None:
    await bench.follow(0, 100)
    for rule in await bench.other.attached(tuple(bench.alb.target_groups.values())):
        await bench.other.tag(rule.arn, STACK)
    bench.faults.calls.clear()


def weights_of(text: str) -> list[int]:
    """The weights in an action, in its order."""
    return [g["weight"] for g in json.loads(text)["forwardConfig"]["targetGroups"]]
