"""A load balancer that keeps its whole story: every state that its rules were ever in, with the health of that moment.

In front of moto's rules stands a proxy that answers for the targets' health itself, which moto cannot, and draws its faults from
a seed: throttling, requests lost or carried out without an answer, somebody else who writes in between, targets that die.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from urllib.parse import parse_qs

from aiohttp import ClientSession, web

from cockpit.connections.aws import Elb
from cockpit.model.arch import Arch
from cockpit.model.playbook import Alb
from cockpit.model.share import Rule
from cockpit.rehearsal import awsquery
from cockpit.rehearsal.awsquery import AwsError

MODIFY = ("ModifyRule", "ModifyListener")
_PORT = 8080


@dataclass(frozen=True)
class State:
    """All rules right after a change by `who`, and how many healthy targets each group had when it was made."""

    who: str
    rules: tuple[Rule, ...]
    healthy: Mapping[str, int]


@dataclass
class Story:
    """`chances` are of what happens to a call, by kind; all faults are drawn from `random`."""

    alb: Alb
    other: Elb
    random: Random
    chances: Mapping[str, float] = field(default_factory=dict)
    healthy: dict[str, int] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    meddle: Callable[[str], Awaitable[None]] | None = None
    """Others act before any call but the one that modifies: against those in between no load balancer guards anybody."""
    calls: list[str] = field(default_factory=list)

    async def rules(self) -> tuple[Rule, ...]:
        return await self.other.rules(self.alb.listeners, self.alb.rules)

    async def note(self, who: str) -> None:
        """Keep the state that the rules are in now."""
        self.states.append(State(who, await self.rules(), dict(self.healthy)))

    def befalls(self, kind: str) -> bool:
        return self.random.random() < self.chances.get(kind, 0.0)

    def health(self, arn: str) -> web.Response:
        up = self.healthy[arn]
        targets = [(f"10.0.0.{n}", "ap-south-1a", "healthy" if n < up else "unhealthy") for n in range(3)]
        return web.Response(text=awsquery.target_health(targets, _PORT), content_type="text/xml")


@asynccontextmanager
async def proxy(upstream: str, story: Story) -> AsyncIterator[str]:
    """The address of the proxy that the cockpit talks to."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        action = form["Action"]
        story.calls.append(action)
        write = not action.startswith("Describe")
        # A lever's throttled reads are waited out by botocore in wall time: they are for those who ask but once.
        if story.befalls("throttled" if write else "throttled reads"):
            return web.Response(status=400, text=AwsError("Throttling", "Rate exceeded").xml(), content_type="text/xml")
        if story.meddle and action not in MODIFY:
            await story.meddle(action)
        if action == "DescribeTargetHealth":
            return story.health(form["TargetGroupArn"])
        if write and story.befalls("lost"):
            return _hang_up(request)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "expect")}
        async with session.post(upstream, data=body, headers=headers) as answer:
            content = await answer.read()
        if action in MODIFY:
            await story.note("cockpit")
        if write and story.befalls("unanswered"):
            return _hang_up(request)
        return web.Response(status=answer.status, body=content, content_type="text/xml")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    async with ClientSession() as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await asyncio.wait_for(runner.cleanup(), 10)


def share(rule: Rule, alb: Alb) -> float:
    """arm64's share of what both groups get."""
    arm, x86 = (rule.weights[alb.target_groups[arch]] for arch in (Arch.ARM64, Arch.AMD64))
    return arm / (arm + x86)


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()
