from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.plan import Proof, Reading
from cockpit.model.verdict import Outcome, Verdict
from cockpit.run import machine
from cockpit.run.state import HoldBy, RunState, Stage
from tests.factories import NOW, PLAYBOOK

READY = RunState("run")
PASSING = (Verdict("p99", Outcome.PASS, "fine"),)


def soaking(phase: int = 0, soaked: float = 0.0) -> RunState:
    state = machine.proven(machine.written(machine.begin(READY, phase, NOW), NOW), NOW)
    state = machine.tick(state, 0.0, PASSING)
    return machine.tick(state, soaked, PASSING)


def verdicts(outcome: Outcome) -> tuple[Verdict, ...]:
    return (*PASSING, Verdict("errors", outcome, "why"))


def test_a_phase_goes_from_setting_through_proving_to_soaking() -> None:
    setting = machine.begin(READY, 0, NOW)
    proving = machine.written(setting, NOW)
    assert [setting.stage, proving.stage, machine.proven(proving, NOW).stage] == [Stage.SETTING, Stage.PROVING, Stage.SOAKING]
    assert machine.proven(setting, NOW) is setting
    assert machine.written(READY, NOW) is READY


def test_soak_time_counts_only_while_soaking() -> None:
    assert soaking(soaked=42.0).soaked == 42.0
    proving = machine.written(machine.begin(READY, 0, NOW), NOW)
    assert machine.tick(machine.tick(proving, 0.0, PASSING), 99.0, PASSING).soaked == 0.0


@pytest.mark.parametrize("outcome", [Outcome.NO_DATA, Outcome.STALE, Outcome.ERROR, Outcome.LOW_SAMPLES])
def test_a_gate_that_says_nothing_stops_the_soak_clock(outcome: Outcome) -> None:
    state = machine.tick(soaking(soaked=42.0), 100.0, verdicts(outcome))
    assert state.soaked == 42.0
    again = machine.tick(state, 110.0, PASSING)
    assert again.soaked == 42.0, "when it turned between the ticks is not known"
    assert machine.tick(again, 120.0, PASSING).soaked == 52.0


def test_a_failure_starts_the_soak_anew() -> None:
    assert machine.tick(soaking(soaked=42.0), 50.0, verdicts(Outcome.FAIL)).soaked == 0.0


def test_a_hold_stops_the_clock_until_it_is_resumed_and_keeps_its_first_reason() -> None:
    held = machine.hold(soaking(soaked=42.0), HoldBy.OPERATOR, "lunch", NOW)
    again = machine.hold(held, HoldBy.ABORT, "other", NOW + timedelta(seconds=1))
    assert again.hold is not None
    assert again.hold.reason == "lunch"
    later = machine.tick(again, 500.0, PASSING)
    assert later.soaked == 42.0
    resumed = machine.tick(machine.resume(later), 510.0, PASSING)
    assert machine.tick(resumed, 520.0, PASSING).soaked == 52.0


def test_nothing_holds_before_the_start_nor_after_the_end() -> None:
    for state in (READY, machine.end(READY, Stage.COMPLETED, NOW), machine.roll_back(READY, NOW)):
        assert machine.hold(state, HoldBy.OPERATOR, "x", NOW) is state


def test_promote_waits_for_the_soak_and_for_every_gate() -> None:
    soak = PLAYBOOK.phases[0].soak
    assert machine.permit(soaking(soaked=soak), PLAYBOOK, PASSING) == machine.Permit(True)
    early = machine.permit(soaking(soaked=soak - 61), PLAYBOOK, PASSING)
    assert early == machine.Permit(False, ("soak 1:01",))
    blind = machine.permit(soaking(soaked=soak), PLAYBOOK, verdicts(Outcome.NO_DATA))
    assert blind.why == ("errors NO_DATA",)


def test_promote_waits_for_the_way_back_and_for_work_under_way() -> None:
    red = Verdict("rollback ready", Outcome.FAIL, "no amd64 node")
    assert machine.permit(READY, PLAYBOOK, (), way_back=red).why == ("rollback ready: no amd64 node",)
    assert machine.permit(READY, PLAYBOOK, (), busy="setting canary-5").allowed is False
    assert machine.permit(READY, PLAYBOOK, ()).allowed is True


@given(
    st.sampled_from([stage for stage in Stage if stage is not Stage.READY]),
    st.floats(0, 500),
    st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=5),
    st.booleans(),
)
def test_only_pass_promotes(stage: Stage, soaked: float, outcomes: list[Outcome], held: bool) -> None:
    from dataclasses import replace

    state = replace(soaking(soaked=soaked), stage=stage)
    if held:
        state = machine.hold(state, HoldBy.OPERATOR, "x", NOW)
    gates = [Verdict(f"g{i}", o, "") for i, o in enumerate(outcomes)]
    expected = (
        stage is Stage.SOAKING and state.hold is None and soaked >= PLAYBOOK.phases[0].soak and set(outcomes) == {Outcome.PASS}
    )
    assert machine.permit(state, PLAYBOOK, gates).allowed is expected


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (0.2, "0:01"), (61, "1:01"), (3661, "1:01:01"), (59.5, "1:00")])
def test_minutes(seconds: float, words: str) -> None:
    assert machine.minutes(seconds) == words


def test_what_has_passed_rounds_down() -> None:
    assert [machine.minutes(seconds, passed=True) for seconds in (0.9, 59.99, 61.2)] == ["0:00", "0:59", "1:01"]


def test_a_process_that_was_stopped_is_credited_no_more_than_a_tick_may_take() -> None:
    asleep = machine.tick(soaking(soaked=42.0), 42.0 + 3600.0, PASSING, longest=5.0)
    assert asleep.soaked == 47.0
    assert machine.tick(asleep, 42.0 + 3600.5, PASSING, longest=5.0).soaked == 47.5


@pytest.mark.parametrize("proof", Proof)
def test_a_phase_is_left_only_while_what_it_has_set_is_proven_to_stand(proof: Proof) -> None:
    stands = Reading("weights", "arm64 5%", "arm64 5%", "", Proof.PROVEN)
    found = Reading("affinity", "arm64", "amd64", "", proof, "somebody has rolled it back")
    permit = machine.permit(soaking(soaked=PLAYBOOK.phases[0].soak), PLAYBOOK, PASSING, readings=(stands, found))
    assert permit.allowed is (proof is Proof.PROVEN)
    assert permit.why == (() if permit.allowed else (f"affinity {proof}: somebody has rolled it back",))
