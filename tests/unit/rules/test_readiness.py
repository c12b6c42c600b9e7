from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment, Pod, Resources, Taint
from cockpit.model.image import Image
from cockpit.model.json import Json, canonical
from cockpit.model.playbook import AffinityMode, AffinitySet
from cockpit.model.share import TargetGroup
from cockpit.model.snapshot import Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.rules.affinity import narrow
from cockpit.rules.original import ORIGINAL
from cockpit.rules.readiness import readiness
from tests.factories import API, CANARY, GROUPS, PLAYBOOK, deployment, node, pod, rule, snapshot, with_source

POOL: dict[str, Json] = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["web"]}]}]
        }
    }
}
CANARY_MOVES = replace(
    PLAYBOOK, phases=(replace(PLAYBOOK.phases[0], weights=None, affinity=AffinitySet(CANARY, AffinityMode.REQUIRED)),)
)
BOTH_MOVE = replace(PLAYBOOK, phases=(*PLAYBOOK.phases, *CANARY_MOVES.phases))


def with_pods(found: Snapshot, **changes: Pod) -> Snapshot:
    return replace(found, pods={**found.pods, **changes})


BUILT = Image("registry.example.com/payments:1.4.0", index=True, platforms=("linux/amd64", "linux/arm64"))


def with_deployments(*made: Deployment) -> Snapshot:
    found = snapshot(images={BUILT.reference: BUILT})
    return replace(found, deployments={**found.deployments, **{f"payments/{d.name}": d for d in made}})


def with_x86(found: Snapshot, *taints: Taint) -> Snapshot:
    return replace(found, nodes={**found.nodes, **{f"x{i}": node(f"x{i}", taints=taints) for i in range(4)}})


def test_rollback_is_ready_in_a_healthy_world() -> None:
    found = readiness(snapshot(), PLAYBOOK)
    assert found.verdict.passed
    assert (found.needed, found.headroom) == (0, 4 * 6)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (snapshot(nodes={"a0": node("a0", Arch.ARM64)}), "no amd64 node"),
        (snapshot(targets={g: TargetGroup(g, "t", a, 0, 4) for a, g in GROUPS.items()}), "no healthy target"),
        (
            snapshot(rules={"r": replace(rule(5), actions=({"Type": "forward", "TargetGroupArn": GROUPS[Arch.ARM64]},))}),
            "detached",
        ),
    ],
)
def test_rollback_is_not_ready_without_a_way_back(found: Snapshot, words: str) -> None:
    verdict = readiness(found, PLAYBOOK).verdict
    assert verdict.outcome is Outcome.FAIL
    assert words in verdict.reason


def test_rollback_needs_room_for_every_pod_that_affinity_moved() -> None:
    moved = {f"payments/api-{i}": pod(f"api-{i}", "a0") for i in range(4)}
    full = {f"x{i}": Resources(4000, 1 << 30, 4) for i in range(4)}
    found = with_pods(snapshot(usage=full), **moved)
    assert readiness(found, PLAYBOOK).needed == 4
    assert "room for 0 pods" in readiness(found, PLAYBOOK).verdict.reason


def test_rollback_readiness_is_unknown_while_a_source_is() -> None:
    assert readiness(with_source(snapshot(), SourceName.USAGE, SourceState()), PLAYBOOK).verdict.outcome is Outcome.NO_DATA


def test_a_deployment_that_is_not_there_is_not_known_to_have_a_way_back() -> None:
    for missing in (snapshot(deployments={}), snapshot(deployments={"payments/payments-api-arm64": deployment(CANARY)})):
        found = readiness(missing, PLAYBOOK)
        assert (found.verdict.outcome, found.headroom) == (Outcome.NO_DATA, None)
        assert "deployment/payments-api" in found.verdict.reason


TAINT = Taint("dedicated", "NoSchedule", "batch")
KEEPS = ({"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"},)


def test_tainted_nodes_are_no_way_back_but_for_pods_that_tolerate_it() -> None:
    tainted = with_x86(snapshot(), TAINT)
    refused = readiness(tainted, PLAYBOOK).verdict
    assert refused.outcome is Outcome.FAIL
    assert "no amd64 node takes pods of payments-api (taints" in refused.reason
    tolerating = with_x86(with_deployments(deployment(tolerations=KEEPS)), TAINT)
    assert readiness(tolerating, PLAYBOOK).verdict.passed
    preferred = with_x86(snapshot(), replace(TAINT, effect="PreferNoSchedule"))
    assert readiness(preferred, PLAYBOOK).verdict.passed


@pytest.mark.parametrize("changes", [{"node_selector": {"pool": "web"}}, {"affinity": POOL}])
def test_room_is_counted_only_where_the_pods_may_go(changes: dict[str, object]) -> None:
    found = with_deployments(deployment(**changes))  # type: ignore[arg-type]
    assert readiness(found, PLAYBOOK).verdict.outcome is Outcome.FAIL
    one = {**found.nodes, "x2": node("x2", labels={"kubernetes.io/arch": "amd64", "pool": "web"})}
    assert readiness(replace(found, nodes=one), PLAYBOOK).headroom == 6


def test_room_is_judged_by_the_affinity_from_before_the_run() -> None:
    bound = deployment(affinity=narrow(None, Arch.ARM64), annotations={ORIGINAL: "null"})
    assert readiness(with_deployments(bound), PLAYBOOK).headroom == 24
    pooled = replace(bound, annotations={ORIGINAL: canonical(POOL)})
    assert readiness(with_deployments(pooled), PLAYBOOK).verdict.outcome is Outcome.FAIL
    damaged = readiness(with_deployments(replace(bound, annotations={ORIGINAL: "{"})), PLAYBOOK).verdict
    assert damaged.outcome is Outcome.FAIL
    assert "damaged" in damaged.reason


def test_room_is_counted_in_the_pods_that_come_back() -> None:
    large = with_deployments(deployment(CANARY, template_requests=Resources(3000, 1 << 30, 1)))
    found = readiness(large, CANARY_MOVES)
    assert (found.needed, found.headroom) == (4, 4)
    assert found.verdict.passed
    huge = with_deployments(deployment(CANARY, template_requests=Resources(3500, 1 << 30, 1)))
    assert readiness(huge, CANARY_MOVES).verdict.outcome is Outcome.FAIL


def test_what_one_workload_takes_is_not_given_to_the_next() -> None:
    moved = {f"payments/api-{i}": pod(f"api-{i}", "a0") for i in range(4)}
    large = Resources(2000, 1 << 30, 1)
    found = with_pods(
        with_deployments(deployment(API, template_requests=large), deployment(CANARY, template_requests=large)), **moved
    )
    assert readiness(found, replace(BOTH_MOVE, phases=PLAYBOOK.phases)).verdict.passed
    assert readiness(found, CANARY_MOVES).verdict.passed
    assert "room for 0 pods on amd64, 4 would come back" in readiness(found, BOTH_MOVE).verdict.reason


def test_a_workload_that_was_off_x86_before_the_run_has_no_way_to_go() -> None:
    native = with_deployments(deployment(CANARY, node_selector={"kubernetes.io/arch": "arm64"}))
    found = readiness(native, CANARY_MOVES)
    assert found.verdict.passed
    assert (found.needed, found.headroom) == (0, 24)
