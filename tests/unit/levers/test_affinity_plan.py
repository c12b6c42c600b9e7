"""What the affinity lever plans and refuses, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import Impossible
from cockpit.levers.affinity import AffinityLever, workloads_moved
from cockpit.levers.affinity_placement import Placement
from cockpit.model.arch import Arch
from cockpit.model.cluster import Condition, Deployment, Node, Ref, Taint
from cockpit.model.json import Json
from cockpit.model.plan import Proof
from cockpit.model.playbook import AffinityMode, AffinitySet, Metadata, Phase, Playbook, Target
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules.original import ORIGINAL

WEB = Ref("deployment", "shop", "web")
REQUIRE = AffinitySet(WEB, AffinityMode.REQUIRED)
PREFER = AffinitySet(WEB, AffinityMode.PREFERRED, weight=80)
PLAIN = Deployment("shop", "web", "u-1", "7", 2, 2, 12, 12, 12, 12, 12)
NODES = tuple(
    Node(f"{arch}-{n}", arch, arch, True, labels={"kubernetes.io/arch": arch, "pool": "general"})
    for arch in ("amd64", "arm64")
    for n in range(3)
)


def lever() -> AffinityLever:
    return AffinityLever(cast("Any", None), (WEB,), "run-1", ManualClock())


def placement(deployment: Deployment = PLAIN, nodes: tuple[Node, ...] | None = NODES) -> Placement:
    return Placement({WEB: deployment}, nodes)


def required(key: str, operator: str, *values: str) -> Json:
    terms: list[Json] = [{"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def arms(**changes: Any) -> tuple[Node, ...]:
    return tuple(replace(n, **changes) if n.arch == "arm64" else n for n in NODES)


def refusal(deployment: Deployment, nodes: tuple[Node, ...] | None = NODES, desired: AffinitySet = REQUIRE) -> str:
    with pytest.raises(Impossible) as found:
        lever().plan(placement(deployment, nodes), desired)
    return str(found.value)


def test_the_blast_radius_counts_the_pods_that_roll() -> None:
    assert lever().plan(placement(), REQUIRE).blast_radius == "12 pods roll"
    assert lever().plan(placement(replace(PLAIN, replicas=1)), REQUIRE).blast_radius == "1 pod rolls"
    assert lever().plan(placement(replace(PLAIN, replicas=0)), REQUIRE).blast_radius == "no pod rolls"


def test_a_preference_that_works_against_it_is_named() -> None:
    against: Json = [
        {"weight": w, "preference": {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}}
        for w in (50,)
    ]
    soft = replace(PLAIN, affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": against}})
    assert "a preference of 50 for amd64 stays and weighs against it" in lever().plan(placement(soft), PREFER).blast_radius
    weak = replace(PREFER, weight=20)
    assert "a preference of 50 for amd64 stays and outweighs it" in lever().plan(placement(soft), weak).blast_radius


@pytest.mark.parametrize("desired", [REQUIRE, PREFER])
def test_a_leftover_node_selector_is_refused_by_name(desired: AffinitySet) -> None:
    for key in ("kubernetes.io/arch", "beta.kubernetes.io/arch"):
        words = refusal(replace(PLAIN, node_selector={key: "amd64"}), desired=desired)
        assert f"nodeSelector pins it to {key}=amd64" in words
        assert "remove that line from spec.template.spec.nodeSelector first" in words


def test_a_required_pin_to_the_other_side_is_refused() -> None:
    assert "already pins it to amd64" in refusal(replace(PLAIN, affinity=required("kubernetes.io/arch", "In", "amd64")))


def test_a_paused_deployment_is_refused() -> None:
    assert "kubectl -n shop rollout resume deployment/web" in refusal(replace(PLAIN, paused=True))


def test_unknown_nodes_are_refused() -> None:
    assert "the nodes are not known" in refusal(PLAIN, None)


@pytest.mark.parametrize(
    ("deployment", "nodes", "reason", "way_out"),
    [
        (PLAIN, NODES[:3], "3 not arm64", "add arm64 nodes first"),
        (PLAIN, (), "none of 0 nodes (there is none)", "add arm64 nodes first"),
        (replace(PLAIN, affinity=required("pool", "In", "gpu")), NODES, "3 arm64 but excluded", "put the labels"),
        (replace(PLAIN, affinity=required("pool", "DoesNotExist")), NODES, "3 arm64 but excluded", "put the labels"),
        (PLAIN, arms(taints=(Taint("arm", "NoSchedule"),)), "3 arm64 but tainted arm:NoSchedule", "a toleration for that taint"),
        (PLAIN, arms(unschedulable=True), "3 arm64 but cordoned", "bring an arm64 node back"),
        (PLAIN, arms(ready=False), "3 arm64 but not ready", "bring an arm64 node back"),
    ],
)
def test_no_node_at_all_is_refused_with_the_count_and_a_way_out(
    deployment: Deployment, nodes: tuple[Node, ...], reason: str, way_out: str
) -> None:
    words = refusal(deployment, nodes)
    assert reason in words
    assert way_out in words


def test_a_tolerated_taint_is_no_obstacle() -> None:
    tolerant = replace(PLAIN, tolerations=({"key": "arm", "operator": "Exists"},))
    assert lever().plan(placement(tolerant, arms(taints=(Taint("arm", "NoSchedule"),))), REQUIRE).writes


def test_going_back_is_never_refused() -> None:
    moved = replace(PLAIN, affinity=required("kubernetes.io/arch", "In", "arm64"), annotations={ORIGINAL: "null"}, paused=True)
    plan = lever().restore(placement(moved, None))
    assert len(plan.writes) == 1
    assert plan.blast_radius == "12 pods roll; deployment/web is paused and rolls only when resumed"
    assert plan.writes[0].after == {"affinity": None, "annotations": {}}


def test_one_damaged_record_does_not_hold_back_the_others() -> None:
    other = Ref("deployment", "shop", "other")
    moved = replace(PLAIN, affinity=required("kubernetes.io/arch", "In", "arm64"), annotations={ORIGINAL: "null"})
    state = Placement({WEB: moved, other: replace(moved, name="other", annotations={ORIGINAL: "{"})}, None)
    plan = lever().restore(state)
    assert [w.target for w in plan.writes] == ["deployment/web"]
    assert "deployment/other: the annotation" in plan.blast_radius
    with pytest.raises(Impossible, match="is damaged"):
        lever().restore(Placement({other: state.deployments[other]}, None))
    reading = lever().reading(state, None)
    assert (reading.proof, "is damaged" in reading.why) == (Proof.UNPROVEN, True)


def test_a_workload_that_no_phase_names_is_refused() -> None:
    with pytest.raises(Impossible, match="deployment/other is not one of the workloads"):
        lever().plan(placement(), replace(REQUIRE, workload=Ref("deployment", "shop", "other")))


def test_the_record_of_an_earlier_phase_is_kept() -> None:
    state = placement(replace(PLAIN, annotations={ORIGINAL: "null"}, affinity=required("x", "Exists")))
    assert lever().plan(state, REQUIRE).writes[0].after == {
        "affinity": required("kubernetes.io/arch", "In", "arm64"),
        "annotations": {ORIGINAL: "null", "cutover-cockpit.dev/run": "run-1"},
    }


def test_plans_with_other_content_have_another_hash_and_status_changes_do_not_count() -> None:
    same = lever().plan(placement(replace(PLAIN, resource_version="8", updated=3)), REQUIRE)
    assert lever().plan(placement(), REQUIRE).hash == same.hash
    assert lever().plan(placement(), PREFER).hash != same.hash


@pytest.mark.parametrize(
    ("changes", "proof", "why"),
    [
        ({}, Proof.PROVEN, ""),
        ({"updated": 8, "available": 10}, Proof.UNPROVEN, "8 of 12 updated, 2 not available, 4 of the old revision left"),
        ({"total": 14}, Proof.UNPROVEN, "12 of 12 updated, 2 of the old revision left"),
        ({"observed_generation": 1}, Proof.UNPROVEN, "the controller has not seen it yet"),
        (
            {"updated": 0, "conditions": (Condition("Progressing", "False", "ProgressDeadlineExceeded"),)},
            Proof.UNPROVEN,
            "0 of 12 updated, 12 of the old revision left, past its progress deadline",
        ),
        (
            {"affinity": required("kubernetes.io/arch", "In", "amd64")},
            Proof.CONTRADICTED,
            "deployment/web: affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
            '.matchExpressions[0].values[0] is "amd64", expected "arm64"',
        ),
    ],
)
def test_reading(changes: dict[str, Any], proof: Proof, why: str) -> None:
    moved = replace(PLAIN, affinity=required("kubernetes.io/arch", "In", "arm64"), annotations={ORIGINAL: "null"})
    reading = lever().reading(placement(replace(moved, **changes)), REQUIRE)
    assert (reading.proof, reading.why) == (proof, why)


def test_words_for_what_is_configured() -> None:
    def words(affinity: Json) -> str:
        return lever().reading(placement(replace(PLAIN, affinity=affinity, annotations={ORIGINAL: "null"})), None).configured

    preferred = lever().plan(placement(), PREFER).writes[0].after
    assert isinstance(preferred, dict)
    assert words(None) == "original"
    assert words(required("kubernetes.io/arch", "In", "arm64")) == "required arm64"
    assert words(preferred["affinity"]) == "preferred arm64 (80)"
    assert words(required("x", "Exists")) == "something else"


def test_seen_needs_the_deployments_and_believes_only_live_nodes() -> None:
    nodes = {n.name: n for n in NODES}
    states = dict.fromkeys((SourceName.DEPLOYMENTS, SourceName.NODES), SourceState(Freshness.LIVE, 1.0))
    whole = Snapshot(1, ManualClock().now(), 0.0, sources=states, deployments={"shop/web": PLAIN}, nodes=nodes)
    assert lever().seen(whole) == placement()
    assert lever().seen(replace(whole, deployments={})) is None
    assert lever().seen(replace(whole, sources={})) is None
    stale = {**states, SourceName.NODES: SourceState(Freshness.STALE, 90.0)}
    assert lever().seen(replace(whole, sources=stale)) == Placement({WEB: PLAIN}, None, "nodes are STALE")


def test_only_workloads_that_a_phase_names_are_moved() -> None:
    canary = Ref("deployment", "shop", "web-arm64")
    target = Target("shop", WEB, canary)
    phases = (Phase("a", 0.0), Phase("b", 0.0, affinity=REQUIRE), Phase("c", 0.0, affinity=PREFER))
    assert workloads_moved(Playbook(Metadata("shop"), target, phases)) == (WEB,)
    assert workloads_moved(Playbook(Metadata("shop"), target, phases[:1])) == ()
    assert REQUIRE.arch is Arch.ARM64
