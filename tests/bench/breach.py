"""From the moment that a breach can be read from Prometheus until the cockpit's abort has fired."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

from cockpit.clock import CLOCK_VARIABLE, ScaledClock
from tests.bench.figures import Row, Sample
from tests.bench.flown import LIVE, flown
from tests.bench.prepared import prepared
from tests.bench.served import NODES_STORM, Served
from tests.bench.signals import Metrics, metrics

EVERY = 5.0
"""Seconds between two rounds of the cockpit's questions: shorter than in production, so that there can be several runs."""
WANTED = EVERY + 1.0
SOAKING = "soaking"
PATIENCE = 60.0
ABORT = "{signal: error_rate, max: 1%"
"""Without `for`: a trigger that waits on purpose would only add its own time."""


def measure(runs: int) -> Iterator[Row]:
    """One row: the worst of the runs, each at another moment between two rounds."""
    found = Sample(asyncio.run(_measure(runs)))
    note = f"{NODES_STORM}; worst of {runs}, median {found.median:.2f} s; metrics every {EVERY:.0f} s, a trigger without `for`"
    yield Row("breach in Prometheus to abort fired", "s", Sample((max(found.values),)), at_most=WANTED, note=note)


async def _measure(runs: int) -> tuple[float, ...]:
    found = []
    for seed in range(runs):
        # A world each: what an abort leaves behind is not what the next one should find.
        async with prepared(NODES_STORM) as world:
            await world.enter(0)
            clock = ScaledClock.parse(world.world.env[CLOCK_VARIABLE])
            found.append(await asyncio.to_thread(_once, world.world, clock, seed))
    return tuple(found)


def _once(world: Served, clock: ScaledClock, seed: int) -> float:
    with metrics(lambda: clock.now().timestamp()) as told, tempfile.TemporaryDirectory(prefix="bench-") as home:
        with flown(replace(world, playbook=_playbook(world, told)), home) as terminal:
            terminal.until_shown(LIVE, SOAKING)
            terminal.read(1.0 + Random(seed).uniform(0, EVERY))
            breached = told.breach()
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                terminal.read(0.1)
                if fired := _fired(Path(home), clock):
                    return fired - breached
        raise RuntimeError(f"no abort was triggered within {PATIENCE:.0f} s:\n{terminal.screen.text}")


def _fired(home: Path, clock: ScaledClock) -> float:
    """When the abort was triggered, by the journal, on the machine's monotonic clock; 0 while it was not."""
    for file in home.glob("runs/*/journal.jsonl"):
        for line in file.read_text().splitlines(keepends=True):
            if line.endswith("\n") and (event := json.loads(line))["type"] == "abort_triggered":
                return clock.since + (datetime.fromisoformat(event["time"]) - clock.origin).total_seconds() / clock.speed
    return 0.0


def _playbook(world: Served, told: Metrics) -> Path:
    """The world's, with these metrics and a trigger that does not wait. In its text: YAML reads the key `on` as true."""
    text = world.playbook.read_text()
    for old, new in (
        (world.prometheus_url, f"http://127.0.0.1:{told.port}"),
        ("every: 15s", f"every: {EVERY:.0f}s"),
        (f"{ABORT}, for: 1m}}", f"{ABORT}}}"),
    ):
        if old not in text:
            raise RuntimeError(f"the rehearsal playbook no longer has {old!r}")
        text = text.replace(old, new)
    path = world.folder / "breach.yaml"
    path.write_text(text)
    return path
