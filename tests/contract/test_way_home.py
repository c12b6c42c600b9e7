"""The way home over sockets where something of it is missing, silent or odd: whatever is there goes home all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.connections.aws import Elb
from cockpit.errors import NotFound, NotInControl
from cockpit.levers.affinity_patch import RUN
from cockpit.levers.base import Found
from cockpit.levers.weights import WeightsLever
from cockpit.model.arch import Arch
from cockpit.model.plan import Proof
from cockpit.model.playbook import AffinityMode, AffinitySet, Alb, WeightsSet
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from cockpit.rules.original import ORIGINAL
from cockpit.run.crew import AnyLever, Crew
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import Outcome, roll_back
from tests.contract.affinity_bench import BARE, FULL, affinity_bench
from tests.contract.affinity_bench import Bench as Cluster
from tests.contract.balancer import Faults, account, proxy
from tests.contract.ingress_bench import NAME, Bench, ingress_bench
from tests.contract.leaping import LeapingClock
from tests.contract.weights_bench import weights_bench
from tests.factories import PLAYBOOK
from tests.unit.rehearsal.small_world import NAMESPACE

PATIENCE = 20.0
QUARTER = WeightsSet({Arch.ARM64: 25, Arch.AMD64: 75})


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


@pytest.fixture(scope="module")
def balancer() -> Iterator[tuple[str, Alb]]:
    with account(listeners=1, rules=2) as made:
        yield made


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")


@pytest.fixture
async def cluster(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Cluster]:
    async with affinity_bench(tmp_path, certificates) as made:
        yield made


@pytest.fixture
async def bench(balancer: tuple[str, Alb], tmp_path: Path, certificates: Certificates) -> AsyncIterator[Bench]:
    async with weights_bench(*balancer), ingress_bench(tmp_path, certificates, *balancer) as made:
        yield made


async def home(lever: AnyLever, clock: LeapingClock, give_up: float = 60.0) -> Outcome:
    crew = Crew(PLAYBOOK, {lever.name: lever})
    return await asyncio.wait_for(roll_back(crew, Logbook(clock, "run", "ana", None), clock, give_up), PATIENCE)


async def bound(cluster: Cluster) -> None:
    for ref in (FULL, BARE):
        await cluster.fly(await cluster.plan(AffinitySet(ref, AffinityMode.REQUIRED)))


@pytest.mark.parametrize("odd", ["x-99999999T999999Z-abcd", "x-\u0662\u0660\u0662\u0666\u0661\u0661\u0662\u0662T020000Z-abcd"])
async def test_a_run_of_an_odd_name_on_the_target_goes_home(cluster: Cluster, odd: str) -> None:
    await bound(cluster)
    cluster.change(lambda found: found["metadata"]["annotations"].update({RUN: odd}))
    outcome = await home(cluster.lever, cluster.clock)
    assert ORIGINAL not in cluster.get(FULL)["metadata"]["annotations"], outcome


async def test_a_deployment_that_is_gone_holds_up_no_other(cluster: Cluster) -> None:
    await bound(cluster)
    cluster.storage.delete("deployments", BARE.namespace, BARE.name)
    outcome = await home(cluster.lever, cluster.clock)
    assert ORIGINAL not in cluster.get(FULL)["metadata"]["annotations"]
    cluster.settle()
    outcome = await home(cluster.lever, cluster.clock)
    assert str(BARE) in outcome.failures["affinity"], "it is not called safe"
    cluster.storage.delete("deployments", FULL.namespace, FULL.name)
    with pytest.raises(NotFound):
        await cluster.lever.read_for_restore()


async def test_a_rule_that_is_gone_holds_up_no_other(balancer: tuple[str, Alb]) -> None:
    async with weights_bench(*balancer) as bench:
        await bench.fly(await bench.plan(QUARTER))
        assert set(await bench.configured()) == {(25, 75)}
        alb, gone = bench.alb, bench.alb.rules[0][:-4] + "beef"
        part = WeightsLever(bench.other, replace(alb, rules=(gone, *alb.rules[1:])), bench.clock)
        outcome = await home(part, bench.clock)
        assert outcome.written == len(alb.listeners) + len(alb.rules) - 1
        assert "NotFound" in outcome.failures["weights"], "it is not called safe"
        assert sorted(await bench.configured()) == [(0, 100)] * outcome.written + [(25, 75)]
        assert (await home(bench.lever, bench.clock)).safe
        with pytest.raises(NotFound):
            await WeightsLever(bench.other, replace(alb, listeners=(), rules=(gone,)), bench.clock).read_for_restore()


@pytest.mark.parametrize("call", ["AddTags", "ModifyRule", "RemoveTags"])
async def test_controls_that_were_lost_while_aws_said_whose_the_credentials_are_let_nothing_out(
    balancer: tuple[str, Alb], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr("cockpit.connections.account.FRESH_SECONDS", 0.0)
    async with weights_bench(*balancer) as bench, proxy(balancer[0], faults := Faults()) as front:
        elb = await Elb.connect(replace(bench.alb, endpoint_url=front))
        lever, lost = WeightsLever(elb, replace(bench.alb, listeners=()), bench.clock), list[str]()
        there = lever.plan(await lever.read(), QUARTER)
        elb.pin(await elb.account())
        write = there.writes[0]
        if call == "RemoveTags":
            await lever.apply(write, lambda: 7)
            (write,) = lever.undo(replace(there, writes=(write,))).writes

        async def others_take_them() -> None:
            lost.append("the controls")

        async def while_it_is_asked() -> None:
            faults.first["GetCallerIdentity"] = others_take_them

        def fence() -> int:
            if lost:
                raise NotInControl("bea has the controls")
            return 7

        before = {"AddTags": "", "ModifyRule": "AddTags", "RemoveTags": "ModifyRule"}[call]
        faults.first = {before: while_it_is_asked} if before else {"GetCallerIdentity": others_take_them}
        faults.calls.clear()
        with pytest.raises(NotInControl):
            await lever.apply(write, fence)
        elb.close()
    assert lost
    assert call not in faults.writes


async def test_the_ingress_is_written_while_aws_is_silent_and_proven_once_it_answers(bench: Bench) -> None:
    await bench.fly(await bench.plan(QUARTER))
    await bench.follow(25, 75)
    before, order, go = bench.text, list[str](), asyncio.Event()
    real = bench.trouble.before

    async def note(request: RequestInfo) -> None:
        order.extend([f"patch after {len(bench.faults.calls)} calls of AWS"] if request.verb == "patch" else [])
        await real(request)
        if request.verb == "patch":
            go.set()

    async def silent() -> None:
        await go.wait()
        order.append("AWS answers")
        await bench.follow(0, 100)

    bench.trouble.before = note  # type: ignore[method-assign]
    for action in ("DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "DescribeTargetGroups"):
        bench.faults.first[action] = silent
    bench.faults.calls.clear()
    outcome = await home(bench.lever, bench.clock)
    assert order[:2] == ["patch after 0 calls of AWS", "AWS answers"]
    assert outcome.safe
    assert bench.text != before


async def test_rules_that_nobody_tells_soon_are_not_known(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.levers.ingress.PROOF_SECONDS", 0.05)
    go = asyncio.Event()

    async def silent() -> None:
        await go.wait()

    bench.faults.calls.clear()
    for action in ("DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "DescribeTargetGroups"):
        bench.faults.first[action] = silent
    state = await bench.lever.read_for_proof()
    assert bench.lever.reading(state, None).proof is Proof.UNPROVEN
    assert "did not answer" in state.balance.why
    go.set()


async def test_a_write_on_an_ingress_that_is_gone_is_contradicted(bench: Bench) -> None:
    (write,) = (await bench.plan(QUARTER)).writes
    bench.storage.delete("ingresses", NAMESPACE, NAME)
    assert await bench.lever.found(write) is Found.CONTRADICTED
