"""The world that the crashing cockpits fly in, with its own audit of what has changed in it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientSession, web

from cockpit.model.arch import Arch
from cockpit.model.json import canonical
from cockpit.model.playbook import Alb
from cockpit.rehearsal.kube.storage import Storage
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE

HERE = Path(__file__).parents[2]


@dataclass
class Nursery:
    """The process that forks the cockpits."""

    process: asyncio.subprocess.Process

    async def fly(self, order: dict[str, Any]) -> int:
        """Fly one; its exit code, -9 when it has killed itself."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        return int(await asyncio.wait_for(self.process.stdout.readline(), 60))


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.crash.child", stdin=pipe, stdout=pipe, cwd=HERE)
    try:
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


@dataclass
class Audit:
    """The weights of arm64 that each rule or listener was given, and the affinities that the Deployment has had, in their order.

    What changes nothing is left out.
    """

    alb: Alb
    given: dict[str, list[int]] = field(default_factory=dict)
    affinities: list[str] = field(default_factory=list)

    def watch(self, storage: Storage) -> None:
        """Keep the affinities from now on."""
        update = storage.update

        def kept(resource: str, obj: dict[str, Any], **how: Any) -> dict[str, Any]:
            stored = update(resource, obj, **how)
            if resource == "deployments" and stored["metadata"]["name"] == DEPLOYMENT:
                self._see(stored)
            return stored

        self._see(storage.get("deployments", NAMESPACE, DEPLOYMENT))
        storage.update = kept  # type: ignore[method-assign]

    def _see(self, stored: dict[str, Any]) -> None:
        now = canonical(stored["spec"]["template"]["spec"].get("affinity"))
        if self.affinities[-1:] != [now]:
            self.affinities.append(now)

    def note(self, form: dict[str, str]) -> None:
        if not form["Action"].startswith("Modify"):
            return
        arm = self.alb.target_groups[Arch.ARM64]
        target = form.get("RuleArn") or form["ListenerArn"]
        place = next(key for key, value in form.items() if value == arm and "TargetGroups" in key)
        weight = int(form[place.replace("TargetGroupArn", "Weight")])
        seen = self.given.setdefault(target, [])
        if (seen or [0])[-1] != weight:
            seen.append(weight)


@asynccontextmanager
async def audited(upstream: str, audit: Audit) -> AsyncIterator[str]:
    """The address of a proxy before the load balancer's API that keeps the audit of what was carried out."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "expect")}
        # Whoever asked may be dead by now: what has arrived is carried out all the same.
        return await asyncio.shield(carry_out(body, headers))

    async def carry_out(body: bytes, headers: dict[str, str]) -> web.Response:
        async with session.post(upstream, data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status == 200:
                audit.note(dict(parse_qsl(body.decode())))
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
