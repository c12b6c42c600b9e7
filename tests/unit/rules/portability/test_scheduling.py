"""Where the scheduler would put workloads, and which budgets let no drain go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row
from cockpit.model.cluster import Ref, Taint
from cockpit.model.nodepool import NodePool
from cockpit.model.playbook import AffinityMode, Metadata, Playbook
from cockpit.model.workload import Budget, Workload
from cockpit.rules.affinity import admits
from cockpit.rules.portability.budgets import budgets
from cockpit.rules.portability.ground import Ground
from cockpit.rules.portability.scheduling import scheduling, stays
from cockpit.rules.tolerations import repelling
from tests.factories import API, CANARY, PLAYBOOK, phase
from tests.unit.rules.affinities import affinities
from tests.unit.rules.portability.workloads import GRAVITON, TOLERANT, mixed, node, required, workload

ARM = node("a1")
AMD_ONLY: tuple[dict[str, str], ...] = ({"kubernetes.io/arch": "amd64"}, {"beta.kubernetes.io/arch": "amd64"})


def row(found: Workload, ground: Ground, playbook: Playbook | None = None) -> Row:
    (only,) = scheduling([found], ground, playbook)
    return only


@pytest.mark.parametrize("selector", AMD_ONLY)
@pytest.mark.parametrize("ground", [mixed(ARM), mixed(), Ground(Arch.ARM64)])
def test_a_node_selector_for_the_old_architecture_is_a_blocker_with_or_without_nodes(
    selector: dict[str, str], ground: Ground
) -> None:
    found = row(workload(node_selector=selector), ground)
    assert found.mark is Mark.FIX and next(iter(selector)) in found.status and next(iter(selector)) in found.action


def test_a_required_affinity_counts_by_what_its_terms_leave() -> None:
    two: dict[str, object] = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]}
    assert row(workload(affinity=required("amd64")), mixed(ARM)).mark is Mark.FIX
    assert row(workload(affinity=required("s390x")), mixed(ARM)).mark is Mark.FIX
    assert row(workload(affinity=required("amd64", key="beta.kubernetes.io/arch")), mixed(ARM)).mark is Mark.FIX
    assert row(workload(affinity=required("amd64", "arm64")), mixed(ARM)).mark is Mark.PASS, two
    assert row(workload(affinity=required("arm64")), mixed(ARM)).mark is Mark.PASS


def test_taints_of_every_node_must_be_tolerated_and_of_one_node_only_when_it_is_the_only_one() -> None:
    tainted = node("a2", taints=(GRAVITON,))
    assert row(workload(), mixed(ARM, tainted)).mark is Mark.PASS
    lost = row(workload(), mixed(tainted))
    assert lost.mark is Mark.FIX and "graviton=yes:NoSchedule" in lost.status
    assert row(workload(tolerations=TOLERANT), mixed(tainted)).mark is Mark.PASS
    soft = node("a3", taints=(Taint("graviton", "PreferNoSchedule"),))
    assert row(workload(), mixed(soft)).mark is Mark.PASS


def test_where_no_node_is_yet_its_node_pool_says_what_it_will_be() -> None:
    pool = NodePool("graviton", requirements=({"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]},))
    x86 = NodePool("x86", labels={"kubernetes.io/arch": "amd64"}, taints=(GRAVITON,))
    bare = replace(mixed(), pools=(x86,))
    assert row(workload(), bare).status == "nothing pins it to amd64"
    assert "NodePool graviton" in row(workload(), replace(bare, pools=(pool, x86))).status
    tainted = replace(bare, pools=(replace(pool, taints=(GRAVITON,)), x86))
    assert row(workload(), tainted).mark is Mark.FIX
    assert row(workload(tolerations=TOLERANT), tainted).mark is Mark.PASS


def asks(operator: str, *values: str, key: str = "team") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def affine(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


CAPACITY, TYPE = "karpenter.sh/capacity-type", "node.kubernetes.io/instance-type"


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        ({"node_selector": {"karpenter.sh/nodepool": "x86"}}, Mark.FIX),
        ({"node_selector": {"karpenter.sh/nodepool": "graviton"}}, Mark.PASS),
        ({"node_selector": {CAPACITY: "on-demand"}}, Mark.FIX),
        ({"node_selector": {CAPACITY: "spot"}}, Mark.PASS),
        ({"node_selector": {CAPACITY: "spot"}, "affinity": affine(asks("In", "on-demand", key=CAPACITY))}, Mark.FIX),
        ({"node_selector": {TYPE: "m5.large"}}, Mark.UNKNOWN),
        ({"node_selector": {"topology.kubernetes.io/zone": "a"}}, Mark.UNKNOWN),
        ({"node_selector": {"team": "pay"}}, Mark.FIX),
        ({"node_selector": {"tier": "api"}}, Mark.PASS),
        ({"node_selector": {"tier": "db"}}, Mark.FIX),
        ({"node_selector": {"shard": "7"}}, Mark.PASS),
        ({"node_selector": {"kubernetes.io/os": "linux"}}, Mark.PASS),
        ({"node_selector": {"kubernetes.io/os": "windows"}}, Mark.FIX),
        ({"affinity": affine(asks("NotIn", "pay"))}, Mark.PASS),
        ({"affinity": affine(asks("Exists"))}, Mark.FIX),
        ({"affinity": affine(asks("DoesNotExist"))}, Mark.PASS),
        ({"affinity": affine(asks("NotIn", "m5.large", key=TYPE))}, Mark.UNKNOWN),
    ],
)
def test_what_a_node_pool_gives_its_nodes_is_held_against_what_is_asked(changes: dict[str, Any], mark: Mark) -> None:
    arm, spot = asks("In", "arm64", key="kubernetes.io/arch"), asks("In", "spot", key=CAPACITY)
    pool = NodePool("graviton", labels={"tier": "api"}, requirements=(arm, spot, asks("Exists", key="shard")))
    found = row(workload(**changes), replace(mixed(), pools=(pool,)))
    assert found.mark is mark, found.status
    assert "NodePool graviton" in found.status
    for key, value in changes.get("node_selector", {}).items() if mark is not Mark.PASS and len(changes) == 1 else ():
        assert f"nodeSelector {key}={value}" in found.status


def test_one_node_pool_that_gives_it_and_is_tolerated_is_enough() -> None:
    arm = asks("In", "arm64", key="kubernetes.io/arch")
    plain, pay = NodePool("plain", requirements=(arm,)), NodePool("pay", labels={"team": "pay"}, requirements=(arm,))
    asked = workload(node_selector={"team": "pay"})
    assert row(asked, replace(mixed(), pools=(plain, pay))).status.endswith("NodePool pay may make")
    tainted = row(asked, replace(mixed(), pools=(plain, replace(pay, taints=(GRAVITON,)))))
    assert tainted.mark is Mark.FIX and "of NodePool pay is not tolerated" in tainted.status


def test_of_what_has_no_container_nothing_is_said() -> None:
    assert not list(scheduling([workload(uses=())], mixed(ARM), None))


def test_a_label_that_no_new_node_has_is_named() -> None:
    found = row(workload(node_selector={"eks.amazonaws.com/nodegroup": "x86-large"}), mixed(ARM))
    assert found.mark is Mark.FIX and "eks.amazonaws.com/nodegroup=x86-large" in found.status


def test_a_template_that_names_its_node() -> None:
    assert row(workload(node_name="x1"), mixed(ARM)).mark is Mark.FIX
    assert row(workload(node_name="a1"), mixed(ARM)).mark is Mark.PASS


def test_what_is_only_worth_knowing_gates_nothing() -> None:
    expression = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
    preferred = [{"weight": 70, "preference": {"matchExpressions": [expression]}}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    found = row(workload(affinity=affinity, sizes="main requests cpu 1"), mixed(ARM))
    assert found.mark is Mark.PASS and len(found.notes) == 2
    assert "weight 70" in found.notes[0] and "main requests cpu 1" in found.notes[1]


def test_the_baseline_stays_unless_a_phase_moves_it() -> None:
    home = workload(API.name, node_selector={"kubernetes.io/arch": "amd64"})
    weights_only = replace(PLAYBOOK, phases=(phase("canary-5", 5),), metadata=Metadata("x", owner="team"))
    assert stays(home, weights_only) and row(home, mixed(ARM), weights_only).mark is Mark.PASS
    assert not stays(home, PLAYBOOK) and row(home, mixed(ARM), PLAYBOOK).mark is Mark.FIX
    back = replace(PLAYBOOK, phases=(phase("back", affinity=AffinityMode.NONE),))
    assert stays(home, back)
    canary = replace(home, ref=CANARY)
    assert row(canary, mixed(ARM), weights_only).mark is Mark.FIX
    assert row(canary, mixed(ARM), weights_only).owner == "team"
    alone = replace(weights_only, target=replace(PLAYBOOK.target, canary=None))
    assert not stays(home, alone)
    assert row(replace(home, place="deploy.yaml:3"), mixed(ARM), weights_only).mark is Mark.FIX


TAINTS = st.sampled_from([(), (GRAVITON,), (Taint("graviton", "PreferNoSchedule"),)])
NODES = st.lists(
    st.builds(
        lambda name, arch, taints, pool: node(name, arch, taints=taints, pool=pool),
        st.sampled_from("abcdef"),
        st.sampled_from(list(Arch)),
        TAINTS,
        st.sampled_from(["general", ""]),
    ),
    max_size=5,
    unique_by=lambda n: n.name,
)
SELECTORS = st.dictionaries(st.sampled_from(["kubernetes.io/arch", "pool"]), st.sampled_from(["amd64", "arm64", "general"]))


@given(affinities, SELECTORS, NODES, st.booleans())
def test_a_workload_passes_exactly_when_the_scheduler_would_find_it_a_node(
    affinity: object, selector: dict[str, str], nodes: list[object], tolerant: bool
) -> None:
    made = workload(affinity=affinity, node_selector=selector, tolerations=TOLERANT if tolerant else ())
    ground = Ground(Arch.ARM64, tuple(nodes))  # type: ignore[arg-type]
    fits = [n for n in ground.there if admits(made.affinity, selector, n) and not repelling(made.tolerations, n)]
    found = row(made, ground)
    if ground.there:
        assert (found.mark is Mark.PASS) is bool(fits)
    assert bool(found.action) is (found.mark is Mark.FIX)


def budget(**changes: object) -> Budget:
    return replace(Budget("payments", "pdb", {"matchLabels": {"app": "api"}}), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "replicas", "mark"),
    [
        ({"most": 0}, 3, Mark.FIX),
        ({"most": "0%"}, 3, Mark.FIX),
        ({"most": "1%"}, 3, Mark.PASS),
        ({"most": 1, "allowed": 1, "expected": 3}, 3, Mark.PASS),
        ({"least": 3}, 3, Mark.FIX),
        ({"least": 2}, 3, Mark.PASS),
        ({"least": "100%"}, None, Mark.FIX),
        ({"least": "90%"}, 3, Mark.FIX),
        ({"least": "50%"}, 3, Mark.PASS),
        ({"least": 1}, 1, Mark.FIX),
        ({"least": 1, "allowed": 0, "healthy": 1, "desired": 1, "expected": 3}, 3, Mark.GATE),
        ({"least": 3, "allowed": 0, "healthy": 3, "desired": 3, "expected": 3}, 9, Mark.FIX),
        ({"least": "nonsense"}, 3, Mark.PASS),
        ({}, 3, Mark.PASS),
    ],
)
def test_a_budget_that_can_never_spare_a_pod(changes: dict[str, object], replicas: int | None, mark: Mark) -> None:
    place = "" if "allowed" in changes else "deploy.yaml:1"
    (found,) = budgets([budget(place=place, **changes)], [workload(replicas=replicas, place=place)], None)
    assert found.mark is mark, found.status


def test_what_a_controller_has_not_said_of_this_very_spec_is_not_known() -> None:
    (found,) = budgets([budget(most=1)], [workload(replicas=3)], None)
    assert found.mark is Mark.UNKNOWN
    (none,) = budgets([budget(most=1)], [workload(replicas=0)], None)
    assert none.mark is Mark.PASS, "there is nothing to spare"


@pytest.mark.parametrize(("allowed", "words"), [(1, "spares 1 pod now"), (2, "spares 2 pods now")])
def test_pods_are_counted_in_words(allowed: int, words: str) -> None:
    (found,) = budgets([budget(most=allowed, allowed=allowed, expected=3)], [workload(replicas=3)], None)
    assert found.status == words


def test_a_budget_that_guards_nothing_is_no_component() -> None:
    assert not list(budgets([budget(most=0)], [workload("other")], None))
    assert not list(budgets([budget(most=0, namespace="other")], [workload()], None))
    assert not list(budgets([budget(most=0, place="a.yaml:1")], [workload()], None))
    assert not list(budgets([budget(most=0)], [workload(kind="daemonset")], None))


@given(st.integers(1, 50), st.one_of(st.integers(0, 60), st.integers(0, 120).map(lambda n: f"{n}%")), st.booleans())
def test_a_budget_passes_exactly_when_all_healthy_pods_would_leave_one_to_spare(
    pods: int, amount: int | str, least: bool
) -> None:
    """By the disruption controller's arithmetic, in its own terms: desiredHealthy and disruptionsAllowed."""
    number = amount if isinstance(amount, int) else -(-int(amount[:-1]) * pods // 100)
    desired = number if least else max(0, pods - number)
    allowed = max(0, pods - desired)
    made = budget(**{"least" if least else "most": amount})
    written, place = replace(made, place="deploy.yaml:1"), "deploy.yaml:1"
    (found,) = budgets([written], [workload(replicas=pods, place=place)], None)
    assert (found.mark is Mark.PASS) is (allowed > 0)
    told = replace(made, allowed=allowed, healthy=pods, desired=desired, expected=pods)
    (again,) = budgets([told], [workload(replicas=pods)], None)
    assert again.mark is found.mark


def test_a_budget_is_the_owners_in_the_playbooks_namespace_only() -> None:
    playbook = replace(PLAYBOOK, metadata=Metadata("x", owner="team"))
    (own,) = budgets([budget()], [workload()], playbook)
    (other,) = budgets([budget(namespace="x")], [workload(ref=Ref("deployment", "x", "api"))], playbook)
    assert (own.owner, other.owner) == ("team", "")
