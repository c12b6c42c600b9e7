"""The real `cockpit run` on a served world, in a terminal."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.served import Served
from tests.bench.terminal import Terminal

COCKPIT = (sys.executable, "-m", "cockpit")
LIVE = "● LIVE"
"""The header's word when no source is unsynced, stale or faulty."""
FULL_PACE = ("--no-low-bandwidth",)
"""For measurements of drawing: a machine that is busy starting may take its own terminal for a slow line."""
PANELS = ("1 Nodes", "2 Traffic", "3 p99", "4 Agents", "5 Gates", "6 Events")


@contextmanager
def flown(world: Served, home: str = "", more: tuple[str, ...] = ()) -> Iterator[Terminal]:
    """The cockpit, ended on leaving. `home` gets its journal, for those who want to read it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as own:
        command = (*COCKPIT, "run", str(world.playbook), "--context", world.context, *more)
        with Terminal(command, {**world.env, "COCKPIT_HOME": home or own}) as terminal:
            yield terminal
