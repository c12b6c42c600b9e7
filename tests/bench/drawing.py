"""Bytes written to the terminal in each second at 120x40: while a phase soaks, and while pods roll."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.bench.figures import Row, Sample
from tests.bench.flown import LIVE, flown
from tests.bench.naive import PEER, rate
from tests.bench.prepared import Prepared, prepared
from tests.bench.terminal import Terminal

QUIET, ROLLING = 1000.0, 3000.0
"""Wanted, in bytes a second."""
SOAKING, UNDER_WAY = "soaking", "proving"
"""The rail's words."""
SETTLING = 5.0
ROLLS_FOR = 12.0
"""Seconds after the first live picture in which the Deployment still rolls."""


def measure(windows: int, seconds: float) -> Iterator[Row]:
    """Two rows, both beside the same app that does not compare before it writes."""
    naive = rate()
    quiet = asyncio.run(_quiet(windows, seconds))
    note = f"windows of {seconds:.0f} s in canary-5 at production's pace: clock, soak, and what the metrics bring every 15 s"
    yield Row("terminal, quiet (soaking)", "B/s", quiet, naive, PEER, QUIET, None, note)
    rolling = Sample(tuple(asyncio.run(_rolling()) for _ in range(windows)))
    note = f"a window of {ROLLS_FOR:.0f} s in each of so many rollouts of require-arm64, 12 pods, from the first live picture on"
    yield Row("terminal, rollout (affinity rolling)", "B/s", rolling, naive, PEER, ROLLING, None, note)


async def _quiet(windows: int, seconds: float) -> Sample:
    async with prepared() as world:
        await world.enter(0)
        return await asyncio.to_thread(_flown, world, SOAKING, SETTLING, windows, seconds)


async def _rolling() -> float:
    async with prepared() as world:
        await world.enter(len(world.playbook.phases) - 1)
        sample = await asyncio.to_thread(_flown, world, UNDER_WAY, 0.0, 1, ROLLS_FOR)
        return sample.median


def _flown(world: Prepared, stage: str, settling: float, windows: int, seconds: float) -> Sample:
    """The cockpit on the world as it stands, measured once the rail says `stage`."""
    with flown(world.world) as terminal:
        terminal.until_shown(LIVE, stage)
        terminal.read(settling)
        return _windows(terminal, windows, seconds, stage)


def _windows(terminal: Terminal, windows: int, seconds: float, stage: str) -> Sample:
    """Bytes a second in windows one after the other. RuntimeError when the screen has left the stage before the end."""
    found = []
    for _ in range(windows):
        before = terminal.written
        terminal.read(seconds)
        found.append((terminal.written - before) / seconds)
    if stage not in terminal.screen.text:
        raise RuntimeError(f"the screen no longer shows {stage!r}:\n{terminal.screen.text}")
    return Sample(tuple(found))
