"""Memory, processor, keys and bytes of the whole cockpit at 5,000 nodes and 150,000 pods, quiet and at 1,000 events a second."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from operator import attrgetter

from tests.bench import informers
from tests.bench.figures import Row, Sample
from tests.bench.naive import PEER as NAIVE_PEER
from tests.bench.naive import rate as naive_rate
from tests.bench.peers import Missing
from tests.bench.served import QUIET, STORM, Served, environment, served
from tests.bench.session import TICK, Pace, session

MB = 1e6
MEMORY, OF_TYPED, OF_DYNAMIC = 150.0, 1 / 15, 1 / 40
IDLE, BUSY, OF_WATCH = 0.5, 10.0, 1 / 4
KEY, OF_QUIET = 0.050, 1.3
STILL, RATE, WHOLE = 16.0, 1_000.0, 7_000.0
"""Wanted: MB; percent of a core; seconds; bytes a tick, a second, a tick."""
PATIENCE = 120.0


def memory(pace: Pace) -> Iterator[Row]:
    """Resident memory beside each kind of informer. A peer that fails leaves the others."""
    ours = Sample((session(STORM, pace).peak / MB,))
    note = f"peak of the whole cockpit (and what it started) at {STORM}, screens opened; peers: peak of a process that holds all"
    yield Row("memory at the published limit", "MB", ours, at_most=MEMORY, note=note)
    with served(QUIET) as world:
        for way, wanted in (("typed", OF_TYPED), ("dynamic", OF_DYNAMIC), ("metadata", None)):
            yield _informer(world, way, ours, wanted)


def _informer(world: Served, way: str, ours: Sample, wanted: float | None) -> Row:
    name, peer_name = f"memory beside a {way} informer", f"client-go, {way}"
    try:
        found = informers.held(world, way)
    except (Missing, RuntimeError) as error:
        return Row(name, "MB", ours, None, peer_name, None, wanted, missing=str(error))
    note = f"in step after {found['seconds']:.1f} s with {found['nodes']:,.0f} nodes and {found['pods']:,.0f} pods"
    return Row(name, "MB", ours, Sample((found["peak"] / MB,)), peer_name, None, wanted, note)


def processor(pace: Pace) -> Iterator[Row]:
    """Percent of a core, quiet and at 1,000 events a second."""
    quiet, storm = (Sample((session(size, pace).processor * 100,)) for size in (QUIET, STORM))
    window = f"over {pace.window:.0f} s, {pace.settling:.0f} s after every source was read"
    yield Row("processor, quiet", "% of a core", quiet, at_most=IDLE, note=f"{QUIET}, {window}")
    name, peer_name = "processor, 1,000 events/s", "official client's typed watch"
    try:
        found = _typed_watch(pace.window)
    except RuntimeError as error:
        yield Row(name, "% of a core", storm, None, peer_name, BUSY, OF_WATCH, missing=str(error))
        return
    peer = Sample((found["processor"] * 100,))
    theirs = f"the peer watches all nodes and pods, took {found['events']:,.0f} events/s and {found['peak'] / MB:.0f} MB"
    note = f"{STORM}, {window}; {theirs}"
    yield Row(name, "% of a core", storm, peer, peer_name, BUSY, OF_WATCH, note)


def _typed_watch(seconds: float) -> dict[str, float]:
    with served(STORM) as world:
        command = [sys.executable, "-m", "tests.bench.watch_child", str(world.kubeconfig), world.context, str(seconds)]
        try:
            done = subprocess.run(
                command, env=environment(world), capture_output=True, text=True, timeout=seconds + PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError("the typed watch did not end in time") from None
    if done.returncode:
        raise RuntimeError(f"the typed watch ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def keys(pace: Pace) -> Iterator[Row]:
    """From a key to the first bytes of the frame that shows it, in the worst of a hundred."""
    quiet, storm = session(QUIET, pace), session(STORM, pace)
    for name, of, what in (
        ("key to frame p99, focus moves", attrgetter("focus"), "Tab until a panel's frame is redrawn"),
        ("key to frame p99, help opens or closes", attrgetter("help"), "? and Escape until the whole screen is another one"),
    ):
        calm, shaken = of(quiet), of(storm)
        medians = f"medians {calm.median * 1000:.1f} / {shaken.median * 1000:.1f} ms"
        note = f"{what}; {len(shaken.values)} keys at a person's pace; {medians}"
        yield Row(name, "s", Sample((shaken.p99,)), Sample((calm.p99,)), "quiet", KEY, OF_QUIET, f"{STORM}: {note}")


def terminal_bytes(pace: Pace) -> Iterator[Row]:
    """What goes over the line at 120x40: when nothing changes, on a quiet run, and when everything does."""
    quiet, storm = session(QUIET, pace), session(STORM, pace)
    naive = naive_rate()
    whole = Sample((naive.median * TICK,))
    each = f"a tick is {TICK} s"
    still = Sample((sum(quiet.still) / max(1, len(quiet.still)),))
    note = f"mean of the {len(quiet.still)} ticks of a quiet run in which no character changed; {each}"
    yield Row("terminal, nothing visible changed", "B/tick", still, whole, NAIVE_PEER, STILL, None, note)
    note = f"{QUIET}, no phase under way, window of {pace.window:.0f} s"
    yield Row("terminal, quiet run at the limit", "B/s", Sample((quiet.rate,)), naive, NAIVE_PEER, RATE, None, note)
    most, once = Sample((max(*storm.window, *storm.paged),)), Sample((naive.median,))
    note = f"the largest tick at {STORM}: of the main screen, or a page of the list of all nodes, every row of which is new"
    name = "terminal, everything changing"
    yield Row(
        name, "B/tick", most, once, f"{NAIVE_PEER}, one time", WHOLE, None, f"{note}; {storm.rate:,.0f} B/s on the main screen"
    )
    switched = Sample(tuple(float(count) for count in storm.switched))
    note = "help opens and closes: every line of the screen is another one; not a tick, but what a key costs"
    yield Row("terminal, another whole screen", "B", switched, once, f"{NAIVE_PEER}, one time", WHOLE, None, note)
