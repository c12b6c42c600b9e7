"""The affinity lever against an API server over TLS: there and back, others in between, conflicts, refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.errors import Conflict, Drift, Impossible, Throttled, Unreachable
from cockpit.levers.affinity_patch import RUN
from cockpit.levers.affinity_placement import Placement
from cockpit.levers.base import Lever
from cockpit.levers.retries import TRIES
from cockpit.model.cluster import Ref
from cockpit.model.json import canonical
from cockpit.model.plan import Proof, Write
from cockpit.model.playbook import AffinityMode, AffinitySet
from cockpit.rehearsal.kube.tls import Certificates, make_certificates
from cockpit.rules.original import ORIGINAL
from tests.contract.affinity_bench import BARE, FULL, Bench, Obj, affinity_bench
from tests.unit.rehearsal.small_world import DEPLOYMENT, NAMESPACE


def require(ref: Ref = FULL) -> AffinitySet:
    return AffinitySet(ref, AffinityMode.REQUIRED)


def prefer(ref: Ref = FULL, weight: int = 80) -> AffinitySet:
    return AffinitySet(ref, AffinityMode.PREFERRED, weight=weight)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


@pytest.fixture
async def bench(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Bench]:
    async with affinity_bench(tmp_path, certificates) as made:
        yield made


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_there_and_back_through_all_modes(bench: Bench, ref: Ref) -> None:
    before = bench.picture(ref)
    original = bench.get(ref)["spec"]["template"]["spec"].get("affinity")
    for desired in (prefer(ref), require(ref)):
        plan = await bench.plan(desired)
        assert (len(plan.writes), plan.blast_radius.split(";")[0]) == (1, "2 pods roll")
        await bench.fly(plan)
        annotations = bench.get(ref)["metadata"]["annotations"]
        assert json.loads(annotations[ORIGINAL]) == original
        assert annotations[RUN] == "run-1"
    restore = bench.lever.restore(await bench.lever.read_for_restore())
    await bench.fly(restore)
    assert bench.picture(ref) == before
    assert bench.lever.restore(await bench.lever.read()).writes == ()


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_undo_step_by_step_and_mode_none(bench: Bench, ref: Ref) -> None:
    before = bench.picture(ref)
    first = await bench.plan(prefer(ref))
    await bench.fly(first)
    preferred = bench.picture(ref)
    second = await bench.plan(require(ref))
    await bench.fly(second)
    await bench.fly(bench.lever.undo(second))
    assert bench.picture(ref) == preferred
    await bench.fly(bench.lever.undo(first))
    assert bench.picture(ref) == before
    await bench.fly(await bench.plan(require(ref)))
    await bench.fly(await bench.plan(AffinitySet(ref, AffinityMode.NONE)))
    assert bench.picture(ref) == before


async def test_undo_of_what_was_never_applied_is_harmless(bench: Bench) -> None:
    before = bench.get()
    await bench.fly(bench.lever.undo(await bench.plan(require())))
    assert bench.get() == before


async def test_required_keeps_what_was_required_before_and_is_no_wider(bench: Bench) -> None:
    await bench.fly(await bench.plan(require()))
    node_affinity = bench.get()["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    terms = node_affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [[e["key"] for e in t["matchExpressions"]] for t in terms] == [["payments.example.com/pool", "kubernetes.io/arch"]]
    assert len(node_affinity["preferredDuringSchedulingIgnoredDuringExecution"]) == 1, "the old preference, and no new one"


async def test_apply_twice_writes_once(bench: Bench) -> None:
    plan = await bench.plan(require())
    await bench.fly(plan)
    once = bench.get()
    await bench.fly(plan)
    assert bench.get() == once
    assert bench.trouble.patches == 1
    assert (await bench.plan(require())).writes == ()


def _someone_pins_it(found: Obj) -> None:
    terms = [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]
    found["spec"]["template"]["spec"]["affinity"] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    }


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_somebody_elses_affinity_is_drift_and_nothing_is_written(bench: Bench, ref: Ref) -> None:
    plan = await bench.plan(require(ref))
    bench.change(_someone_pins_it, ref)
    before = bench.get(ref)
    with pytest.raises(Drift, match=r"spec\.template\.spec\.affinity.*plan again"):
        await bench.fly(plan)
    assert bench.get(ref) == before
    assert bench.trouble.patches == 0


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_even_in_the_last_moment(bench: Bench, ref: Ref) -> None:
    plan = await bench.plan(require(ref))
    bench.trouble.meddle = lambda: bench.change(_someone_pins_it, ref)
    with pytest.raises(Drift, match=r"spec\.template\.spec\.affinity"):
        await bench.fly(plan)
    annotations = bench.get(ref)["metadata"].get("annotations", {})
    assert ORIGINAL not in annotations
    affinity = bench.get(ref)["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    assert "zone" in canonical(affinity)
    assert "kubernetes.io/arch" not in canonical(affinity)


async def test_an_affinity_that_vanishes_in_the_last_moment_is_drift_too(bench: Bench) -> None:
    plan = await bench.plan(require())
    bench.trouble.meddle = lambda: bench.change(lambda o: o["spec"]["template"]["spec"].pop("affinity", None))
    with pytest.raises(Drift, match="is null, expected"):
        await bench.fly(plan)
    assert "affinity" not in bench.get()["spec"]["template"]["spec"]


async def test_deleted_and_made_again_is_drift(bench: Bench) -> None:
    plan = await bench.plan(require())
    old = bench.get()
    bench.storage.delete("deployments", NAMESPACE, DEPLOYMENT)
    for key in ("uid", "resourceVersion"):
        old["metadata"].pop(key)
    bench.storage.create("deployments", old)
    with pytest.raises(Drift, match="another UID"):
        await bench.fly(plan)


def _count(bench: Bench, ref: Ref, times: int) -> Callable[[], None]:
    """Status changes, as a rolling Deployment has all the time: so many of them."""
    left = iter(range(times))

    def meddle() -> None:
        if (number := next(left, None)) is not None:
            found = bench.get(ref)
            found["status"] = {**found.get("status", {}), "collisionCount": number + 1}
            bench.storage.update("deployments", found, status_only=True)

    return meddle


@pytest.mark.parametrize("ref", [FULL, BARE])
async def test_a_storm_of_unrelated_changes_is_outlasted(bench: Bench, ref: Ref) -> None:
    plan = await bench.plan(require(ref))
    bench.trouble.meddle = _count(bench, ref, TRIES - 1)
    await bench.fly(plan)
    assert bench.trouble.patches == TRIES
    assert len(bench.clock.slept) == TRIES - 1
    assert '"arm64"' in bench.picture(ref)


async def test_a_storm_without_end_is_given_up_and_nothing_is_written(bench: Bench) -> None:
    before = bench.picture(BARE)
    plan = await bench.plan(require(BARE))
    bench.trouble.meddle = _count(bench, BARE, 10_000)
    with pytest.raises(Conflict):
        await bench.fly(plan)
    assert bench.trouble.patches == TRIES
    assert bench.picture(BARE) == before


async def test_status_changes_do_not_matter_once_the_original_is_recorded(bench: Bench) -> None:
    await bench.fly(await bench.plan(prefer()))
    plan = await bench.plan(require())
    bench.trouble.meddle = _count(bench, FULL, 10_000)
    await bench.fly(plan)
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert bench.trouble.patches == 3
    assert bench.clock.slept == []


async def test_refusals_are_repeated_and_asked_waits_kept(bench: Bench) -> None:
    plan = await bench.plan(require())
    bench.trouble.refusals.update({"conflict": 2, "wait": 1})
    await bench.fly(plan)
    assert bench.trouble.patches == 4
    assert max(bench.clock.slept) == 7


async def test_endless_refusals_are_given_up(bench: Bench) -> None:
    plan = await bench.plan(require())
    bench.trouble.refusals["wait"] = 10_000
    with pytest.raises(Throttled):
        await bench.fly(plan)
    assert bench.trouble.patches == TRIES


async def test_a_dropped_write_can_be_sent_again(bench: Bench) -> None:
    plan = await bench.plan(require())
    bench.trouble.refusals["drop"] = 1
    with pytest.raises(Unreachable):
        await bench.fly(plan)
    await bench.fly(plan)
    assert '"arm64"' in bench.picture()


async def test_replicas_belong_to_the_autoscaler(bench: Bench) -> None:
    plan = await bench.plan(require())
    assert "replicas" not in canonical([dict(w.request) for w in plan.writes])
    bench.change(lambda o: o["spec"].update(replicas=9))
    await bench.fly(plan)
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert bench.get()["spec"]["replicas"] == 9


async def test_a_foreign_annotation_that_appears_meanwhile_is_kept(bench: Bench) -> None:
    def annotate(found: Obj) -> None:
        found["metadata"].setdefault("annotations", {})["example.com/owner"] = "ana"

    plan = await bench.plan(require(BARE))
    bench.trouble.meddle = lambda: bench.change(annotate, BARE) if bench.trouble.patches == 1 else None
    await bench.fly(plan)
    assert sorted(bench.get(BARE)["metadata"]["annotations"]) == [ORIGINAL, RUN, "example.com/owner"]
    await bench.fly(bench.lever.restore(await bench.lever.read()))
    assert bench.get(BARE)["metadata"]["annotations"] == {"example.com/owner": "ana"}


async def test_a_dry_run_is_checked_by_the_server_and_not_kept(bench: Bench) -> None:
    before = bench.get()
    plan = bench.dry.plan(await bench.dry.read(), require())
    await bench.dry.apply(plan.writes[0])
    assert bench.trouble.patches == 1
    assert bench.get() == before
    bench.change(_someone_pins_it)
    with pytest.raises(Drift):
        await bench.dry.apply(plan.writes[0])


async def test_without_the_nodes_nothing_moves_forward_but_all_can_go_back(bench: Bench) -> None:
    before = bench.picture()
    await bench.fly(await bench.plan(require()))
    state = await bench.blind.read()
    assert state.nodes is None
    with pytest.raises(Impossible, match=r"the nodes are not known \(not allowed.*nodes"):
        bench.blind.plan(state, require(BARE))
    for write in bench.blind.restore(state).writes:
        await bench.blind.apply(write)
    assert bench.picture() == before


async def test_readings_follow_the_roll(bench: Bench) -> None:
    bench.settle()
    lever = bench.lever
    assert lever.reading(await lever.read(), require()).proof is Proof.CONTRADICTED
    await bench.fly(await bench.plan(require()))
    rolling = lever.reading(await lever.read(), require())
    assert (rolling.intended, rolling.configured) == ("required arm64", "required arm64")
    assert (rolling.proof, rolling.why) == (Proof.UNPROVEN, "the controller has not seen it yet")
    bench.settle()
    assert lever.reading(await lever.read(), require()).proof is Proof.PROVEN
    assert lever.reading(await lever.read(), prefer()).proof is Proof.CONTRADICTED


async def test_a_write_survives_the_journal(bench: Bench) -> None:
    write = (await bench.plan(require())).writes[0]
    whole = {"before": write.before, "after": write.after, "request": dict(write.request), "expects": dict(write.expects)}
    again: Write = replace(write, **json.loads(canonical(whole)))
    await bench.lever.apply(again)
    assert '"arm64"' in bench.picture()


async def test_the_fields_are_owned_in_the_cockpits_name(bench: Bench) -> None:
    await bench.fly(await bench.plan(require()))
    managers = {entry["manager"] for entry in bench.get()["metadata"]["managedFields"]}
    assert "cutover-cockpit" in managers


async def test_it_is_a_lever(bench: Bench) -> None:
    lever: Lever[Placement, AffinitySet] = bench.lever
    assert lever.name == "affinity"
