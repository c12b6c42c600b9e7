"""Keys while everything is read anew: the API server has forgotten, and every watch at the published limit ends with 410 Gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

from tests.bench.figures import Row, Sample
from tests.bench.flown import FULL_PACE, LIVE, flown
from tests.bench.served import STORM, served
from tests.bench.session import BACK, CORNER, HELP, LONGEST, PATIENCE, QUESTION, SHORTEST
from tests.bench.tap import Tapped
from tests.bench.tapped_world import tapped_world
from tests.bench.terminal import Terminal

WANTED = 0.1
SETTLING = 5.0


def measure(times: int, seconds: float) -> Iterator[Row]:
    """One row: the worst of a hundred keys, those pressed while nothing is read anew beside them."""
    with served(STORM) as world, tapped_world(world) as tap, flown(tap.world, more=FULL_PACE) as terminal:
        terminal.until_shown(LIVE, patience=PATIENCE)
        terminal.read(SETTLING)
        before = _keys(terminal, seconds / 2)
        during: list[float] = []
        refused = 0
        for _ in range(times):
            refused += _forgotten(tap.kube)
            during += _keys(terminal, seconds)
        terminal.until_shown(LIVE, patience=PATIENCE)
        found = len(tap.kube.tap.refused)
    if not found:
        raise RuntimeError(f"none of the {refused} watches that were ended tried to go on: nothing was read anew")
    calm, shaken = Sample(tuple(before)), Sample(tuple(during))
    note = f"{STORM}; {len(during)} keys in the {seconds:.0f} s after each of {times} times, {found} watches refused with 410"
    medians = f"medians {shaken.median * 1000:.1f} / {calm.median * 1000:.1f} ms"
    yield Row(
        "key to frame p99, full resync",
        "s",
        Sample((shaken.p99,)),
        Sample((calm.p99,)),
        "before",
        WANTED,
        None,
        f"{note}; {medians}",
    )


def _forgotten(kube: Tapped) -> int:
    ended = kube.forget()
    if not ended:
        raise RuntimeError("the cockpit has no watch that could end")
    return ended


def _keys(terminal: Terminal, seconds: float) -> list[float]:
    """Help opens and closes for so long: seconds from each key to the frame that shows it. It ends with the help closed."""
    random, found = Random(11), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, mark in ((QUESTION, HELP), (BACK, CORNER)):
            terminal.read(random.uniform(SHORTEST, LONGEST))
            pressed = terminal.press(key)
            found.append(terminal.until_bytes(mark) - pressed)
    return found
