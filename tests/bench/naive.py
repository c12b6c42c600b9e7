"""What a dashboard as it is usually written sends to its terminal: measured once a run of the bench."""

from __future__ import annotations

import sys
from functools import cache

from tests.bench.figures import Sample
from tests.bench.terminal import Terminal

COMMAND = (sys.executable, "-m", "tests.bench.naive_app")
PEER = "eight panels rewritten at 1 Hz"
SETTLING = 2.0
WINDOWS, SECONDS = 2, 5.0


@cache
def rate() -> Sample:
    """Bytes a second at 120x40."""
    with Terminal(COMMAND, {}) as terminal:
        terminal.until_shown("signal 7")
        terminal.read(SETTLING)
        found = []
        for _ in range(WINDOWS):
            before = terminal.written
            terminal.read(SECONDS)
            found.append((terminal.written - before) / SECONDS)
        return Sample(tuple(found))
