"""A rollback from every phase, state and fault puts back what the run has changed, and nothing else.

All of them under COCKPIT_THOROUGH=1; otherwise a few of each fault. COCKPIT_SEED draws others.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random

import pytest

from cockpit.run.state import Stage
from tests.rollback.cases import PHASES, Case, Fault, every
from tests.rollback.flown import fly, may_fail
from tests.rollback.ground import Ground, grounded
from tests.thorough import SEED, either, figure

pytestmark = pytest.mark.slow

SAMPLES = 2
"""Cases of each fault in a quick run."""
LAST = PHASES - 1
REPORTED = {
    Fault.PAUSED: "spec.paused of deployment/payments-api by kubectl-edit",
    Fault.SCALED: "spec.replicas of deployment/payments-api by kubectl-edit",
    Fault.EDITED: "spec.template.spec.containers of deployment/payments-api by kubectl-edit",
}
"""Others' changes of what the affinity has moved, as a rollback tells them; only the last phase moves it."""
TOGETHER: Sequence[tuple[Fault, ...]] = either([(fault,) for fault in Fault], [tuple(Fault)])
"""Faults that share a world, which takes longer to start than a rollback."""


def chosen(fault: Fault) -> Sequence[Case]:
    whole = [case for case in every() if case.fault is fault]
    return figure(whole, Random(f"{SEED} {fault}").sample(whole, 3 * SAMPLES), Random(f"{SEED} {fault}").sample(whole, 1))


@pytest.fixture
async def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    async with grounded(tmp_path, monkeypatch, SEED) as made:
        yield made


@pytest.mark.timeout(either(1800, 180))
@pytest.mark.parametrize("faults", TOGETHER, ids=str)
async def test_rollback_from_every_phase_and_state(faults: Sequence[Fault], ground: Ground, tmp_path: Path) -> None:
    for fault in faults:
        firsts = [await brought_back(case, ground, tmp_path) for case in chosen(fault)]
        wrote = [first for first in firsts if first is not None]
        slowest = max(wrote, default=0.0)
        sys.stdout.write(f"{fault}: {len(firsts)} rollbacks, {len(wrote)} wrote, at most {slowest:.3f} s after Enter\n")


async def brought_back(case: Case, ground: Ground, folder: Path) -> float | None:
    """Fly it; wall seconds from Enter to the first write, None when there was nothing to write."""
    flown = await fly(case, ground, folder)
    assert flown.wrong == (), f"{case}: {flown.wrong} are not as before: {flown.said}"
    if flown.stage is Stage.FAILED and may_fail(case):
        assert "paused" in flown.error, case
    else:
        assert flown.stage is Stage.ROLLED_BACK, f"{case}: {flown.error}: {flown.said}"
    if case.phase == LAST and (named := REPORTED.get(case.fault)):
        assert named in " ".join(flown.said), f"{case}: {named} is not reported: {flown.said}"
    return flown.first
