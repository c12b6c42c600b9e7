"""`cockpit rehearse` of a playbook for two persons: what it says opens the second engineer's cockpit on the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.model.json import Json

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "affinity-only.yaml"


@contextmanager
def rehearsing(playbook: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cockpit", "rehearse", str(playbook), "--headless", "--speed", "20"]
    environment = {**os.environ, "COCKPIT_HOME": str(home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


def said(process: subprocess.Popen[str], kind: str) -> dict[str, Json]:
    """Its next event of this type."""
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Json] = json.loads(line)
        if event["type"] == kind:
            return event
    raise AssertionError(f"it ended without {kind}")


def flown(command: str, *more: str, home: Path) -> tuple[int, list[dict[str, Json]], str]:
    """The second engineer's own terminal, where nothing of the first one's is set."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "COCKPIT_HOME": str(home / "state")}
    words = [*command.split(), "--headless", "--give-up-after", "1", *more]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_it_says_how_to_open_the_second_cockpit(tmp_path: Path) -> None:
    playbook = tmp_path / "two.yaml"
    playbook.write_text(PLAYBOOK.read_text().replace("promote: manual", "promote: two_person"))
    with rehearsing(playbook, tmp_path / "first") as first:
        event = said(first, "controls")
        seat = str(event["second_seat"])
        assert f"in another terminal `{seat}` opens the second engineer's cockpit (context rehearsal-second)" in str(
            event["message"]
        )
        said(first, "phase_started")
        code, _, words = flown(seat, home=tmp_path)
        assert (code, words.count("has the controls of ledger-worker")) == (4, 1), words
        _, events, words = flown(seat, "--observe", home=tmp_path)
        assert events, words
        assert (events[0]["type"], events[0]["context"]) == ("run_started", "rehearsal-second")
        assert event["run"] in {e["run"] for e in events}, "it follows the first one's run"
    assert not Path(seat.split()[-1]).exists(), "it goes with the world"


def test_a_playbook_for_one_person_says_nothing_of_it(tmp_path: Path) -> None:
    with rehearsing(PLAYBOOK, tmp_path / "first") as first:
        assert "second_seat" not in said(first, "controls")
