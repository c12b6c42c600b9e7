from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.commands.leaving import last_words
from cockpit.flight import Flight
from cockpit.run.state import Hold, HoldBy, Stage
from tests.factories import NOW
from tests.unit.run.test_flight import made


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path))
    return tmp_path


def left(stage: Stage, phase: int = 0, *, held: str = "", error: str = "") -> Flight:
    flight = made()
    hold = Hold(HoldBy.ABORT, held, NOW) if held else None
    flight.course.state = replace(flight.state, stage=stage, phase=phase, hold=hold, error=error)
    return flight


@pytest.mark.parametrize(
    ("flight", "words"),
    [
        (lambda: left(Stage.READY, -1), "left before the first phase: nothing was changed"),
        (lambda: left(Stage.SOAKING), "left in canary-5, soaking; it stays as it is"),
        (lambda: left(Stage.SOAKING, held="p99 +25%"), "left in canary-5, held (p99 +25%)"),
        (lambda: left(Stage.ROLLING_BACK), "left while rolling back from canary-5"),
        (lambda: left(Stage.ROLLED_BACK, error="p99 +25%"), "as it was before the run (p99 +25%)"),
        (lambda: left(Stage.FAILED, error="weights: denied"), "the rollback FAILED"),
        (lambda: left(Stage.COMPLETED, 2), "completed"),
        (lambda: made(read_only=True), "observed only"),
    ],
)
def test_what_became_of_the_run_comes_first(flight: Callable[[], Flight], words: str) -> None:
    assert words in next(iter(last_words(flight(), "pay.yaml")))


def test_the_ways_on_name_the_playbook_as_it_was_given(state: Path) -> None:
    told = "\n".join(last_words(left(Stage.SOAKING), "my plays/pay.yaml", "prod"))
    assert str(state / "runs" / "run" / "journal.jsonl") in told
    for command in ("status", "run", "rollback"):
        assert f"cockpit {command} 'my plays/pay.yaml' --context prod" in told


def test_after_a_rollback_there_is_nothing_to_go_back_from() -> None:
    told = "\n".join(last_words(left(Stage.ROLLED_BACK), "pay.yaml"))
    assert "cockpit rollback" not in told
    assert "cockpit run pay.yaml" in told


def test_after_a_rehearsal_only_another_one_is_offered() -> None:
    flight = left(Stage.SOAKING)
    flight.course.identity = replace(flight.identity, rehearsal="x86-gone")
    told = "\n".join(last_words(flight, "rehearsal"))
    assert "cockpit rehearse rehearsal --scenario x86-gone" in told
    assert "cockpit status" not in told
