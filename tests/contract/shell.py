"""Running `cockpit` against a served world, as somebody at a shell does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cockpit.rehearsal.client import Ready

SHORT = Path(__file__).parents[1] / "scenarios" / "short.yaml"
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What no text of a command may hold."""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """Runs `cockpit` as somebody with this home, which is also the folder they stand in, and environment."""

    home: Path
    environment: Mapping[str, str]
    playbook: Path

    def __call__(self, *words: str, **changes: str | None) -> Said:
        environment = {**self.environment, "HOME": str(self.home), "COCKPIT_HOME": str(self.home / "state"), **changes}
        kept = {k: v for k, v in environment.items() if v is not None}
        command = [sys.executable, "-P", "-m", "cockpit", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=kept, stdin=subprocess.DEVNULL, cwd=self.home, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)


def shell_of(ready: Ready, home: Path) -> Shell:
    """A shell that knows this world and nothing else."""
    environment = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(ready.kubeconfig),
        **ready.env,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return Shell(home, environment, ready.playbook)
