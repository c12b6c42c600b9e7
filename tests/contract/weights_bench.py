"""The weights lever behind a faulty proxy, and somebody else straight at the load balancer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

import boto3

from cockpit.connections.aws import Elb
from cockpit.levers.weights import WeightsLever
from cockpit.levers.weights_actions import ORIGINAL, with_weights
from cockpit.model.arch import Arch
from cockpit.model.json import canonical
from cockpit.model.plan import Plan
from cockpit.model.playbook import Alb, WeightsSet
from cockpit.model.share import Rule
from tests.contract.balancer import Faults, proxy
from tests.contract.leaping import LeapingClock


@dataclass
class Bench:
    """The lever behind the faulty proxy, and `other`: somebody else, straight at the load balancer."""

    lever: WeightsLever
    dry: WeightsLever
    other: Elb
    alb: Alb
    faults: Faults
    clock: LeapingClock
    told: list[str] = field(default_factory=list)

    async def rules(self) -> tuple[Rule, ...]:
        return await self.other.rules(self.alb.listeners, self.alb.rules)

    async def picture(self) -> str:
        """All rules with tags, as canonical JSON."""
        return canonical([[r.arn, [dict(a) for a in r.actions], dict(r.tags)] for r in await self.rules()])

    async def configured(self) -> list[tuple[int, ...]]:
        """Weights of arm64 and amd64, rule by rule."""
        groups = self.alb.target_groups
        return [(r.weights[groups[Arch.ARM64]], r.weights[groups[Arch.AMD64]]) for r in await self.rules()]

    async def set(self, rule: int, arm64: int, amd64: int) -> None:
        """Somebody else sets the weights of a rule."""
        found = (await self.rules())[rule]
        groups = self.alb.target_groups
        weights = {groups[Arch.ARM64]: arm64, groups[Arch.AMD64]: amd64}
        await self.other.modify(found, with_weights(found.actions, weights))

    async def plan(self, desired: WeightsSet) -> Plan:
        return self.lever.plan(await self.lever.read(), desired)

    async def fly(self, plan: Plan) -> None:
        for write in plan.writes:
            await self.lever.apply(write)


@asynccontextmanager
async def weights_bench(address: str, alb: Alb) -> AsyncIterator[Bench]:
    """Levers on the account at `address`, whose rules and targets are put back to their start first."""
    faults, clock = Faults(), LeapingClock()
    async with AsyncExitStack() as stack:
        front = replace(alb, endpoint_url=await stack.enter_async_context(proxy(address, faults)))
        elb, other = await Elb.connect(front), await Elb.connect(alb)
        stack.callback(elb.close)
        stack.callback(other.close)
        told: list[str] = []
        lever = WeightsLever(elb, front, clock, on_retry=told.append, rng=Random(1))
        bench = Bench(lever, WeightsLever(elb, front, clock, dry_run=True), other, alb, faults, clock, told)
        await _reset(bench)
        yield bench


async def _reset(bench: Bench) -> None:
    client = boto3.client("elbv2", region_name=bench.alb.region, endpoint_url=bench.alb.endpoint_url)
    for arn in bench.alb.target_groups.values():
        client.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
    client.close()
    for number, rule in enumerate(await bench.rules()):
        await bench.other.untag(rule.arn, [ORIGINAL])
        await bench.set(number, 0, 100)
    bench.faults.calls.clear()
