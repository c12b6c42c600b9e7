"""The ingress lever over sockets: only the digits change, the rule is the proof, others in between, and home to the letter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest

from cockpit.errors import Conflict, Drift, Impossible, NotInControl
from cockpit.levers.affinity_patch import EPOCH, RUN
from cockpit.levers.base import Fenceable, Found, Lever, Recoverable
from cockpit.levers.ingress_balance import Routed
from cockpit.levers.ingress_patch import ORIGINAL, operations
from cockpit.model.arch import Arch
from cockpit.model.plan import Proof
from cockpit.model.playbook import Alb, WeightsSet
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from tests.contract.balancer import account
from tests.contract.ingress_bench import KEY, PATH, TEXT, Bench, ingress_bench, weights_of


def share(arm64: int, amd64: int) -> WeightsSet:
    return WeightsSet({Arch.ARM64: arm64, Arch.AMD64: amd64})


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=1) as made:
        yield made


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


@pytest.fixture
async def bench(
    balancer: tuple[str, Alb], tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    async with ingress_bench(tmp_path, certificates, *balancer) as made:
        await register(made, healthy=True)
        yield made


async def register(bench: Bench, *, healthy: bool) -> None:
    client = boto3.client("elbv2", region_name=bench.alb.region, endpoint_url=bench.alb.endpoint_url)
    for arn in bench.alb.target_groups.values():
        change = client.register_targets if healthy else client.deregister_targets
        change(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
    client.close()


async def test_there_and_back_changes_the_digits_alone(bench: Bench) -> None:
    before = bench.picture()
    for desired in (share(5, 95), share(50, 50), share(100, 0)):
        plan = await bench.plan(desired)
        assert [w.target for w in plan.writes] == ["ingress/payments"]
        assert plan.writes[0].after == {"amd64": desired.weights[Arch.AMD64], "arm64": desired.weights[Arch.ARM64]}
        await bench.fly(plan)
        arm, x86 = desired.weights[Arch.ARM64], desired.weights[Arch.AMD64]
        assert bench.text == TEXT.replace('"weight":0', f'"weight":{arm}').replace(
            '"http","weight":100', f'"http","weight":{x86}'
        )
        notes = bench.get()["metadata"]["annotations"]
        assert (notes[ORIGINAL], notes[RUN]) == ("split amd64=100 arm64=0", "run-1")
    restore = bench.lever.restore(await bench.lever.read_for_restore())
    assert restore.writes[0].after == {"amd64": 100, "arm64": 0}
    await bench.fly(restore)
    assert bench.picture() == before
    assert bench.lever.restore(await bench.lever.read()).writes == ()


async def test_the_rule_is_the_proof(bench: Bench) -> None:
    desired = share(5, 95)
    await bench.fly(await bench.plan(desired))
    waits = bench.lever.reading(await bench.lever.read(), desired)
    assert (waits.proof, waits.intended, waits.configured) == (Proof.UNPROVEN, "5%", "annotated 5%, rules 0%")
    assert "waiting for the AWS Load Balancer Controller: rule" in waits.why
    await bench.follow(5, 95)
    assert bench.lever.reading(await bench.lever.read(), desired).proof is Proof.PROVEN
    await bench.follow(50, 50)
    behind = bench.lever.reading(await bench.lever.read(), desired)
    assert (behind.proof, behind.configured) == (Proof.UNPROVEN, "annotated 5%, rules 50%")


async def test_a_reverted_annotation_contradicts_and_says_who(bench: Bench) -> None:
    desired = share(5, 95)
    await bench.fly(await bench.plan(desired))
    bench.annotate(action=TEXT)
    reading = bench.lever.reading(await bench.lever.read(), desired)
    assert (reading.proof, reading.configured.split(",")[0]) == (Proof.CONTRADICTED, "annotated 0%")
    assert reading.marks[0].words.startswith("arm64 0, amd64 100 [")


async def test_somebody_elses_change_in_between_is_drift(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    bench.trouble.meddle = lambda: bench.annotate(action=TEXT.replace('"http"', '"https"'))
    with pytest.raises(Drift, match=r"ingress/payments: its annotation \S+ is not what was read.*nothing was written"):
        await bench.fly(plan)
    assert weights_of(bench.text) == [100, 0]


async def test_an_annotation_beside_ours_is_nobodys_business(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    bench.trouble.meddle = lambda: bench.annotate(**{"example.com/reviewed": f"{min(bench.trouble.patches, 2)}"})
    await bench.fly(plan)
    assert (weights_of(bench.text), bench.trouble.patches) == ([95, 5], 3)


async def test_what_others_changed_in_the_action_meanwhile_stays(bench: Bench) -> None:
    await bench.fly(await bench.plan(share(5, 95)))
    bench.annotate(action=bench.text.replace("200", "300"))
    await bench.fly(bench.lever.restore(await bench.lever.read_for_restore()))
    assert bench.text == TEXT.replace("200", "300")


@pytest.mark.parametrize("kind", ["conflict", "wait"])
async def test_refusals_are_tried_again(bench: Bench, kind: str) -> None:
    bench.trouble.refusals[kind] = 4
    await bench.fly(await bench.plan(share(5, 95)))
    assert (weights_of(bench.text), bench.trouble.patches) == ([95, 5], 5)


async def test_apply_and_undo_twice_are_harmless(bench: Bench) -> None:
    before = bench.picture()
    plan = await bench.plan(share(5, 95))
    await bench.fly(plan)
    once = bench.get()
    await bench.fly(plan)
    assert bench.get() == once
    for _ in range(2):
        await bench.fly(bench.lever.undo(plan))
        assert bench.picture() == before


async def test_undo_of_a_later_phase_keeps_the_record(bench: Bench) -> None:
    await bench.fly(await bench.plan(share(5, 95)))
    after_first = bench.picture()
    second = await bench.plan(share(50, 50))
    await bench.fly(second)
    await bench.fly(bench.lever.undo(second))
    assert bench.picture() == after_first


async def test_a_dry_run_is_checked_and_nothing_kept(bench: Bench) -> None:
    before = bench.get()
    await bench.fly(bench.dry.plan(await bench.dry.read(), share(5, 95)), bench.dry)
    assert (bench.get(), bench.trouble.patches) == (before, 1)
    assert bench.faults.writes == []


async def test_the_load_balancer_itself_is_never_written_to(bench: Bench) -> None:
    await bench.fly(await bench.plan(share(5, 95)))
    await bench.fly(bench.lever.restore(await bench.lever.read_for_restore()))
    assert bench.faults.writes == []


async def test_no_shift_onto_a_group_without_healthy_targets(bench: Bench) -> None:
    await register(bench, healthy=False)
    with pytest.raises(Impossible, match="no traffic may be moved to arm64"):
        await bench.plan(share(5, 95))


async def test_undoing_a_phase_gives_nothing_back_to_an_arm64_without_a_healthy_target(bench: Bench) -> None:
    bench.annotate(action=TEXT.replace('"weight":0', '"weight":900'))  # somebody else, while there were targets
    plan = await bench.plan(share(50, 50))
    await bench.fly(plan)
    await register(bench, healthy=False)
    with pytest.raises(Impossible, match=r"arm64.*has lost its last healthy target"):
        await bench.fly(bench.lever.undo(plan))
    assert weights_of(bench.text) == [50, 50]


async def test_no_shift_that_nothing_would_prove(bench: Bench) -> None:
    for rule in await bench.other.attached(tuple(bench.alb.target_groups.values())):
        await bench.other.tag(rule.arn, {"ingress.k8s.aws/stack": "another/ingress"})
    with pytest.raises(Impossible, match="no rule of a load balancer has both target groups and the tags of this Ingress"):
        await bench.plan(share(5, 95))
    with pytest.raises(Impossible, match="the load balancer is not connected"):
        bench.blind.plan(await bench.blind.read(), share(5, 95))


async def test_going_back_needs_no_load_balancer(bench: Bench) -> None:
    before = bench.picture()
    await bench.fly(await bench.plan(share(5, 95)))
    await bench.fly(bench.blind.restore(await bench.blind.read_for_restore()), bench.blind)
    assert bench.picture() == before
    home = bench.blind.reading(await bench.blind.read_for_proof(), None)
    assert (home.proof, home.why) == (Proof.UNPROVEN, "the load balancer is not connected")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ('{"type":"redirect"}', "is no forward action"),
        (TEXT.replace("api-arm", "api-other"), "names the target group of arm64 .* not; it must be there once"),
        (TEXT.replace("api-arm", "api-x86"), "names the target group of amd64 .* more than once"),
        (TEXT.replace('"weight":0, ', ""), "gives arm64 no weight"),
        (TEXT.replace('"weight":0', '"weight":"0"'), "gives arm64 the weight"),
        (TEXT.replace('"weight":0', '"weight":1000'), "gives arm64 the weight 1000"),
        (TEXT.replace('"weight":0', '"weight":0,"Weight":3'), "it says one key twice"),
        (TEXT.replace('"weight":100', '"weight":0'), "all of its weights are zero"),
        (None, "has no annotation"),
    ],
)
async def test_an_action_that_cannot_be_moved_is_refused_with_the_way_out(bench: Bench, text: str | None, words: str) -> None:
    bench.annotate(action=text)
    with pytest.raises(Impossible, match=words):
        await bench.plan(share(5, 95))


@pytest.mark.parametrize("kept", ["split amd64=0 arm64=0", "other amd64=100 arm64=0", "split 100/0", ""])
async def test_a_record_that_leads_nowhere_is_said_and_nothing_is_written(bench: Bench, kept: str) -> None:
    await bench.fly(await bench.plan(share(5, 95)))
    bench.annotate(**{ORIGINAL: kept})
    with pytest.raises(Impossible, match="by hand"):
        bench.lever.restore(await bench.lever.read_for_restore())


async def test_a_target_group_named_by_its_arn(bench: Bench) -> None:
    groups = bench.alb.target_groups
    listed = [{"targetGroupARN": groups[Arch.ARM64], "weight": 0}, {"targetGroupARN": groups[Arch.AMD64], "weight": 7}]
    bench.annotate(action=json.dumps({"type": "forward", "forwardConfig": {"targetGroups": listed}}))
    await bench.fly(await bench.plan(share(5, 95)))
    assert weights_of(bench.text) == [5, 95]


async def test_each_write_leaves_the_epoch_and_a_higher_one_stops_it(bench: Bench) -> None:
    plan = await bench.plan(share(5, 95))
    await bench.lever.apply(plan.writes[0], lambda: 7)
    assert bench.get()["metadata"]["annotations"][EPOCH] == "7"
    second = (await bench.plan(share(50, 50))).writes[0]
    with pytest.raises(NotInControl, match="written under epoch 7 of the controls, and this cockpit has epoch 6"):
        await bench.lever.apply(second, lambda: 6)
    assert weights_of(bench.text) == [95, 5]
    await bench.lever.apply(bench.lever.restore(await bench.lever.read_for_restore()).writes[0])
    assert EPOCH not in bench.get()["metadata"]["annotations"]


@pytest.mark.parametrize("flown", [False, True])
async def test_a_patch_on_its_way_cannot_land_once_its_target_is_fenced(bench: Bench, *, flown: bool) -> None:
    if flown:
        await bench.lever.apply((await bench.plan(share(2, 98))).writes[0], lambda: 1)
    write, before = (await bench.plan(share(5, 95))).writes[0], bench.text
    late = operations(await bench.lever._read(), {KEY: "late", EPOCH: "1"})
    await bench.lever.fence_target(write, lambda: 2)
    with pytest.raises(Conflict):
        await bench.lever._client.patch(PATH, late)
    assert bench.text == before
    assert bench.get()["metadata"]["annotations"][EPOCH] == "2"
    with pytest.raises(NotInControl):
        await bench.lever.apply(write, lambda: 1)
    home = bench.lever.restore(await bench.lever.read_for_restore())
    assert (home.writes[0].request.get("only") == "epoch") is not flown
    await bench.fly(home)
    assert bench.text == TEXT
    assert not {EPOCH, ORIGINAL, RUN} & bench.get()["metadata"]["annotations"].keys()


async def test_a_phase_that_was_taken_back_still_keeps_older_epochs_out(bench: Bench) -> None:
    before = bench.picture()
    plan = await bench.plan(share(5, 95))
    await bench.lever.apply(plan.writes[0], lambda: 2)
    await bench.lever.apply(bench.lever.undo(plan).writes[0], lambda: 2)
    assert bench.text == TEXT
    with pytest.raises(NotInControl):
        await bench.lever.apply(plan.writes[0], lambda: 1)
    await bench.fly(bench.lever.restore(await bench.lever.read_for_restore()))
    assert bench.picture() == before


async def test_what_became_of_a_write(bench: Bench) -> None:
    write = (await bench.plan(share(5, 95))).writes[0]
    assert await bench.lever.found(write) is Found.NOT_DONE
    await bench.lever.apply(write)
    assert await bench.lever.found(write) is Found.DONE
    bench.annotate(action=TEXT.replace("100", "60"))
    assert await bench.lever.found(write) is Found.CONTRADICTED


async def test_home_without_the_record(bench: Bench) -> None:
    before = bench.picture()
    write = (await bench.plan(share(5, 95))).writes[0]
    await bench.lever.apply(write)
    bench.annotate(**{ORIGINAL: None, RUN: None})
    assert bench.lever.restore(await bench.lever.read()).writes == ()
    kept = {write.target: (write.before, write.after)}
    await bench.fly(bench.lever.recover(await bench.lever.read(), kept))
    assert bench.picture() == before
    assert bench.lever.recover(await bench.lever.read(), kept).writes == ()


async def test_it_is_a_lever(bench: Bench) -> None:
    lever: Lever[Routed, WeightsSet] = bench.lever
    assert lever.name == "weights"
    assert isinstance(lever, Fenceable)
    assert isinstance(lever, Recoverable)


async def test_an_aws_that_refuses_is_said_where_the_proof_would_be(bench: Bench) -> None:
    bench.faults.throttle["DescribeTargetGroups"] = 9
    state = await bench.lever.read()
    assert state.balance.rules == ()
    assert "throttled" in state.balance.why
    with pytest.raises(Impossible, match="throttled"):
        bench.lever.plan(state, share(5, 95))
