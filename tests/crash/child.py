"""A nursery: for each line on stdin it forks a cockpit that flies there and back, and kills itself at the point asked for.

Points are counted: before each request that changes something is sent, after it was sent whole, after it was answered, and after
each record of the journal.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import httpx
import kubernetes.client  # noqa: F401 (imported once, for all that are forked)
import urllib3.connection

from cockpit.clock import ScaledClock
from cockpit.connections import aws, kube_exec  # noqa: F401 (as above)
from cockpit.journal import Journal
from cockpit.model.arch import Arch
from cockpit.model.json import Json
from cockpit.model.playbook import Alb
from tests.crash.flown import board

CHANGES = ("POST", "PUT", "PATCH", "DELETE")
MOVES = (b"Action=Modify", b"Action=AddTags", b"Action=RemoveTags")


class Points:
    """Counts, and kills at the one that is asked for: by its number, or the first of that name."""

    def __init__(self, last: int | str) -> None:
        self._last = last
        self.passed: list[str] = []

    def pass_(self, what: str) -> None:
        self.passed.append(what)
        if self._last in (len(self.passed), what):
            os.kill(os.getpid(), signal.SIGKILL)


def mine(points: Points) -> None:
    """Put points around everything that this process sends and records."""
    _journal(points)
    _kube(points)
    _balancer(points)


def _journal(points: Points) -> None:
    write = Journal.write

    @wraps(write)
    def counted(self: Journal, record: dict[str, Json]) -> None:
        write(self, record)
        points.pass_(f"record {record['type']}")

    Journal.write = counted  # type: ignore[method-assign]


def _kube(points: Points) -> None:
    request = httpx.AsyncClient.request

    @wraps(request)
    async def counted(self: httpx.AsyncClient, method: str, url: Any, **how: Any) -> httpx.Response:
        if method not in CHANGES:
            return await request(self, method, url, **how)
        what = f"{method} {str(url).split('/')[-1]}"

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                points.pass_(f"sent {what}")

        points.pass_(f"before {what}")
        answer = await request(self, method, url, **{**how, "extensions": {"trace": trace}})
        points.pass_(f"answered {what}")
        return answer

    httpx.AsyncClient.request = counted  # type: ignore[method-assign]


def _balancer(points: Points) -> None:
    connection = urllib3.connection.HTTPConnection
    send, answer = connection.request, connection.getresponse

    def counted_send(self: Any, method: str, url: str, body: Any = None, *more: Any, **how: Any) -> None:
        text = body if isinstance(body, bytes) else b""
        self.moves = next((m.decode() for m in MOVES if m in text), "")
        if self.moves:
            points.pass_(f"before {self.moves}")
        send(self, method, url, body, *more, **how)
        if self.moves:
            points.pass_(f"sent {self.moves}")

    def counted_answer(self: Any, *more: Any, **how: Any) -> Any:
        found = answer(self, *more, **how)
        if getattr(self, "moves", ""):
            points.pass_(f"answered {self.moves}")
        return found

    connection.request = counted_send  # type: ignore[method-assign]
    connection.getresponse = counted_answer  # type: ignore[method-assign]


async def fly(order: dict[str, Any]) -> None:
    alb = None
    if found := order["alb"]:
        groups = {Arch(name): arn for name, arn in found["groups"].items()}
        alb = Alb(found["region"], groups, tuple(found["listeners"]), tuple(found["rules"]), endpoint_url=found["url"])
    clock = ScaledClock(datetime.now(UTC), time.monotonic(), 60.0)
    async with AsyncExitStack() as stack:
        cockpit = await board(stack, Path(order["kubeconfig"]), alb, clock, epoch=1)
        await cockpit.keeper.claim()
        await cockpit.fly()
        assert (await cockpit.home()).safe


def child(order: dict[str, Any]) -> None:
    os.environ |= {"COCKPIT_HOME": order["home"], "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    points = Points(order["point"])
    mine(points)
    asyncio.run(fly(order))
    Path(order["home"], "points.json").write_text(json.dumps(points.passed))


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child(json.loads(line))
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
