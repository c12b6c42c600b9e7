"""What stands in the way of a rollback beside room by requests, what is only warned of, how long it takes and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import ARCH_LABEL, Arch
from cockpit.model.cluster import Autoscaler, Deployment, Neighbour, Node, Quota, Resources
from cockpit.model.image import Image
from cockpit.model.json import Json, canonical
from cockpit.model.nodepool import NodePool
from cockpit.model.placement import Spread, Strategy
from cockpit.model.playbook import AffinityMode, AffinitySet, Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.rules.affinity import narrow
from cockpit.rules.original import ORIGINAL
from cockpit.rules.readiness import Readiness, readiness, timed
from tests.factories import API, CANARY, PLAYBOOK, RULE, deployment, node, pod, rule, snapshot, with_source

IMAGE = "registry.example.com/payments:1.4.0"
BUILT = Image(IMAGE, index=True, platforms=("linux/amd64", "linux/arm64"))
MOVES = replace(
    PLAYBOOK,
    phases=(*PLAYBOOK.phases, replace(PLAYBOOK.phases[0], weights=None, affinity=AffinitySet(API, AffinityMode.REQUIRED))),
)
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
MINE: dict[str, Json] = {"matchLabels": {"app": API.name}}
FIRM = Strategy(surge=1, unavailable=0)


def x86(number: int, zone: str = "a", **changes: object) -> Node:
    labels = {ARCH_LABEL: "amd64", HOST: f"x{number}", ZONE: zone}
    return replace(node(f"x{number}", labels=labels), **changes)  # type: ignore[arg-type]


def moved(*made: Node, home: int = 0, away: int = 4, **changes: object) -> Snapshot:
    """The baseline is bound to arm64 by the run; `home` of its pods are on x86 still, `away` have gone."""
    affinity = changes.pop("was", narrow(None, Arch.AMD64))
    bound = deployment(
        replicas=home + away, affinity=narrow(None, Arch.ARM64), annotations={ORIGINAL: canonical(affinity)}, **changes  # type: ignore[arg-type]
    )  # fmt: skip
    found = snapshot(images={BUILT.reference: BUILT})
    nodes = {
        **{n.name: n for n in made or [x86(i, "abcd"[i]) for i in range(4)]},
        "a0": found.nodes["a0"],
        "a1": found.nodes["a1"],
    }
    pods = {f"payments/api-{i}": pod(f"api-{i}", f"x{i}") for i in range(home)}
    pods |= {f"payments/api-{i}": pod(f"api-{i}", f"a{i % 2}") for i in range(home, home + away)}
    others = {key: one for key, one in found.pods.items() if "/api-" not in key}
    usage = {name: Resources(1000, 4 << 30, 8) for name in nodes}
    deployments = {**found.deployments, "payments/payments-api": bound}
    return replace(found, nodes=nodes, pods={**others, **pods}, usage=usage, deployments=deployments)


def judged(found: Snapshot, playbook: Playbook = MOVES) -> Readiness:
    return readiness(found, playbook)


def refused(found: Snapshot, playbook: Playbook = MOVES) -> str:
    verdict = judged(found, playbook).verdict
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.reason


def unknown(found: Snapshot, playbook: Playbook = MOVES) -> str:
    verdict = judged(found, playbook).verdict
    assert verdict.outcome is Outcome.NO_DATA, verdict
    return verdict.reason


def test_pods_that_fit_come_back() -> None:
    found = judged(moved())
    assert (found.verdict.outcome, found.needed, found.headroom) == (Outcome.PASS, 4, 24)


# Kept apart


def test_a_spread_that_one_full_zone_holds_back_is_no_room() -> None:
    spread = (Spread(ZONE, 1, MINE),)
    assert judged(moved(spreads=spread)).verdict.passed
    lame = [x86(0), x86(1), x86(2, "b", allocatable=Resources(1000, 4 << 30, 8))]
    words = refused(moved(*lame, spreads=spread))
    assert "room for 1 pods on amd64, 4 would come back (spread over topology.kubernetes.io/zone)" in words
    assert judged(moved(*lame, spreads=(Spread(ZONE, 4, MINE),))).verdict.passed


def test_a_cordoned_zone_counts_for_a_spread_unless_the_spread_looks_at_taints() -> None:
    cordoned = [x86(0), x86(1), x86(2, "b", unschedulable=True)]
    assert "spread over" in refused(moved(*cordoned, spreads=(Spread(ZONE, 1, MINE),)))
    assert judged(moved(*cordoned, spreads=(Spread(ZONE, 1, MINE, honors_taints=True),))).verdict.passed


def test_other_sides_zones_count_for_a_spread_that_does_not_look_at_affinity() -> None:
    nodes = [x86(i) for i in range(4)]
    found = moved(*nodes, spreads=(Spread(ZONE, 1, MINE, honors_affinity=False),))
    arm = replace(found.nodes["a0"], labels={**found.nodes["a0"].labels, ZONE: "z"})
    assert judged(found).verdict.passed
    assert "room for 1 pods" in refused(replace(found, nodes={**found.nodes, "a0": arm}))


def alone(selector: Json = None, key: str = HOST, kind: str = "podAntiAffinity") -> Json:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    rest: dict[str, Json] = {kind: {required: [{"topologyKey": key, "labelSelector": selector or MINE}]}}
    base = narrow(None, Arch.AMD64)
    assert isinstance(base, dict)
    return {**base, **rest}


def beside(found: Snapshot, affinity: Json) -> Snapshot:
    """The same with this affinity but for its node part, before the run and now."""
    was = found.deployments["payments/payments-api"]
    assert isinstance(affinity, dict)
    now = {**affinity, "nodeAffinity": narrow(None, Arch.ARM64)["nodeAffinity"]}  # type: ignore[index,call-overload]
    bound = replace(was, affinity=now, annotations={ORIGINAL: canonical(affinity)})
    return replace(found, deployments={**found.deployments, "payments/payments-api": bound})


def test_one_pod_for_each_host_needs_as_many_hosts() -> None:
    assert judged(beside(moved(), alone())).verdict.passed
    assert "room for 4 pods on amd64, 5 would come back (one for each kubernetes.io/hostname)" in refused(
        beside(moved(away=5), alone())
    )


def test_pods_of_others_in_the_namespace_count_where_a_selector_takes_them_in() -> None:
    tier: dict[str, Json] = {"matchLabels": {"tier": "web"}}
    found = beside(moved(template_labels={"app": API.name, "tier": "web"}), alone(tier))
    assert judged(found).verdict.passed
    taken = (Neighbour("x3", {"app": "shop", "tier": "web"}), Neighbour("x2", {"app": "shop", "tier": "batch"}))
    assert "room for 3 pods" in refused(replace(found, neighbours={"payments": taken}))


def test_pods_that_must_be_beside_others_find_room_only_there() -> None:
    cache: dict[str, Json] = {"matchLabels": {"app": "cache"}}
    found = beside(moved(), alone(cache, ZONE, "podAffinity"))
    assert "with others on one topology.kubernetes.io/zone" in refused(found)
    assert judged(replace(found, neighbours={"payments": (Neighbour("x1", {"app": "cache"}),)})).headroom == 6


def test_what_is_not_understood_is_not_green() -> None:
    assert "pod affinity of the workload to itself is not judged" in unknown(beside(moved(), alone(kind="podAffinity")))


# The roll


def test_a_roll_that_may_miss_no_pod_needs_room_for_one_more() -> None:
    tight = [x86(i, allocatable=Resources(1500, 16 << 30, 58)) for i in range(3)]
    assert judged(moved(*tight, home=1, away=3)).verdict.passed
    assert "no room on amd64 for the first pod of a roll of payments-api" in refused(moved(*tight, home=1, away=3, strategy=FIRM))
    assert judged(moved(*tight, home=0, away=3, strategy=FIRM)).verdict.passed


def test_a_paused_deployment_does_not_roll_and_the_way_out_is_said() -> None:
    words = refused(moved(paused=True))
    assert "kubectl rollout resume deployment/payments-api -n payments" in words
    assert judged(snapshot(deployments={k: replace(d, paused=True) for k, d in snapshot().deployments.items()})).verdict.passed


def quota(hard: Mapping[str, str], used: Mapping[str, str], *, scoped: bool = False) -> dict[str, Quota]:
    return {"payments/compute": Quota("payments", "compute", hard, used, scoped)}


@pytest.mark.parametrize(
    ("hard", "used", "changes", "words"),
    [
        ({"pods": "8"}, {"pods": "8"}, {"strategy": FIRM}, "quota compute: pods is left for 0 more pods of payments-api, 1 must"),
        ({"requests.cpu": "4"}, {"requests.cpu": "3600m"}, {"strategy": FIRM}, "requests.cpu is left for 0"),
        (
            {"limits.memory": "8Gi"},
            {"limits.memory": "8Gi"},
            {"strategy": FIRM, "template_limits": Resources(0, 1 << 30)},
            "limits.memory is left for 0",
        ),
        ({"pods": "8"}, {"pods": "10"}, {}, "pods is left for 0"),
        ({"pods": "8"}, {"pods": "8"}, {}, ""),
        ({"limits.memory": "8Gi"}, {"limits.memory": "8Gi"}, {"strategy": FIRM}, ""),
        ({"pods": "many"}, {"pods": "8"}, {"strategy": FIRM}, ""),
        ({"pods": "9"}, {"pods": "8"}, {"strategy": FIRM}, ""),
    ],
)
def test_a_quota_that_lets_no_new_pod_start_is_red(
    hard: dict[str, str], used: dict[str, str], changes: dict[str, object], words: str
) -> None:
    found = replace(moved(**changes), quotas=quota(hard, used))  # type: ignore[arg-type]
    assert judged(found).verdict.passed if not words else words in refused(found)


def test_a_quota_that_only_slows_or_may_not_count_is_a_warning() -> None:
    full = {"pods": "8"}
    slow = judged(replace(moved(), quotas=quota(full, full)))
    assert "so the roll takes longer" in slow.warnings[0]
    scoped = judged(replace(moved(strategy=FIRM), quotas=quota(full, full, scoped=True)))
    assert scoped.verdict.passed
    assert "it may not count them" in scoped.warnings[0]


# Load that comes back


def scaled(arm64: int, maximum: int = 10, replicas: int = 4, **changes: object) -> Snapshot:
    scaler = Autoscaler("payments", "api", API, 2, maximum, replicas, replicas)
    base = snapshot(images={BUILT.reference: BUILT}, rules={RULE: rule(arm64)}, autoscalers={"payments/api": scaler}, **changes)
    pods = {k: p for k, p in base.pods.items() if "/api-" not in k}
    pods |= {f"payments/api-{i}": pod(f"api-{i}", f"x{i % 4}") for i in range(replicas)}
    return replace(base, pods=pods, deployments={**base.deployments, "payments/payments-api": deployment(replicas=replicas)})


@pytest.mark.parametrize(
    ("arm64", "maximum", "replicas", "needed"), [(0, 10, 4, 0), (5, 10, 4, 1), (50, 10, 2, 2), (100, 10, 2, 4), (100, 3, 2, 1)]
)
def test_what_the_autoscaler_took_away_has_to_find_room_again(arm64: int, maximum: int, replicas: int, needed: int) -> None:
    found = judged(scaled(arm64, maximum, replicas), PLAYBOOK_WEIGHTS)
    assert (found.needed, found.verdict.outcome) == (needed, Outcome.PASS)
    assert ("all traffic is on" in found.loses) is bool(needed)


PLAYBOOK_WEIGHTS = replace(PLAYBOOK, phases=PLAYBOOK.phases[:2])


def test_no_room_for_what_the_autoscaler_brings_back_is_red() -> None:
    full = {f"x{i}": Resources(3900, 4 << 30, 8) for i in range(4)}
    assert "room for 0 pods on amd64, 4 would come back" in refused(scaled(100, replicas=2, usage=full), PLAYBOOK_WEIGHTS)


# Images


@pytest.mark.parametrize(
    ("image", "outcome"),
    [
        (BUILT, Outcome.PASS),
        (replace(BUILT, platforms=("linux/arm64",)), Outcome.FAIL),
        (Image(IMAGE, platforms=("linux/arm64",)), Outcome.NO_DATA),
        (Image(IMAGE, why="timed out"), Outcome.NO_DATA),
        (Image(IMAGE, why="timed out", ran=frozenset({"amd64"})), Outcome.PASS),
        (None, Outcome.NO_DATA),
    ],
)
def test_the_images_that_would_come_back_are_built_for_x86(image: Image | None, outcome: Outcome) -> None:
    found = judged(replace(moved(), images={IMAGE: image} if image else {}))
    assert found.verdict.outcome is outcome
    assert outcome is Outcome.PASS or IMAGE in found.verdict.reason


def test_an_image_that_runs_on_x86_now_needs_no_registry() -> None:
    assert judged(replace(moved(home=1, away=3), images={})).verdict.passed


# Permission


def test_writes_that_are_not_permitted_are_red() -> None:
    assert "may not patch deployments" in refused(replace(moved(), denied={"affinity": "patch deployments"}))
    assert judged(replace(snapshot(), denied={"affinity": "patch deployments"}), PLAYBOOK_WEIGHTS).verdict.passed


def test_permission_that_cannot_be_asked_for_is_unknown_but_for_who_does_not_ask() -> None:
    lost = with_source(moved(), SourceName.ACCESS, SourceState(Freshness.FAULT, 9.0, "connection refused"))
    assert "permissions: cannot be asked" in unknown(lost)
    silent: dict[SourceName, SourceState] = {name: state for name, state in lost.sources.items() if name is not SourceName.ACCESS}
    assert judged(replace(lost, sources=silent)).verdict.passed


def test_whoever_sets_back_what_is_written_is_named() -> None:
    argo = {"argocd.argoproj.io/tracking-id": "payments:apps/Deployment:payments/payments-api"}
    bound = moved().deployments["payments/payments-api"]
    owned = replace(moved(), deployments={"payments/payments-api": replace(bound, annotations={**bound.annotations, **argo})})
    found = judged(owned)
    assert found.verdict.passed
    assert any("Argo CD" in warning for warning in found.warnings)
    target = replace(MOVES.target, gitops="suspended")
    assert not judged(owned, replace(MOVES, target=target)).warnings


# Karpenter

X86_ONLY: tuple[Mapping[str, Json], ...] = ({"key": ARCH_LABEL, "operator": "In", "values": ["amd64"]},)
ARM_ONLY: tuple[Mapping[str, Json], ...] = ({"key": ARCH_LABEL, "operator": "In", "values": ["arm64"]},)


def pooled(pool: NodePool, *, full: bool = False) -> Snapshot:
    found = moved(*[x86(i) for i in range(4)])
    label = {"karpenter.sh/nodepool": pool.name}
    nodes = {k: replace(n, labels={**n.labels, **label}) if n.arch == Arch.AMD64 else n for k, n in found.nodes.items()}
    usage = {name: Resources(4000, 16 << 30, 8) for name in nodes} if full else found.usage
    return replace(found, nodes=nodes, usage=usage, node_pools={pool.name: pool})


def test_what_karpenter_may_take_away_is_warned_of() -> None:
    base = NodePool("general", requirements=X86_ONLY, policy="WhenEmptyOrUnderutilized", after="30s", budgets=("10%",))
    taken = judged(pooled(base))
    assert taken.verdict.passed
    assert "NodePool general may remove its 4 amd64 nodes (WhenEmptyOrUnderutilized after 30s)" in taken.warnings[0]
    assert not judged(pooled(replace(base, budgets=("0",)))).warnings
    assert not judged(pooled(replace(base, after="Never"))).warnings
    drifted = judged(pooled(replace(base, requirements=ARM_ONLY)))
    assert "NodePool general no longer allows amd64: Karpenter replaces its 4 amd64 nodes" in drifted.warnings[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limits": {"cpu": "64"}, "used": {"cpu": "64"}}, "makes no further amd64 node: its limit of cpu 64 is used up"),
        ({"limits": {"cpu": "64"}, "used": {"cpu": "16500m"}}, "may make amd64 nodes (47.5 cpu of its limit are left)"),
        ({"ready": False}, "it is not Ready"),
        ({}, "may make amd64 nodes: room only once they are Ready"),
    ],
)
def test_nodes_that_karpenter_may_make_are_no_room_but_are_told(changes: dict[str, object], words: str) -> None:
    pool = replace(NodePool("general", requirements=X86_ONLY), **changes)  # type: ignore[arg-type]
    found = judged(pooled(pool, full=True))
    assert found.verdict.outcome is Outcome.FAIL
    assert any(words in warning for warning in found.warnings)


def test_node_pools_that_may_not_be_listed_are_said_to_be_unknown() -> None:
    lost = with_source(moved(), SourceName.NODEPOOLS, SourceState(Freshness.FAULT, None, "forbidden"))
    assert judged(lost).verdict.passed
    assert "not known: cannot be asked (forbidden)" in judged(lost).warnings[0]


# Time and cost


def test_the_time_is_an_estimate_by_waves_until_a_roll_has_been_seen() -> None:
    found = moved(away=8)
    guessed = judged(found)
    assert (guessed.eta, guessed.eta_basis) == (2 + 4 * 12, "estimated")
    slow = judged(moved(away=8, strategy=FIRM))
    assert slow.eta == 2 + 8 * 12
    seen = timed(guessed, found, MOVES, {"payments/payments-api": 2.5})
    assert (seen.eta, seen.eta_basis) == (2 + 8 * 2.5, "as it rolled out")
    assert "8 pods roll for ~22 s, up to 2 missing at a time" in seen.loses


def test_clients_that_stay_behind_are_told() -> None:
    sticky = rule(50)
    action = dict(sticky.actions[0])
    config = action["ForwardConfig"]
    assert isinstance(config, dict)
    action["ForwardConfig"] = {**config, "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 300}}
    found = snapshot(rules={RULE: replace(sticky, actions=(action,))})
    assert judged(found, PLAYBOOK_WEIGHTS).loses == "traffic goes back at once; sticky clients stay on arm64 up to 300 s"
    assert judged(snapshot(), PLAYBOOK_WEIGHTS).loses == ""


def test_a_look_at_a_world_that_has_not_changed_costs_nothing_and_one_that_has_is_made_anew() -> None:
    first = snapshot()
    later = replace(first, seq=2, time=first.time + timedelta(seconds=1))
    assert readiness(first, MOVES) is readiness(later, MOVES)
    aged = with_source(first, SourceName.USAGE, SourceState(Freshness.STALE, 400.0))
    older = with_source(first, SourceName.USAGE, SourceState(Freshness.STALE, 401.0))
    assert "400 s" in readiness(aged, MOVES).verdict.reason
    assert "401 s" in readiness(older, MOVES).verdict.reason


def test_a_canary_that_was_off_x86_before_the_run_is_left_there() -> None:
    native: Deployment = deployment(CANARY, node_selector={ARCH_LABEL: "arm64"})
    found = snapshot(deployments={"payments/payments-api": deployment(), "payments/payments-api-arm64": native})
    assert judged(found, PLAYBOOK_WEIGHTS).needed == 0
