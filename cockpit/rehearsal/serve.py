"""Running the embedded world until it is stopped: start-up in parallel, the ready line, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.clock import CLOCK_VARIABLE, ScaledClock
from cockpit.model.json import Json
from cockpit.rehearsal.aws import Account, AwsChild

if TYPE_CHECKING:
    from cockpit.model.playbook import Playbook
    from cockpit.rehearsal.crowd.crowd import Crowd
    from cockpit.rehearsal.crowd.size import Size
    from cockpit.rehearsal.servers import Addresses
    from cockpit.rehearsal.world import World

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
"""What the embedded AWS endpoint takes; they open nothing else."""


async def serve(
    path: Path,
    *,
    scenario: str,
    seed: int,
    speed: float,
    announce: Callable[[dict[str, Json]], None],
    until_eof: bool = False,
    size: Size | None = None,
) -> None:
    """Run the world of the playbook at `path` until cancelled, SIGINT or SIGTERM; with `until_eof` also until stdin ends.

    `size`: with so big a crowd around it.

    `announce` gets the ready line once every server answers. PlaybookInvalid, UsageError, Unreachable.
    """
    stop = _stopper(until_eof)
    async with AsyncExitStack() as stack:
        # Guessed from the text: moto takes longest to start, and must begin before the playbook is understood.
        child = _spawn(stack) if _mentions_balancer(path) else None
        folder = Path(tempfile.mkdtemp(prefix="cockpit-rehearsal-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        ready, engine = await _start(path, folder, stack, child, (scenario, seed, speed), size, fixed=until_eof)
        announce(ready)
        await _first_of(stop, engine)


def _mentions_balancer(path: Path) -> bool:
    try:
        return b"alb" in path.read_bytes()
    except OSError:
        return False  # the loader says what is wrong


def _spawn(stack: AsyncExitStack) -> AwsChild:
    child = AwsChild.spawn()
    stack.callback(child.stop)
    return child


async def _first_of(stop: asyncio.Event, engine: asyncio.Task[None]) -> None:
    """Wait for the request to end, or for a fault of the engine: a world whose time stands still is worse than none."""
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({asked, engine}, return_when=asyncio.FIRST_COMPLETED)
        if engine.done():
            await engine
    finally:
        for task in (asked, engine):
            task.cancel()
        await asyncio.gather(asked, engine, return_exceptions=True)


async def _start(
    path: Path,
    folder: Path,
    stack: AsyncExitStack,
    child: AwsChild | None,
    how: tuple[str, int, float],
    size: Size | None,
    *,
    fixed: bool,
) -> tuple[dict[str, Json], asyncio.Task[None]]:
    """`fixed`: begin at the one moment of every rehearsal, for whoever takes the clock over; else at this machine's time."""
    from cockpit.playbook.loader import load

    scenario, seed, speed = how
    playbook = load(path)
    if playbook.alb is not None and child is None:
        child = _spawn(stack)
    account = asyncio.create_task(_account(child, playbook, seed))
    await asyncio.sleep(0)  # moto gets its order before the imports below
    from cockpit.rehearsal.kube.tls import make_certificates
    from cockpit.rehearsal.servers import Servers
    from cockpit.rehearsal.world import ORIGIN, World

    origin = ORIGIN if fixed else datetime.now(UTC)
    certificates = make_certificates()
    world = World(playbook, ScaledClock(origin, time.monotonic(), speed), seed=seed, scenario=scenario, origin=origin)
    crowd = _crowd(world, size)
    servers = Servers(world, folder, stack)
    made = await account
    aws_url = await servers.balancer(made) if made else None
    world.begin()
    clock = world.storage.clock = ScaledClock(origin, time.monotonic(), speed)
    addresses = await servers.open(certificates, aws_url)
    rewritten = _rewrite(path, folder, world, addresses, made)
    ready = _ready_line(addresses, rewritten, clock, playbook)
    servers.control(clock, speed)
    engine = asyncio.create_task(_live(world, crowd, clock))
    return {**ready, "scenario": scenario, "seed": seed, "pid": os.getpid(), "folder": str(folder)}, engine


async def _live(world: World, crowd: Crowd | None, clock: ScaledClock) -> None:
    """All that happens, until cancelled, or until a fault of any of it."""
    await asyncio.gather(world.engine.run(clock, clock.speed), *([crowd.churn.run(clock, crowd.events)] if crowd else []))


def _crowd(world: World, size: Size | None) -> Crowd | None:
    if size is None:
        return None
    from cockpit.rehearsal.crowd.crowd import Crowd

    return Crowd(world, size)


def _ready_line(addresses: Addresses, playbook: Path, clock: ScaledClock, source: Playbook) -> dict[str, Json]:
    from cockpit.rehearsal.content import region_of
    from cockpit.rehearsal.rewriting import CONTEXT

    return {
        "kubeconfig": str(addresses.kubeconfig),
        "context": CONTEXT,
        "playbook": str(playbook),
        "aws_endpoint_url": addresses.aws_url,
        "prometheus_url": addresses.prometheus_url,
        "registry_url": addresses.registry_url,
        "control_url": addresses.control_url,
        "clock": {"origin": clock.origin.isoformat().replace("+00:00", "Z"), "since": clock.since, "speed": clock.speed},
        "env": {**CREDENTIALS, "AWS_DEFAULT_REGION": region_of(source), CLOCK_VARIABLE: clock.as_text()},
    }


def _rewrite(path: Path, folder: Path, world: World, addresses: Addresses, account: Account | None) -> Path:
    from cockpit.rehearsal.content import cluster_uid
    from cockpit.rehearsal.registry import hosts
    from cockpit.rehearsal.rewriting import Embedded, rewrite

    uid, registries = cluster_uid(world.cluster.seed), hosts(world.cluster)
    embedded = Embedded(uid, addresses.prometheus_url, addresses.aws_url, account, addresses.registry_url, registries)
    target = folder / "playbook.yaml"
    target.write_text(rewrite(path.read_text("utf-8"), embedded), "utf-8")
    return target


def _stopper(until_eof: bool) -> asyncio.Event:
    """An event that is set when the process is asked to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with suppress(RuntimeError, ValueError):  # not in the main thread: whoever runs us cancels
            loop.add_signal_handler(number, stop.set)
    if until_eof:
        threading.Thread(target=_wait_for_eof, args=(loop, stop), daemon=True).start()
    return stop


def _wait_for_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with suppress(RuntimeError):  # the loop may have ended first
        loop.call_soon_threadsafe(stop.set)


async def _account(child: AwsChild | None, playbook: Playbook, seed: int) -> Account | None:
    if child is None or playbook.alb is None:
        return None
    from cockpit.rehearsal.awsseed import Order
    from cockpit.rehearsal.ingress import tags

    alb, target = playbook.alb, playbook.target
    name, start = target.baseline.name, target.from_arch.value
    rules = 1 if alb.ingress else len(alb.rules)
    return await child.order(Order(seed, alb.region, name, start, len(alb.listeners), rules, tags(playbook)))
