"""The shipped playbooks flown on the real control plane: completed, held, and rolled back from each phase."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.model.arch import Arch
from cockpit.rehearsal.aws import Account
from tests.real.flights import WEIGHTS, Bench, assert_ended, bench, load_balancer, operator_may
from tests.real.kind.cluster import arches_of
from tests.real.plane import Plane
from tests.real.writes import AuditLog, assert_same_writes
from tests.scenarios.flights import Flown

PHASES = ("canary-5", "canary-25", "canary-100", "require-arm64")
BASELINE, CANARY = "payments-api", "payments-api-arm64"


@pytest.fixture(scope="module")
def account(plane: Plane) -> Iterator[Account]:
    """A load balancer, and the operator's permissions."""
    with operator_may(plane, WEIGHTS), load_balancer() as account:
        yield account


@pytest.fixture
async def weights(plane: Plane, account: Account, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(plane, account, WEIGHTS, tmp_path) as made:
        yield made


def writes(flown: Flown) -> list[tuple[str, str]]:
    """Phase and lever of each write."""
    return [(str(e["phase"]), str(e["lever"])) for e in flown.of("write_done")]


def set_up_to(phase: str) -> list[tuple[str, str]]:
    """The writes that bring a run into a phase: one for the listener and one for the rule, or one for the Deployment."""
    flown = PHASES[: PHASES.index(phase) + 1]
    return [(p, lever) for p in flown for lever in (["affinity"] if p == PHASES[-1] else ["weights", "weights"])]


async def test_completed_and_taken_back_by_a_cockpit_that_knows_nothing_of_it(plane: Plane, weights: Bench) -> None:
    audit, before = AuditLog(plane), weights.as_it_is()
    flown = await weights.fly("--autopilot")
    assert_ended(flown, 0, "completed")
    assert writes(flown) == set_up_to(PHASES[-1])
    assert weights.service.share(Arch.ARM64) == 1.0
    assert set(arches_of(plane.admin, BASELINE)) == set(arches_of(plane.admin, CANARY)) == {"arm64"}
    after = weights.as_it_is()
    assert {name for name in before if before[name] != after[name]} == {
        BASELINE,
        *weights.account.listeners,
        *weights.account.rules,
    }

    back = await weights.roll_back()
    assert_ended(back, 0, "rolled_back")
    assert sorted(writes(back)) == [("", "affinity"), ("", "weights"), ("", "weights")], "all at the same moment"
    assert weights.as_it_is() == before
    assert set(arches_of(plane.admin, BASELINE)) == {"amd64"}
    assert_same_writes(weights, audit.read())


async def test_held_where_it_is_when_the_metrics_are_gone_and_taken_back_without_them(plane: Plane, weights: Bench) -> None:
    audit, before = AuditLog(plane), weights.as_it_is()
    flown = await weights.fly("--autopilot", "--give-up-after", "8", proven={"canary-5": weights.service.gone})
    assert_ended(flown, 1, "held")
    assert "no progress for 8 s" in flown.last_words
    assert writes(flown) == set_up_to("canary-5")
    assert flown.of("abort_triggered") == []
    assert weights.service.share(Arch.ARM64) == 0.05

    back = await weights.roll_back()
    assert_ended(back, 0, "rolled_back")
    assert weights.as_it_is() == before
    assert_same_writes(weights, audit.read())


@pytest.mark.parametrize("phase", PHASES)
async def test_rolled_back_from(phase: str, plane: Plane, weights: Bench) -> None:
    audit, before, pods = AuditLog(plane), weights.as_it_is(), names(weights)

    async def errors() -> None:
        assert weights.as_it_is() != before
        weights.service.errors = 0.05

    flown = await weights.fly("--autopilot", proven={phase: errors})
    assert_ended(flown, 1, "rolled_back")
    assert [e["phase"] for e in flown.of("abort_triggered")] == [phase]
    # All of the way back is sent at the same moment: no phase moves the canary.
    home = (["affinity"] if phase == PHASES[-1] else []) + ["weights", "weights"]
    done, set_up = writes(flown), set_up_to(phase)
    assert done[: len(set_up)] == set_up
    assert sorted(done[len(set_up) :]) == [(phase, lever) for lever in home]
    assert weights.as_it_is() == before
    assert set(arches_of(plane.admin, BASELINE)) == {"amd64"}
    assert (names(weights) == pods) is (phase != PHASES[-1]), "weights alone roll no pod"
    assert_same_writes(weights, audit.read())


def names(bench: Bench) -> set[str]:
    return {pod["metadata"]["name"] for name in (BASELINE, CANARY) for pod in bench.pods(name)}
