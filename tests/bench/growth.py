"""What ten times the nodes, and ten times the pods, cost: time, memory, and requests a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter

from tests.bench import processes
from tests.bench.beginning import started
from tests.bench.figures import Row, Sample
from tests.bench.flown import LIVE, flown
from tests.bench.served import Served, Size, served
from tests.bench.session import PATIENCE
from tests.bench.tapped_world import tapped_world
from tests.bench.terminal import Terminal

AT_MOST, STEADY = 11.0, 1.1
FEW, MORE_PODS, MORE_NODES = Size(500, 5_000), Size(500, 50_000), Size(5_000, 50_000)
SETTLING = 5.0
"""Seconds after every source was read: what follows a start by itself is not counted."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds until every source was read; the whole process's peak in MB; requests a minute to the API server."""

    seconds: Sample
    memory: Sample
    requests: Sample


def measure(runs: int, seconds: float) -> Iterator[Row]:
    """Six rows: pods x10 and nodes x10, in time, memory and requests."""
    sizes = (FEW, MORE_PODS, MORE_NODES)
    with ExitStack() as stack:
        worlds = {size: stack.enter_context(served(size)) for size in sizes}
        times = {size: _times(worlds[size], size, runs) for size in sizes}
        counted = _counted(worlds, seconds)
    costs = {size: Cost(times[size], *counted[size]) for size in sizes}
    for what, small, big in (("pods x10", FEW, MORE_PODS), ("nodes x10", MORE_PODS, MORE_NODES)):
        compared = f"{big} beside {small}"
        for name, part, unit, wanted, note in (
            ("time", "seconds", "s", AT_MOST, "process start until every source was read"),
            ("memory", "memory", "MB", AT_MOST, f"peak of the whole process after {seconds:.0f} s more"),
            (
                "requests",
                "requests",
                "/min",
                STEADY,
                f"to the API server, over {seconds:.0f} s once it has settled; watches go on",
            ),
        ):
            ours, peer = (attrgetter(part)(costs[size]) for size in (big, small))
            yield Row(f"growth, {what}: {name}", unit, ours, peer, f"{small}", None, wanted, f"{compared}; {note}")


def _times(world: Served, size: Size, runs: int) -> Sample:
    return Sample(tuple(started(world, size.nodes).live for _ in range(runs)))


def _counted(worlds: dict[Size, Served], seconds: float) -> dict[Size, tuple[Sample, Sample]]:
    """Memory and requests of a cockpit on each of the worlds, all at the same time: neither is a matter of time."""
    with ExitStack() as stack:
        taps = {size: stack.enter_context(tapped_world(world)) for size, world in worlds.items()}
        terminals = {size: stack.enter_context(flown(tap.world)) for size, tap in taps.items()}
        for terminal in terminals.values():
            terminal.until_shown(LIVE, patience=PATIENCE)
        _read_all(list(terminals.values()), SETTLING)
        before = {size: len(tap.kube.tap.asked) for size, tap in taps.items()}
        _read_all(list(terminals.values()), seconds)
        found = {}
        for size, tap in taps.items():
            requests = (len(tap.kube.tap.asked) - before[size]) * 60 / seconds
            memory = sum(map(processes.peak, processes.family(terminals[size].pid))) / 1e6
            found[size] = (Sample((memory,)), Sample((requests,)))
        return found


def _read_all(terminals: list[Terminal], seconds: float) -> None:
    """Take what all of them write; a terminal that nobody reads would hold its program up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for terminal in terminals:
            terminal.read(0.05)
