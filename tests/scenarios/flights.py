"""Flying on the embedded world: the real command headless, from outside, or a flight in this process that a test looks into.

A scenario must end alike whatever the seed. Flights are what these tests cost, so each is flown with one seed, and with all where
COCKPIT_THOROUGH=1 is set: in CI.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cockpit.assembly import Options, launch
from cockpit.flight import Flight
from cockpit.rehearsal.client import Ready, World
from tests.thorough import either

SPEED = "120"
PLAYBOOK = Path(__file__).parent / "short.yaml"
LIMIT = 90.0
"""Wall seconds for anything that is waited for."""
SEEDS = either((1, 7, 42), (7,))

every_seed = pytest.mark.parametrize("seed", SEEDS)


@dataclass(frozen=True)
class Flown:
    """What came of a flight: its exit code, every event line, and what it said on stderr."""

    code: int
    events: tuple[Mapping[str, Any], ...]
    errors: str

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [e for e in self.events if e["type"] == kind]

    @property
    def outcome(self) -> str:
        return str(self.of("run_finished")[-1]["outcome"])

    @property
    def last_words(self) -> str:
        return str(self.events[-1]["message"])


def cockpit(*words: str, home: Path, timeout: float = 110.0) -> subprocess.CompletedProcess[str]:
    """Run a cockpit command to its end."""
    environment = {**os.environ, "COCKPIT_HOME": str(home)}
    command = [sys.executable, "-m", "cockpit", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, env=environment, stdin=subprocess.DEVNULL, check=False
    )


def rehearse(home: Path, scenario: str, seed: int, *more: str, playbook: Path | str = PLAYBOOK) -> Flown:
    """Fly a scenario to its end."""
    words: Sequence[str] = ("--headless", "--scenario", scenario, "--seed", str(seed), "--speed", SPEED, *more)
    done = cockpit("rehearse", str(playbook), *words, home=home)
    return Flown(done.returncode, tuple(json.loads(line) for line in done.stdout.splitlines()), done.stderr)


@asynccontextmanager
async def flying(
    playbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    *,
    scenario: str = "clean",
    seed: int = 1,
    speed: float = 60.0,
    autopilot: bool = False,
) -> AsyncIterator[tuple[Flight, Ready]]:
    """A flight in this process, on a world in another one."""
    with World.spawn(playbook, scenario=scenario, seed=seed, speed=speed) as world:
        ready = await world.ready()
        for name, value in ready.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COCKPIT_HOME", str(home))
        how = Options(
            context=ready.context, kubeconfig=ready.kubeconfig, clock=ready.clock, tick_seconds=0.1, autopilot=autopilot
        )
        flight = await launch(ready.playbook, how)
        try:
            yield flight, ready
        finally:
            await flight.close()


async def ended(flight: Flight) -> None:
    """Wait until the run has ended."""
    async with asyncio.timeout(LIMIT):
        while not flight.state.stage.ended:
            await flight.next_tick()
