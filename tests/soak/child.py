"""A cockpit with its screen under a storm, in a process that measures itself: `python -m tests.soak.child HOURS SEED FOLDER`."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from cockpit.clock import ManualClock
from cockpit.flight import Flight
from cockpit.journal import Journal
from cockpit.run.crew import Crew
from cockpit.run.frame import Identity
from cockpit.run.logbook import Logbook
from screens.app import CockpitApp
from tests.factories import PLAYBOOK
from tests.levers import ValueLever
from tests.screens.fakes import Steady as Hand
from tests.soak.storm import Storm

TICK = 0.5
DRAWN_EVERY = 20
"""Ticks: the screen draws what has changed since."""
SYNCED = 20
KEYS = ("1", "escape", "l", "escape", "m", "escape", "d", "escape", "space", "space", "question_mark", "escape")


def measured() -> dict[str, int]:
    """What this process holds now. Memory in KiB."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return {
        "resident": resident,
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
    }


async def main(hours: float, seed: int, folder: Path) -> dict[str, object]:
    """Live through it; measured after a tenth, and at the end."""
    clock = ManualClock()
    storm = Storm(clock, seed)
    crew = Crew(PLAYBOOK, {name: ValueLever(name) for name in ("weights", "affinity")})
    journal = Journal(folder / "journal.jsonl")
    flight = Flight(
        crew,
        [storm],
        Identity("rehearsal", "ana@bastion"),
        clock,
        Logbook(clock, "run", "ana@bastion", journal),
        tick_seconds=3600,
    )

    async def launch(say: Callable[[str], None]) -> Flight:
        say("starting")
        flight.start()
        return flight

    app = CockpitApp(launch, "payments-api", now=Hand(), tick=3600.0)
    ticks = int(hours * 3600 / TICK)
    first: dict[str, int] = {}
    peak = 0
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for n in range(ticks):
            await clock.advance(TICK)
            flight.tick()
            if n == SYNCED:
                assert flight.promote(None) == "", "a storm over a run that has not begun proves little"
            if n % DRAWN_EVERY == 0:
                await pilot.press(KEYS[n // DRAWN_EVERY % len(KEYS)])
                app.tick()
                await pilot.pause()
            if n < ticks // 10:
                peak = max(peak, len(asyncio.all_tasks()))
            elif n == ticks // 10:
                first = {**measured(), "tasks": peak}
        last = measured()
    return {"first": first, "last": last, "observations": storm.told, "ticks": ticks, "stage": str(flight.state.stage)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))))
