"""How long until something can be seen: the first frame, every panel live, and the help."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from tests.bench.figures import Row, Sample, measured
from tests.bench.flown import COCKPIT, LIVE
from tests.bench.terminal import Terminal

BARE = (sys.executable, "-m", "tests.bench.bare_app")
PEER = "bare Textual app"
FIRST_FRAME, ALL_LIVE, HELP = 1.0, 3.0, 0.3
"""Wanted, in seconds."""
PANELS = ("1 Nodes", "6 Events")


def measure(runs: int) -> Iterator[Row]:
    """Three rows; one unmeasured start of each goes before, so that nothing has to be compiled."""
    _cockpit()
    _bare()
    # In turn, so that whatever else the machine does weighs on both alike.
    first, live, bare = (Sample(values) for values in zip(*((*_cockpit(), _bare()) for _ in range(runs)), strict=True))
    note = "process start to the panels' frames, painted, at 120x40"
    yield Row("first frame of cockpit rehearse", "s", first, bare, PEER, FIRST_FRAME, None, note)
    note = f"process start to `{LIVE}` in the header: embedded world started, every source read"
    yield Row("every panel live", "s", live, bare, f"{PEER}'s first frame", ALL_LIVE, None, note)
    helped = measured(runs, lambda: _process((*COCKPIT, "--help")))
    yield Row(
        "cockpit --help", "s", helped, measured(runs, lambda: _process((sys.executable, "-c", "pass"))), "python -c pass", HELP
    )


def _cockpit() -> tuple[float, float]:
    command = (*COCKPIT, "rehearse", "--speed", "1")
    with tempfile.TemporaryDirectory(prefix="bench-") as home, Terminal(command, {"COCKPIT_HOME": home}) as terminal:
        first = terminal.until_shown(*PANELS) - terminal.started
        return first, terminal.until_shown(LIVE) - terminal.started


def _bare() -> float:
    with Terminal(BARE, {}) as terminal:
        return terminal.until_shown("a bare screen") - terminal.started


def _process(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
