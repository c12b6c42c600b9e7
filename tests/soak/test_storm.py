"""Eight hours of model time with a hundred changes a second: memory, tasks and files stay where they were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.thorough import SEED, figure

pytestmark = pytest.mark.slow

HOURS = figure(8.0, 0.5, 0.1)
GROWTH = figure(1.10, 1.25, 1.25)
"""Of the resident memory between a tenth of the way and the end; a short storm has not filled yet what is bounded."""
A_SECOND = 100


@pytest.mark.timeout(figure(3600, 600, 120))
def test_a_storm_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak.child", str(HOURS), str(SEED), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    sys.stdout.write(done.stdout)
    first, last = told["first"], told["last"]
    assert told["stage"] == "soaking", "the run was under way all the time"
    assert told["observations"] >= HOURS * 3600 * A_SECOND * 0.99
    assert last["resident"] < first["resident"] * GROWTH, told
    for kind in ("files", "tasks", "threads"):
        assert last[kind] <= first[kind], told
