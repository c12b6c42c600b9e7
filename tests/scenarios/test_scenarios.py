"""Every scenario ends as the rehearsal page says, whatever the seed; flown by the real command over real sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scenarios.flights import PLAYBOOK, Flown, every_seed, rehearse

pytestmark = pytest.mark.slow

PHASES = ["canary-5", "canary-25", "canary-100", "require-arm64"]


def set_phases(flown: Flown) -> list[str]:
    return [str(e["phase"]) for e in flown.of("phase_started")]


def intended_and_done(flown: Flown) -> None:
    """Every write was intended before it was made, and none was made twice without a failure in between."""
    intended = [(e["lever"], e["target"]) for e in flown.of("write_intended")]
    ended = [
        (e["lever"], e["target"]) for e in flown.events if e["type"] in ("write_done", "write_failed", "drift") and "target" in e
    ]
    assert intended == ended


def well_formed(flown: Flown, home: Path) -> None:
    """Every line carries the contract's fields, and is in the private journal."""
    assert flown.events[0]["type"] == "run_started"
    for event in flown.events:
        assert {"time", "run", "type", "phase"} <= set(event)
        assert str(event["time"]).endswith("Z")
    journal = next(home.glob("runs/*/journal.jsonl"))
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [r["type"] for r in records if r["type"] != "key"] == [e["type"] for e in flown.events]
    assert journal.stat().st_mode & 0o777 == 0o600
    assert journal.parent.stat().st_mode & 0o777 == 0o700


@every_seed
@pytest.mark.parametrize("scenario", ["clean", "api-conflict", "watch-gone", "aws-throttled"])
def test_a_run_completes(scenario: str, seed: int, tmp_path: Path) -> None:
    flown = rehearse(tmp_path, scenario, seed)
    assert (flown.code, flown.outcome) == (0, "completed"), flown.last_words + flown.errors
    worth = flown.of("run_finished")[-1]["price_performance"]
    assert worth["sides"]["amd64"]["value"] > 0
    assert "m7g.xlarge at 0.1632 USD an hour" in worth["sides"]["arm64"]["basis"]
    assert set_phases(flown) == PHASES
    assert [e["to"] for e in flown.of("promoted")[:-1]] == PHASES[1:]
    assert flown.of("abort_triggered") == []
    intended_and_done(flown)
    writes = [(e["phase"], e["target"]) for e in flown.of("write_done")]
    assert len(writes) == len(set(writes)) == 7, "two rules in three phases and one Deployment, each set once"
    retries = [e for e in flown.of("source_fault") if e["source"] == "weights"]
    assert bool(retries) is (scenario == "aws-throttled"), "waiting for the load balancer is said"


@every_seed
@pytest.mark.parametrize("scenario", ["p99-regression", "error-spike"])
def test_a_bad_canary_is_rolled_back_by_its_trigger(scenario: str, seed: int, tmp_path: Path) -> None:
    flown = rehearse(tmp_path, scenario, seed)
    assert (flown.code, flown.outcome) == (1, "rolled_back"), flown.last_words + flown.errors
    assert set_phases(flown) == ["canary-5", "canary-25"], "the fault begins at 25%"
    signal = "latency_p99" if scenario == "p99-regression" else "error_rate"
    assert signal in flown.of("abort_triggered")[0]["message"]
    order = [
        e["type"] for e in flown.events if e["type"] in ("abort_triggered", "rollback_started", "rolled_back", "run_finished")
    ]
    assert order == ["abort_triggered", "rollback_started", "rolled_back", "run_finished"]
    assert all(e["after"]["arm64"] == 0 for e in flown.of("write_done")[-2:])
    well_formed(flown, tmp_path)


def test_a_bad_canary_is_held_where_the_playbook_says_hold(tmp_path: Path) -> None:
    playbook = tmp_path / "hold.yaml"
    playbook.write_text(PLAYBOOK.read_text().replace("on_abort: rollback", "on_abort: hold"))
    flown = rehearse(tmp_path, "p99-regression", 1, playbook=playbook)
    assert (flown.code, flown.outcome) == (1, "held")
    assert flown.of("held")[0]["by"] == "abort"
    assert flown.of("rollback_started") == []
    assert flown.of("write_done")[-1]["after"]["arm64"] == 25


@every_seed
@pytest.mark.parametrize(
    ("scenario", "outcome"), [("prometheus-down", "NO_DATA"), ("prometheus-nan", "NO_DATA"), ("prometheus-stale", "STALE")]
)
def test_metrics_that_fail_hold_and_move_nothing(scenario: str, outcome: str, seed: int, tmp_path: Path) -> None:
    flown = rehearse(tmp_path, scenario, seed, "--give-up-after", "900")
    assert (flown.code, flown.outcome) == (1, "held"), flown.last_words + flown.errors
    assert set_phases(flown) == ["canary-5"], "never promoted"
    assert flown.of("abort_triggered") == []
    assert flown.of("rollback_started") == []
    last = {e["gate"]: e["verdict"] for e in flown.of("verdict") if e["role"] == "gate"}
    assert last["latency_p99 drift"] == outcome
    assert len(flown.of("write_done")) == 2


@every_seed
def test_no_room_on_arm64_is_named_and_held(seed: int, tmp_path: Path) -> None:
    flown = rehearse(tmp_path, "no-arm-capacity", seed)
    assert (flown.code, flown.outcome) == (1, "held"), flown.last_words + flown.errors
    held = flown.of("held")[0]
    assert (held["phase"], held["by"]) == ("require-arm64", "stuck")
    assert "Insufficient cpu" in held["message"]


@every_seed
def test_a_phase_that_somebody_takes_back_is_held_and_says_who(seed: int, tmp_path: Path) -> None:
    flown = rehearse(tmp_path, "reverted", seed)
    assert (flown.code, flown.outcome) == (1, "held"), flown.last_words + flown.errors
    held = flown.of("held")[0]
    assert (held["phase"], held["by"]) == ("require-arm64", "drift")
    assert "kubectl-edit" in held["message"]
    assert len(flown.of("write_done")) == 7, "nothing is written over what somebody else has set"


def test_without_autopilot_a_manual_playbook_waits_and_writes_nothing(tmp_path: Path) -> None:
    flown = rehearse(tmp_path, "clean", 1, "--no-autopilot")
    assert (flown.code, flown.outcome) == (1, "held")
    assert flown.of("write_intended") == []
    assert "--autopilot" in flown.last_words
