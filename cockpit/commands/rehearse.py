"""`cockpit rehearse`: the same cockpit on the embedded world, which runs in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import os
from importlib import import_module
from typing import TYPE_CHECKING

from cockpit.commands.flying import Say, headless, is_headless, playbook_path, show
from cockpit.rehearsal.client import World

if TYPE_CHECKING:
    from cockpit.flight import Flight

SPEED = 10.0
HEADLESS_SPEED = 60.0
TICK = 0.5
FAST_TICK = 0.1
"""Seconds between ticks; without a screen to feed, a fast rehearsal is judged more often."""


def run(options: argparse.Namespace) -> int:
    """Start the world, fly on it, end it."""
    if options.list_scenarios:
        return _list()
    alone = is_headless(options)
    speed = options.speed or (HEADLESS_SPEED if alone else SPEED)
    path = playbook_path(options.playbook)
    # The world starts while the screen is still being imported.
    world = World.spawn(path, scenario=options.scenario, seed=options.seed, speed=speed)
    try:
        flight = _Rehearsal(world, options, alone)
        if alone:
            return headless(flight.launch, options)
        return show(flight.launch, path.stem, options.playbook, low_bandwidth=options.low_bandwidth)
    finally:
        world.kill()


def _list() -> int:
    from cockpit.commands.serve import list_scenarios

    return list_scenarios()


class _Rehearsal:
    """Launches the flight once the world is ready."""

    def __init__(self, world: World, options: argparse.Namespace, alone: bool) -> None:
        self._world = world
        self._options = options
        self._alone = alone

    async def launch(self, say: Say) -> Flight:
        """Wait for the world, then launch as on any cluster."""
        say("the embedded world")
        imports = asyncio.create_task(asyncio.to_thread(_imports))
        ready = await self._world.ready()
        os.environ.update(ready.env)
        await imports
        from cockpit.assembly import Options, launch
        from cockpit.rehearsal.second import second_seat

        autopilot = self._options.autopilot if self._options.autopilot is not None else self._alone
        how = Options(
            context=ready.context,
            kubeconfig=ready.kubeconfig,
            autopilot=autopilot,
            alone=self._alone,
            rehearsal=self._options.scenario,
            clock=ready.clock,
            tick_seconds=FAST_TICK if self._alone else TICK,
            second_seat=second_seat(ready),
        )
        return await launch(ready.playbook, how, say)


def _imports() -> None:
    """What the flight needs, imported while the world is starting."""
    for name in ("kubernetes.config", "boto3", "cockpit.connections.kube", "cockpit.flight", "cockpit.playbook.schema"):
        import_module(name)
