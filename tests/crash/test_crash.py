"""SIGKILL at every point of a whole run and of its rollback: the next cockpit knows what became of each write, goes on without
doing anything twice, and leads home to the letter.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cockpit.model.playbook import Alb
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from cockpit.run.state import Stage
from tests.contract.affinity_bench import Bench, affinity_bench
from tests.contract.balancer import account
from tests.contract.leaping import LeapingClock
from tests.contract.weights_bench import weights_bench
from tests.crash.flown import RUN, board
from tests.crash.world import Audit, Nursery, audited, nursery
from tests.thorough import SEED, figure

NEVER = 10**9
SAMPLE, FEW = 4, 20


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")


@dataclass
class World:
    cluster: Bench
    kubeconfig: Path
    alb: Alb
    audit: Audit
    rules: Any

    async def picture(self) -> tuple[str, str]:
        """The Deployment and the rules with their tags, to the letter."""
        return self.cluster.picture(), await self.rules()

    def order(self, home: Path, point: int) -> dict[str, Any]:
        groups = {str(arch): arn for arch, arn in self.alb.target_groups.items()}
        alb = {"region": self.alb.region, "groups": groups, "listeners": self.alb.listeners, "rules": self.alb.rules}
        url = {"url": self.alb.endpoint_url}
        return {"kubeconfig": str(self.kubeconfig), "alb": {**alb, **url}, "home": str(home), "point": point}


@asynccontextmanager
async def world(folder: Path, certificates: Certificates, balancer: tuple[str, Alb]) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(affinity_bench(folder, certificates))
        cluster.settle()
        weights = await stack.enter_async_context(weights_bench(*balancer))
        audit = Audit(balancer[1])
        alb = replace(balancer[1], endpoint_url=await stack.enter_async_context(audited(balancer[0], audit)))
        audit.watch(cluster.storage)
        rolling = asyncio.create_task(_roll(cluster))
        stack.callback(rolling.cancel)
        yield World(cluster, folder / "0" / "config", alb, audit, weights.picture)


async def _roll(cluster: Bench) -> None:
    """The controller, which rolls everything out at once."""
    while True:
        found = cluster.get()
        if found["metadata"]["generation"] != found["status"].get("observedGeneration"):
            cluster.settle()
        await asyncio.sleep(0.01)


def new(folder: Path) -> Path:
    folder.mkdir()
    return folder


@dataclass
class Bed:
    """What all worlds of these tests are made from."""

    certificates: Certificates
    balancer: tuple[str, Alb]
    crew: Nursery


async def crash_and_resume(point: int, folder: Path, bed: Bed, monkeypatch: pytest.MonkeyPatch) -> str:
    """Kill at this point, resume, go home; what was found, in a word."""
    async with world(new(folder), bed.certificates, bed.balancer) as made:
        before = await made.picture()
        first, second = folder / "first", folder / "first" if point % 2 else folder / "second"
        new(first)
        code = await bed.crew.fly(made.order(first, point))
        assert code in (-9, 0), f"point {point}"
        monkeypatch.setenv("COCKPIT_HOME", str(second))
        async with AsyncExitStack() as stack:
            run = RUN if first == second else RUN.replace("1f3a", "2222")
            cockpit = await board(stack, made.kubeconfig, made.alb, LeapingClock(), epoch=2, run=run)
            taken = await cockpit.sharing.take_over(cockpit.fence)
            told = [one.found for one in cockpit.sharing.reconciled]
            assert "contradicted" not in told, f"point {point}: {cockpit.sharing.reconciled}"
            record = cockpit.keeper.record
            assert record is None or record.intents == (), f"point {point}: everything is reconciled"
            cockpit.state = taken.state or cockpit.state
            ended = record is not None and record.ended
            if not ended and cockpit.state.stage in (Stage.READY, Stage.PROVING, Stage.SOAKING):
                await cockpit.fly()
            outcome = await cockpit.home()
            assert outcome.safe, f"point {point}: {outcome.failures}"
        assert await made.picture() == before, f"point {point}: everything is as before the run"
        assert len(made.audit.affinities) - 1 in (0, 2), f"point {point}: {made.audit.affinities}"
        for target, given in made.audit.given.items():
            assert given in ([], [20, 0], [20, 100, 0]), f"point {point}: {target} was given {given}"
        return "+".join(told) or "nothing open"


async def points(folder: Path, bed: Bed) -> list[str]:
    """Every point of an uninterrupted run, by what has just happened there."""
    async with world(new(folder), bed.certificates, bed.balancer) as made:
        before, home = await made.picture(), new(folder / "home")
        assert await bed.crew.fly(made.order(home, NEVER)) == 0
        assert await made.picture() == before
        assert set(map(tuple, made.audit.given.values())) == {(20, 100, 0)}
        assert len(made.audit.affinities) == 3
        return list(json.loads((home / "points.json").read_text()))


def chosen(everything: Sequence[int]) -> Sequence[int]:
    """The points to be killed at."""
    count = figure(len(everything), FEW, SAMPLE)
    return sorted(Random(SEED).sample(everything, count))


@pytest.mark.timeout(1800)
async def test_killed_anywhere_it_is_reconciled_and_goes_home(
    tmp_path: Path, certificates: Certificates, balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[int, str] = {}
    async with nursery() as crew:
        bed = Bed(certificates, balancer, crew)
        passed = await points(tmp_path / "whole", bed)
        everything = range(1, len(passed) + 1)
        for point in chosen(everything):
            found[point] = await crash_and_resume(point, tmp_path / str(point), bed, monkeypatch)
    print(f"\n{len(found)} of {len(passed)} points, all reconciled, 0 duplicate effects")
    for point, told in found.items():
        print(f"{point:4} {passed[point - 1]:32} {told}")
