"""moto's load balancer in a process of its own, behind a proxy that throttles, breaks off and lets others write in between."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qs

from aiohttp import ClientSession, web

from cockpit.model.arch import Arch
from cockpit.model.playbook import Alb
from cockpit.rehearsal.awsseed import Order

REGION = "ap-south-1"
_THROTTLED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
    "<RequestId>0</RequestId></ErrorResponse>"
)


@dataclass
class Faults:
    """What goes wrong, by API action: the next so many calls."""

    throttle: Counter[str] = field(default_factory=Counter)
    break_off: Counter[str] = field(default_factory=Counter)
    """Carried out, but never answered."""
    lose: Counter[str] = field(default_factory=Counter)
    """Neither carried out nor answered."""
    first: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """Runs once, right before the next such call is carried out."""
    calls: list[str] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        return [c for c in self.calls if not c.startswith("Describe")]

    def take(self, kind: Counter[str], action: str) -> bool:
        kind[action] -= 1
        return kind[action] >= 0


@contextmanager
def account(listeners: int = 1, rules: int = 1) -> Iterator[tuple[str, Alb]]:
    """A fresh account: its address, and the playbook's section for all that is in it."""
    child = subprocess.Popen(
        [sys.executable, "-m", "cockpit.rehearsal.awschild"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        order = Order(seed=1, region=REGION, name="payments", start=Arch.AMD64, listeners=listeners, rules=rules)
        child.stdin.write(json.dumps(asdict(order)) + "\n")
        child.stdin.flush()
        made = json.loads(child.stdout.readline())
        groups = {arch: made["target_groups"][arch] for arch in Arch}
        address = f"http://127.0.0.1:{made['port']}"
        yield address, Alb(REGION, groups, tuple(made["listeners"]), tuple(made["rules"]), endpoint_url=address)
    finally:
        child.stdin.close()
        child.wait(10)
        child.stdout.close()


@asynccontextmanager
async def proxy(upstream: str, faults: Faults) -> AsyncIterator[str]:
    """The address of a proxy in front of `upstream` that does what `faults` says."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        action = parse_qs(body.decode())["Action"][0]
        faults.calls.append(action)
        if faults.take(faults.throttle, action):
            return web.Response(status=400, text=_THROTTLED, content_type="text/xml")
        if (callback := faults.first.pop(action, None)) is not None:
            await callback()
        if faults.take(faults.lose, action):
            return _hang_up(request)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "expect")}
        async with session.post(upstream, data=body, headers=headers) as answer:
            content = await answer.read()
            if faults.take(faults.break_off, action):
                return _hang_up(request)
            return web.Response(status=answer.status, body=content, content_type="text/xml")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    async with ClientSession() as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await asyncio.wait_for(runner.cleanup(), 10)


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()
