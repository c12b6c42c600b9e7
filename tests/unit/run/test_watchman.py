"""A phase that cannot be proven for want of a node: the hold says the scheduler's words, what that is called, and the move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.clock import ManualClock
from cockpit.model.arch import Arch
from cockpit.model.event import EventType
from cockpit.model.playbook import AffinityMode
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.affinity import narrow
from cockpit.rules.readiness import Readiness
from cockpit.run.assess import Judgement
from cockpit.run.logbook import Logbook
from cockpit.run.state import RunState, Stage
from cockpit.run.watchman import PATIENCE, Watchman
from tests.factories import API, NOW, PLAYBOOK, phase, pod, snapshot, with_source

FULL = "0/6 nodes are available: 2 Insufficient cpu, 4 node(s) didn't match Pod's node affinity/selector. preemption: none."


def pending(after: float, words: str = FULL) -> Snapshot:
    """A pod of the workload that a phase has pinned to arm64 without a node, so many seconds after it was first seen."""
    found = snapshot()
    pinned = replace(found.deployments["payments/payments-api"], affinity=narrow(None, Arch.ARM64))
    lost = pod("api-lost", "", API, ready=False, unschedulable=words)
    return replace(
        found,
        monotonic=1000.0 + after,
        pods={**found.pods, "payments/api-lost": lost},
        deployments={**found.deployments, "payments/payments-api": pinned},
    )


@pytest.fixture
def watchman() -> Watchman:
    playbook = replace(PLAYBOOK, phases=(phase("require-arm64", affinity=AffinityMode.REQUIRED),))
    return Watchman(Logbook(ManualClock(), "run", "ana@bastion", None), playbook)


STATE = RunState(run="run", stage=Stage.PROVING, phase=0, stage_at=NOW)


def test_it_waits_before_it_holds(watchman: Watchman) -> None:
    assert watchman.stuck(pending(0), STATE) == ""
    assert watchman.stuck(pending(PATIENCE - 1), STATE) == ""
    assert watchman.stuck(snapshot(), STATE) == ""
    assert watchman.stuck(pending(PATIENCE + 1), STATE) == "", "the wait begins anew"


def test_the_hold_names_the_finding_and_the_move(watchman: Watchman) -> None:
    watchman.stuck(pending(0), STATE)
    words = watchman.stuck(pending(PATIENCE), STATE)
    assert words.startswith("1 pods of deployment/payments-api Pending: no room: 0/6 nodes are available: 2 Insufficient cpu")
    assert "R (cockpit rollback): weights back to amd64" in words


def test_words_that_nobody_knows_are_said_as_they_are(watchman: Watchman) -> None:
    odd = "waiting for a moon phase"
    watchman.stuck(pending(0, odd), STATE)
    assert watchman.stuck(pending(PATIENCE, odd), STATE) == f"1 pods of deployment/payments-api Pending: {odd}"


def test_without_nodes_to_look_at_the_words_are_said_all_the_same(watchman: Watchman) -> None:
    blind = SourceState(Freshness.STALE, 90.0)
    watchman.stuck(with_source(pending(0), SourceName.NODES, blind), STATE)
    words = watchman.stuck(with_source(pending(PATIENCE), SourceName.NODES, blind), STATE)
    assert words == f"1 pods of deployment/payments-api Pending: {FULL}"


def judged(*gates: Verdict) -> Judgement:
    way_back = Readiness(Verdict("rollback ready", Outcome.PASS, "30 pods fit"))
    return Judgement(gates, (), (), way_back)


def gate(name: str, outcome: Outcome, why: str = "") -> Verdict:
    return Verdict(name, outcome, why)


SOAKING = replace(STATE, stage=Stage.SOAKING)


def said(watchman: Watchman) -> list[str]:
    return [e.message for e in watchman._logbook.events if e.type is EventType.GATE]


def test_a_gate_that_turns_fail_and_back_is_said_whatever_else_waits(watchman: Watchman) -> None:
    unsure = gate("latency_p99 drift", Outcome.LOW_SAMPLES)
    for agents in (Outcome.PASS, Outcome.FAIL, Outcome.FAIL, Outcome.NO_DATA):
        watchman.notice(snapshot(), SOAKING, judged(unsure, gate("agents ready", agents, "crash loop")))
    first, *turns = said(watchman)
    assert first == "waiting for latency_p99 drift"
    assert turns == ["agents ready FAILS: crash loop", "agents ready fails no longer: NO_DATA"]


def test_a_way_back_that_is_lost_is_said_while_the_phase_is_proven_too(watchman: Watchman) -> None:
    lost = replace(judged(), readiness=Readiness(Verdict("rollback ready", Outcome.FAIL, "no amd64 node")))
    for verdict in (judged(), lost, lost):
        watchman.notice(snapshot(), STATE, verdict)
    assert said(watchman) == ["rollback ready FAILS: no amd64 node"]


def test_what_was_judged_last_is_kept_from_a_rollback_to_the_next_phase(watchman: Watchman) -> None:
    bad = judged(gate("agents ready", Outcome.FAIL, "crash loop"))
    kept = []
    for stage in (Stage.SOAKING, Stage.ROLLING_BACK, Stage.ROLLED_BACK):
        watchman.notice(snapshot(), replace(STATE, stage=stage), bad if stage is Stage.SOAKING else judged())
        kept.append(watchman.judged)
    watchman.begin()
    kept.append(watchman.judged)
    assert [k and (k.at, k.gates) for k in kept] == [None, *[(snapshot().time, bad.gates)] * 2, None]
