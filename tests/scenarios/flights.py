"""Flying the real command headless on the embedded world, from outside: processes, event lines, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPEED = "120"
PLAYBOOK = Path(__file__).parent / "short.yaml"


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
