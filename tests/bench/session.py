"""One cockpit at the published limit, looked at in every way at once: memory, processor, keys and bytes.

A session takes a minute, so what is measured of it stands in one table (`sessions.py`), and it is flown once a run of the bench.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from random import Random

from tests.bench import processes
from tests.bench.figures import Sample
from tests.bench.flown import FULL_PACE, LIVE, flown
from tests.bench.served import Served, Size, served
from tests.bench.terminal import Terminal

PATIENCE = 120.0
TICK = 0.25
"""Seconds: a cockpit draws at most so often."""
CORNER, HELP = "┌".encode(), b"Help"
"""What only a repainted frame of a panel has, and the help's head."""
BACK, TAB, QUESTION = b"\x1b[27u", b"\t", b"?"
"""Escape as newer terminals send it: after a bare ESC every program waits whether a sequence follows."""
NODES, PAGE_DOWN = b"1", b"\x1b[6~"
PAGES, SWITCHES = 8, 3
SHORTEST, LONGEST = 0.05, 0.15
"""Seconds between two keys: a person's pace, and never in step with the cockpit's own tick."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds until it has settled, and of the window; how many keys of each kind."""

    settling: float
    window: float
    keys: int


@dataclass(frozen=True, slots=True)
class Session:
    """Memory in bytes, processor in cores, keys in seconds; bytes of ticks of 0.25 s."""

    live: float
    """Seconds from the start until every source was read."""
    resident: int
    peak: int
    processor: float
    focus: Sample
    help: Sample
    still: tuple[int, ...]
    """Bytes of each tick in which no character on the screen changed."""
    window: tuple[int, ...]
    """Bytes of every tick."""
    paged: tuple[int, ...]
    """Bytes for each page of the list of all nodes, every row of which is another one."""
    switched: tuple[int, ...]
    """Bytes for each whole screen that takes another one's place."""
    rate: float
    """Bytes a second."""


@cache
def session(size: Size, pace: Pace) -> Session:
    """Fly it; a second asking gets the same. RuntimeError with the screen when it never gets there."""
    with served(size) as world:
        return _looked_at(world, pace)


def _looked_at(world: Served, pace: Pace) -> Session:
    with flown(world, more=FULL_PACE) as terminal:
        live = terminal.until_shown(LIVE, patience=PATIENCE) - terminal.started
        terminal.read(pace.settling)
        family = processes.family(terminal.pid)
        before, began = sum(map(processes.processor, family)), time.monotonic()
        window, still = _ticks(terminal, pace.window)
        took = time.monotonic() - began
        used = sum(map(processes.processor, family)) - before
        focus = _keys(terminal, pace.keys, [(TAB, CORNER)])
        helped = _keys(terminal, pace.keys, [(QUESTION, HELP), (BACK, CORNER)])
        switched = _pressed(terminal, [QUESTION, BACK] * SWITCHES)
        terminal.press(NODES)
        terminal.read(1.0)
        paged = _pressed(terminal, [PAGE_DOWN] * PAGES)
        family = processes.family(terminal.pid)
        return Session(
            live=live,
            resident=sum(map(processes.resident, family)),
            peak=sum(map(processes.peak, family)),
            processor=used / took,
            focus=focus,
            help=helped,
            still=still,
            window=window,
            paged=paged,
            switched=switched,
            rate=sum(window) / took,
        )


def _ticks(terminal: Terminal, seconds: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Bytes of each tick, and of those in which no character changed."""
    found, still = [], []
    end, text = time.monotonic() + seconds, terminal.screen.text
    while time.monotonic() < end:
        before = terminal.written
        terminal.read(TICK)
        found.append(terminal.written - before)
        if terminal.screen.text == text:
            still.append(found[-1])
        text = terminal.screen.text
    return tuple(found), tuple(still)


def _pressed(terminal: Terminal, keys: list[bytes]) -> tuple[int, ...]:
    """Bytes that follow each key, until long after its frame."""
    found = []
    for key in keys:
        before = terminal.written
        terminal.press(key)
        terminal.read(2 * TICK)
        found.append(terminal.written - before)
    return tuple(found)


def _keys(terminal: Terminal, count: int, round_trip: list[tuple[bytes, bytes]]) -> Sample:
    """Seconds from each key to the first bytes of the frame that shows it."""
    random, found = Random(7), []
    for n in range(count):
        key, mark = round_trip[n % len(round_trip)]
        terminal.read(random.uniform(SHORTEST, LONGEST))
        pressed = terminal.press(key)
        found.append(terminal.until_bytes(mark) - pressed)
    return Sample(tuple(found))
