"""What became of a write, and the way home without the record on the target, asked of real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.levers.affinity_patch import RUN
from cockpit.levers.base import Fenceable, Found, Recoverable
from cockpit.levers.weights_actions import ORIGINAL as TAG
from cockpit.model.arch import Arch
from cockpit.model.playbook import AffinityMode, AffinitySet, Alb, WeightsSet
from cockpit.rehearsal.kube.tls import make_certificates
from cockpit.rules.original import ORIGINAL
from tests.contract.affinity_bench import BARE, FULL, Bench, Obj, affinity_bench
from tests.contract.balancer import account
from tests.contract.weights_bench import Bench as Weights
from tests.contract.weights_bench import weights_bench


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Bench]:
    async with affinity_bench(tmp_path, make_certificates()) as made:
        yield made


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


@pytest.fixture
async def weights(balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Weights]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    async with weights_bench(*balancer) as made:
        yield made


def share(arm64: int) -> WeightsSet:
    return WeightsSet({Arch.ARM64: arm64, Arch.AMD64: 100 - arm64})


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_an_affinity_write_is_done_or_not_or_somebody_else_has_written(cluster: Bench, ref: object) -> None:
    target = FULL if ref == FULL else BARE
    plan = await cluster.plan(AffinitySet(target, AffinityMode.REQUIRED))
    assert await cluster.lever.found(plan.writes[0]) is Found.NOT_DONE
    await cluster.lever.fence_target(plan.writes[0], lambda: 3)
    assert await cluster.lever.found(plan.writes[0]) is Found.NOT_DONE, "a fence is no change of what is compared"
    await cluster.fly(plan)
    assert await cluster.lever.found(plan.writes[0]) is Found.DONE
    back = cluster.lever.restore(await cluster.lever.read_for_restore())
    assert [await cluster.lever.found(write) for write in back.writes] == [Found.NOT_DONE]
    await cluster.fly(back)
    assert await cluster.lever.found(back.writes[0]) is Found.DONE

    def meddle(found: Obj) -> None:
        found["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": {}}

    cluster.change(meddle, target)
    assert await cluster.lever.found(plan.writes[0]) is Found.CONTRADICTED
    cluster.storage.delete("deployments", target.namespace, target.name)
    assert await cluster.lever.found(plan.writes[0]) is Found.CONTRADICTED


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_an_affinity_without_its_record_goes_home_by_the_runs_own(cluster: Bench, ref: object) -> None:
    target = FULL if ref == FULL else BARE
    assert isinstance(cluster.lever, Recoverable)
    assert isinstance(cluster.lever, Fenceable)
    before = cluster.get(target)["spec"]
    plan = await cluster.plan(AffinitySet(target, AffinityMode.REQUIRED))
    await cluster.fly(plan)
    kept = {write.target: (write.before, write.after) for write in plan.writes}
    assert not cluster.lever.recover(await cluster.lever.read_for_restore(), kept).writes, "its record is there"

    def lose(found: Obj) -> None:
        for key in (ORIGINAL, RUN):
            del found["metadata"]["annotations"][key]

    cluster.change(lose, target)
    assert not cluster.lever.restore(await cluster.lever.read_for_restore()).writes
    recovered = cluster.lever.recover(await cluster.lever.read_for_restore(), kept)
    await cluster.fly(recovered)
    assert cluster.get(target)["spec"] == before
    assert not cluster.lever.recover(await cluster.lever.read_for_restore(), kept).writes


async def test_what_others_have_changed_is_not_taken_for_the_runs(cluster: Bench) -> None:
    plan = await cluster.plan(AffinitySet(FULL, AffinityMode.REQUIRED))
    kept = {write.target: (write.before, write.after) for write in plan.writes}

    def meddle(found: Obj) -> None:
        found["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": {}}

    cluster.change(meddle)
    assert not cluster.lever.recover(await cluster.lever.read_for_restore(), kept).writes


async def test_a_weights_write_is_done_or_not_or_somebody_else_has_written(weights: Weights) -> None:
    plan = await weights.plan(share(20))
    lever = weights.lever
    assert [await lever.found(w) for w in plan.writes] == [Found.NOT_DONE, Found.NOT_DONE]
    await weights.fly(plan)
    assert [await lever.found(w) for w in plan.writes] == [Found.DONE, Found.DONE]
    back = lever.restore(await lever.read_for_restore())
    assert [await lever.found(w) for w in back.writes] == [Found.NOT_DONE, Found.NOT_DONE]
    await weights.set(0, 0, 100)
    assert await lever.found(back.writes[0]) is Found.NOT_DONE, "its tag is still there: not all of it was done"
    await weights.fly(back)
    assert [await lever.found(w) for w in back.writes] == [Found.DONE, Found.DONE]
    await weights.set(0, 33, 67)
    assert await lever.found(plan.writes[0]) is Found.CONTRADICTED


async def test_a_rule_without_its_record_goes_home_by_the_runs_own(weights: Weights) -> None:
    before = await weights.picture()
    plan = await weights.plan(share(20))
    await weights.fly(plan)
    kept = {write.target: (write.before, write.after) for write in plan.writes}
    lever = weights.lever
    assert not lever.recover(await lever.read_for_restore(), kept).writes
    for rule in await weights.rules():
        await weights.other.untag(rule.arn, [TAG])
    recovered = lever.recover(await lever.read_for_restore(), kept)
    assert len(recovered.writes) == 2
    await weights.fly(recovered)
    assert await weights.picture() == before
    await weights.set(1, 77, 23)
    assert not lever.recover(await lever.read_for_restore(), kept).writes, "somebody else's weights stay"
