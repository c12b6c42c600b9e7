"""A phase that cannot be proven for want of a node: the hold says the scheduler's words, what that is called, and the move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.clock import ManualClock
from cockpit.model.playbook import AffinityMode
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.run.logbook import Logbook
from cockpit.run.state import RunState, Stage
from cockpit.run.watchman import PATIENCE, Watchman
from tests.factories import API, NOW, PLAYBOOK, phase, pod, snapshot, with_source

FULL = "0/6 nodes are available: 2 Insufficient cpu, 4 node(s) didn't match Pod's node affinity/selector. preemption: none."


def pending(after: float, words: str = FULL) -> Snapshot:
    """A pod of the moved workload without a node, so many seconds after it was first seen."""
    found = snapshot()
    lost = pod("api-lost", "", API, ready=False, unschedulable=words)
    return replace(found, monotonic=1000.0 + after, pods={**found.pods, "payments/api-lost": lost})


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
