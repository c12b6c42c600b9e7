"""The weights lever against a load balancer's API over sockets: there and back, in between others, throttled, half done."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import boto3
import pytest

from cockpit.errors import Drift, Impossible, Throttled
from cockpit.levers.base import Lever
from cockpit.levers.weights_actions import ORIGINAL
from cockpit.levers.weights_balance import Balance
from cockpit.model.arch import Arch
from cockpit.model.json import Json, canonical
from cockpit.model.plan import Proof
from cockpit.model.playbook import Alb, WeightsSet
from tests.contract.balancer import account
from tests.contract.weights_bench import Bench, weights_bench

MODIFY = ("ModifyListener", "ModifyRule")


def share(arm64: int, amd64: int) -> WeightsSet:
    return WeightsSet({Arch.ARM64: arm64, Arch.AMD64: amd64})


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


@pytest.fixture
async def bench(balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    async with weights_bench(*balancer) as made:
        yield made


def lose_targets(bench: Bench) -> None:
    client = boto3.client("elbv2", region_name=bench.alb.region, endpoint_url=bench.alb.endpoint_url)
    for arn in bench.alb.target_groups.values():
        client.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
    client.close()


async def test_there_and_back_through_three_phases(bench: Bench) -> None:
    before = await bench.picture()
    for phase in (share(5, 95), share(25, 75), share(100, 0)):
        await bench.fly(await bench.plan(phase))
        state = await bench.lever.read()
        assert await bench.configured() == [(phase.weights[Arch.ARM64], phase.weights[Arch.AMD64])] * 2
        assert bench.lever.reading(state, phase).proof is Proof.PROVEN
    restore = bench.lever.restore(await bench.lever.read())
    assert [(w.before, w.after) for w in restore.writes] == [({"amd64": 0, "arm64": 100}, {"amd64": 100, "arm64": 0})] * 2
    await bench.fly(restore)
    assert await bench.picture() == before
    assert bench.lever.restore(await bench.lever.read()).writes == ()


async def test_undo_of_one_phase_keeps_the_record_of_the_first(bench: Bench) -> None:
    before = await bench.picture()
    first = await bench.plan(share(5, 95))
    await bench.fly(first)
    after_first = await bench.picture()
    second = await bench.plan(share(25, 75))
    await bench.fly(second)
    await bench.fly(bench.lever.undo(second))
    assert await bench.picture() == after_first
    await bench.fly(bench.lever.undo(first))
    assert await bench.picture() == before


async def test_the_tag_is_there_before_the_first_change(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    await bench.fly(plan)
    assert bench.faults.writes == ["AddTags", "ModifyListener", "AddTags", "ModifyRule"]
    for rule in await bench.rules():
        assert sorted(rule.tags[ORIGINAL].split()) == sorted(
            f"{a.rpartition('/')[2]}={w}"
            for a, w in zip((bench.alb.target_groups[Arch.AMD64], bench.alb.target_groups[Arch.ARM64]), (100, 0), strict=True)
        )


async def test_a_crash_between_tag_and_change_is_harmless(bench: Bench) -> None:
    before = await bench.picture()
    plan = await bench.plan(share(5, 95))
    for write in plan.writes:
        await bench.other.tag(str(write.request["arn"]), {ORIGINAL: str(write.request["tag"])})
    restore = bench.lever.restore(await bench.lever.read())
    assert restore.blast_radius == "no traffic moves"
    await bench.fly(plan)
    await bench.fly(restore_again := bench.lever.restore(await bench.lever.read()))
    assert restore_again.writes
    assert await bench.picture() == before


async def test_a_crash_between_going_back_and_removing_the_tag_is_harmless(bench: Bench) -> None:
    before = await bench.picture()
    await bench.fly(await bench.plan(share(5, 95)))
    for number in (0, 1):
        await bench.set(number, 0, 100)
    bench.faults.calls.clear()
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert bench.faults.writes == ["RemoveTags", "RemoveTags"]
    assert await bench.picture() == before


async def test_apply_twice_is_harmless(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    await bench.fly(plan)
    once = await bench.picture()
    await bench.fly(plan)
    assert await bench.picture() == once
    assert [c for c in bench.faults.writes if c in MODIFY] == list(MODIFY)


async def test_a_record_that_another_cockpit_made_meanwhile_is_kept(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    theirs = " ".join(f"{arn.rpartition('/')[2]}=7" for arn in bench.alb.target_groups.values())
    await bench.other.tag(str(plan.writes[0].request["arn"]), {ORIGINAL: theirs})
    await bench.fly(plan)
    assert (await bench.rules())[0].tags[ORIGINAL] == theirs


async def test_weights_that_another_already_set_are_recorded_all_the_same(bench: Bench) -> None:
    before = await bench.picture()
    plan = await bench.plan(share(5, 95))
    await bench.set(0, 5, 95)
    await bench.fly(plan)
    assert bench.faults.writes == ["AddTags", "AddTags", "ModifyRule"]
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert await bench.picture() == before


async def test_somebody_elses_change_is_drift_and_nothing_is_written(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    await bench.set(1, 50, 50)
    before = await bench.picture()
    with pytest.raises(Drift, match=r"rule \w+: actions\[0\]\.ForwardConfig.*Weight is 50, expected (0|100): somebody else"):
        await bench.lever.apply(plan.writes[1])
    assert await bench.picture() == before
    assert bench.faults.writes == []


async def test_a_throttled_modify_is_repeated_until_it_is_done_once(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    bench.faults.throttle["ModifyListener"] = 4
    await bench.fly(plan)
    assert await bench.configured() == [(5, 95)] * 2
    assert len(bench.told) == len(bench.clock.slept) == 4
    assert all("throttled" in words and "trying again in" in words for words in bench.told)
    assert bench.faults.calls.count("ModifyListener") == 5


async def test_a_change_while_throttled_is_drift(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    bench.faults.throttle["ModifyListener"] = 1

    async def meddle() -> None:
        await bench.set(0, 7, 93)

    async def between() -> None:
        bench.faults.first["DescribeListeners"] = meddle

    bench.faults.first["AddTags"] = between
    with pytest.raises(Drift, match="somebody else"):
        await bench.lever.apply(plan.writes[0])
    assert (await bench.configured())[0] == (7, 93)


async def test_throttled_for_longer_than_the_budget_is_given_up(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    bench.faults.throttle["ModifyListener"] = 10_000
    with pytest.raises(Throttled):
        await bench.lever.apply(plan.writes[0])
    assert bench.clock.elapsed <= 180
    assert bench.clock.elapsed > 120
    assert await bench.configured() == [(0, 100)] * 2


@pytest.mark.parametrize(("fault", "times"), [("break_off", 1), ("lose", 2)])
async def test_a_modify_without_an_answer_is_looked_at_before_it_is_repeated(bench: Bench, fault: str, times: int) -> None:
    plan = await bench.plan(share(5, 95))
    getattr(bench.faults, fault)["ModifyListener"] = 1
    await bench.fly(plan)
    assert bench.faults.calls.count("ModifyListener") == times
    assert await bench.configured() == [(5, 95)] * 2


async def test_a_half_done_unit_can_be_undone_or_resumed(bench: Bench) -> None:
    before = await bench.picture()
    plan = await bench.plan(share(5, 95))
    bench.faults.throttle["ModifyRule"] = 10_000
    await bench.lever.apply(plan.writes[0])
    with pytest.raises(Throttled):
        await bench.lever.apply(plan.writes[1])
    half = bench.lever.reading(await bench.lever.read(), share(5, 95))
    assert (half.intended, half.configured, half.proof) == ("5%", "5% / 0%", Proof.CONTRADICTED)
    bench.faults.throttle.clear()

    await bench.fly(bench.lever.undo(plan))
    assert await bench.picture() == before

    await bench.lever.apply(plan.writes[0])
    resumed = await bench.plan(share(5, 95))
    assert len(resumed.writes) == 1
    await bench.fly(resumed)
    assert await bench.configured() == [(5, 95)] * 2
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert await bench.picture() == before


async def test_others_parts_of_the_action_are_kept(bench: Bench) -> None:
    rule = (await bench.rules())[1]
    forward = rule.actions[0]["ForwardConfig"]
    assert isinstance(forward, dict)
    sticky: dict[str, Json] = {"Enabled": True, "DurationSeconds": 3600}
    await bench.other.modify(rule, [{**rule.actions[0], "ForwardConfig": {**forward, "TargetGroupStickinessConfig": sticky}}])
    before = await bench.picture()
    plan = await bench.plan(share(25, 75))
    assert "sticky clients keep their target group for up to 3600 s" in plan.blast_radius
    await bench.fly(plan)
    kept = (await bench.rules())[1].actions[0]["ForwardConfig"]
    assert isinstance(kept, dict)
    assert kept["TargetGroupStickinessConfig"] == sticky
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert await bench.picture() == before


async def test_no_shift_onto_a_group_without_a_healthy_target_but_back_from_it(bench: Bench) -> None:
    await bench.fly(await bench.plan(share(5, 95)))
    lose_targets(bench)
    with pytest.raises(Impossible, match=r"no traffic may be moved to arm64.*no healthy target"):
        await bench.plan(share(25, 75))
    restore = bench.lever.restore(await bench.lever.read())
    assert "(amd64) has no healthy target" in restore.blast_radius
    assert "(arm64)" not in restore.blast_radius
    await bench.fly(restore)
    assert await bench.configured() == [(0, 100)] * 2


async def test_undoing_a_phase_gives_nothing_back_to_an_arm64_without_a_healthy_target(bench: Bench) -> None:
    await bench.set(0, 90, 10)  # somebody else, while there were targets
    plan = await bench.plan(share(50, 50))
    await bench.fly(plan)
    lose_targets(bench)
    home, onto_arm64 = bench.lever.undo(plan).writes
    await bench.lever.apply(home)
    with pytest.raises(Impossible, match=r"arm64.*has lost its last healthy target"):
        await bench.lever.apply(onto_arm64)
    assert await bench.configured() == [(50, 50), (0, 100)]


async def test_unknown_health_moves_nothing_forward_and_blocks_nothing_back(bench: Bench) -> None:
    await bench.fly(await bench.plan(share(5, 95)))
    bench.faults.throttle["DescribeTargetHealth"] = 1000
    state = await bench.lever.read()
    assert state.targets is None
    with pytest.raises(Impossible, match=r"its health is not known .*throttled"):
        bench.lever.plan(state, share(25, 75))
    await bench.fly(bench.lever.restore(state))
    assert await bench.configured() == [(0, 100)] * 2


async def test_a_dry_run_reads_and_writes_nothing(bench: Bench) -> None:
    before = await bench.picture()
    plan = await bench.plan(share(5, 95))
    for write in plan.writes:
        await bench.dry.apply(write)
    assert await bench.picture() == before
    assert bench.faults.writes == []
    await bench.set(0, 1, 99)
    with pytest.raises(Drift):
        await bench.dry.apply(plan.writes[0])


async def test_a_write_survives_the_journal(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    write = plan.writes[0]
    again = replace(
        write,
        before=json.loads(canonical(write.before)),
        after=json.loads(canonical(write.after)),
        request=json.loads(canonical(dict(write.request))),
        expects=json.loads(canonical(dict(write.expects))),
    )
    assert replace(plan, writes=(again, *plan.writes[1:])).hash == plan.hash
    await bench.lever.apply(again)
    assert (await bench.configured())[0] == (5, 95)


async def test_it_is_a_lever(bench: Bench) -> None:
    lever: Lever[Balance, WeightsSet] = bench.lever
    assert lever.name == "weights"
