"""What `run` and `rehearse` share: the same flight with a screen or without."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.allocator import give_back
from cockpit.commands.out import line
from cockpit.errors import Exit, UsageError
from cockpit.quiet import Quiet

if TYPE_CHECKING:
    from cockpit.flight import Flight

Say = Callable[[str], None]
Launch = Callable[[Say], Awaitable["Flight"]]
"""Builds a flight; says what it is doing meanwhile."""


def is_headless(options: argparse.Namespace) -> bool:
    """No screen was asked for, or there is no terminal for one."""
    return bool(options.headless) or not (sys.stdout.isatty() and sys.stdin.isatty())


def show(launch: Launch, title: str, playbook: str, context: str | None = None, *, low_bandwidth: bool | None = None) -> int:
    """Fly on the screen: the one door to `screens`, opened by name so that nothing here imports a terminal's libraries.

    `playbook` and `context` are what the command line named, for the last words once the screen is gone. `low_bandwidth` draws
    less, for a slow line (None: the line is measured).
    """
    flown: list[Flight] = []

    async def kept(say: Say) -> Flight:
        give_back()
        flown.append(await launch(say))
        flown[-1].between_ticks = quiet.rest
        return flown[-1]

    with Quiet() as quiet:
        # Launching is heavy, and begins once the first frame is painted: beside the screen's import it would keep it waiting.
        code = int(asyncio.run(import_module("screens.app").run(kept, title, low_bandwidth)))
    for flight in flown:
        from cockpit.commands.leaving import last_words

        with suppress(OSError):  # the terminal itself may have gone
            for text in last_words(flight, playbook, context):
                line(text)
    return code


def headless(launch: Launch, options: argparse.Namespace) -> int:
    """Fly without a screen: event lines on stdout, start-up words nowhere."""

    async def kept(say: Say) -> Flight:
        give_back()
        flight = await launch(say)
        flight.between_ticks = quiet.rest
        return flight

    with Quiet() as quiet:
        return int(asyncio.run(_headless(kept, options)))


async def _headless(launch: Launch, options: argparse.Namespace) -> Exit:
    from cockpit.headless import Output, fly

    stopped = asyncio.create_task(_fly(launch, lambda flight: fly(flight, line, Output(options.output), options.give_up_after)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.cancel)
    try:
        return await stopped
    except asyncio.CancelledError:
        sys.stderr.write("cockpit: stopped; what was written stays written (cockpit status shows where the run stands)\n")
        return Exit.ENDED


async def _fly(launch: Launch, fly: Callable[[Flight], Awaitable[Exit]]) -> Exit:
    return await fly(await launch(lambda _: None))


def playbook_path(name: str) -> Path:
    """The file of a playbook given by path or bundled name. UsageError with the names there are."""
    from cockpit.playbook.loader import find

    return find(name)


def refuse_both(options: argparse.Namespace, first: str, second: str) -> None:
    """UsageError when two options that exclude each other are both given."""
    if getattr(options, first) and getattr(options, second):
        raise UsageError(f"--{first.replace('_', '-')} and --{second.replace('_', '-')} exclude each other")
