"""The two API servers that must answer alike, behind one face: the embedded one with its world, and the real one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit.clock import ScaledClock
from cockpit.playbook.loader import load
from cockpit.rehearsal.kube import authz
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import kubeconfig
from cockpit.rehearsal.kube.negotiate import encode
from cockpit.rehearsal.kube.server import Serving, serve
from cockpit.rehearsal.logs import PodHooks
from cockpit.rehearsal.world import ORIGIN, World
from tests.real.api import Api
from tests.real.content import SHIPPED
from tests.real.plane import Plane

NAMESPACE = "contract"
"""Everything that these tests write is in here, on both servers."""
ADMIN, OBSERVER, NOBODY = "admin", "observer", "nobody"
USERS = (ADMIN, OBSERVER, NOBODY)
SPEED = 20.0
"""Virtual seconds of the embedded world in one of the wall: its pods are ready about as soon as those of kwok."""
START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """One of the two. The contexts of `kubeconfig` are `rehearsal` (administrator), `rehearsal-observer`, `rehearsal-nobody`."""

    name: str
    url: str
    authority: Path
    kubeconfig: Path
    tokens: dict[str, str]
    forget: Callable[[], None]
    """From here on, continued lists and watches from older versions are 410 Gone."""

    def api(self, user: str = ADMIN) -> Api:
        """A client as this user; close it."""
        return Api(self.url, str(self.authority), self.tokens[user])

    def stranger(self) -> Api:
        """A client with a token that nobody was given; close it."""
        return Api(self.url, str(self.authority), "f" * 32)


@contextmanager
def embedded(folder: Path) -> Iterator[Server]:
    """The API server of a rehearsal with its world, on a loop in a thread of its own."""
    clock = ScaledClock(ORIGIN, time.monotonic(), SPEED)
    world = World(load(SHIPPED[1]), clock, seed=1)
    world.begin()
    world.storage.clock = ScaledClock(ORIGIN, time.monotonic(), SPEED)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="embedded-api", daemon=True)
    thread.start()

    def on_loop(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(START_SECONDS)

    async def forget() -> None:
        world.storage.expire_watches()

    serving: Serving = on_loop(_serve(world, folder))
    engine = asyncio.run_coroutine_threadsafe(world.engine.run(world.storage.clock, SPEED), loop)
    try:
        yield _described(serving, folder, lambda: on_loop(forget()))
    finally:
        engine.cancel()
        on_loop(serving.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)
        loop.close()


async def _serve(world: World, folder: Path) -> Serving:
    rules = {ADMIN: authz.OPERATOR.rules, OBSERVER: authz.OBSERVER.rules, NOBODY: authz.SELF}
    users = {name: authz.User(name, rules[name]) for name in USERS}
    return await serve(make_app(world.storage, users, world, PodHooks(world.cluster)), folder)


def _described(serving: Serving, folder: Path, forget: Callable[[], None]) -> Server:
    authority, config = folder / "authority.crt", folder / "embedded.kubeconfig"
    authority.write_bytes(serving.authority)
    config.write_bytes(encode(kubeconfig(serving.url, serving.authority, NAMESPACE, USERS)))
    return Server("embedded", serving.url, authority, config, {user: user for user in USERS}, forget)


def real(plane: Plane) -> Server:
    """The real plane. Its observer gets the right to read everything by `populate`."""
    authority = plane.folder / "ca.crt"
    tokens = {user: plane.files.tokens[user] for user in USERS}
    return Server("real", plane.server, authority, plane.kubeconfig, tokens, plane.forget)
