"""DaemonSets on the new architecture, certified images, and what a topology asks of everything in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row
from cockpit.model.cluster import Node, Ref, Taint
from cockpit.model.nodepool import NodePool
from cockpit.model.playbook import Agent
from cockpit.model.workload import Workload
from cockpit.rules.portability.agents import agents
from cockpit.rules.portability.ground import Ground
from cockpit.rules.portability.topology import CLUSTER, Topology, named, topology
from tests.factories import AGENT, IMAGE, PLAYBOOK
from tests.unit.rules.portability.workloads import GRAVITON, TOLERANT, built, mixed, node, required, workload

ARM, ARM_2 = node("a1"), node("a2")
CONTROL = Taint("node-role.kubernetes.io/control-plane", "NoSchedule")
UNLISTED = replace(PLAYBOOK, agents=())


def daemon(name: str = "shipper", namespace: str = "logging", **changes: object) -> Workload:
    return workload(name, "daemonset", namespace, **changes)


def rows(*found: Workload, ground: Ground, playbook: object = UNLISTED, images: object = None) -> dict[str, Row]:
    return {r.component: r for r in agents(found, ground, playbook, images or {})}  # type: ignore[arg-type]


def test_a_daemonset_that_leaves_the_new_nodes_out_is_a_blocker() -> None:
    for changes in ({"node_selector": {"kubernetes.io/arch": "amd64"}}, {"affinity": required("amd64")}):
        found = rows(daemon(**changes), ground=mixed(ARM))["agent/logging/shipper"]
        assert found.mark is Mark.FIX and "a1" in found.status and "amd64" in found.status
    tainted = rows(daemon(), ground=mixed(node("a1", taints=(GRAVITON,))))["agent/logging/shipper"]
    assert tainted.mark is Mark.FIX and "graviton" in tainted.status and "toleration" in tainted.action
    assert (
        rows(daemon(tolerations=TOLERANT), ground=mixed(node("a1", taints=(GRAVITON,))))["agent/logging/shipper"].mark
        is Mark.PASS
    )


def test_a_daemonset_that_no_worker_has_now_takes_nothing_away() -> None:
    gpu = daemon(node_selector={"gpu": "true"})
    assert rows(gpu, ground=mixed(ARM))["agent/logging/shipper"].mark is Mark.PASS
    with_gpu = Ground(Arch.ARM64, (node("x1", Arch.AMD64, gpu="true"), node("x2", Arch.AMD64), ARM))
    assert rows(gpu, ground=with_gpu)["agent/logging/shipper"].mark is Mark.FIX, "what it does on x1 nobody does on arm64"


def test_some_nodes_left_out_matter_to_agents_and_to_what_is_everywhere() -> None:
    one_tainted = mixed(ARM, node("a2", taints=(GRAVITON,)))
    assert rows(daemon(), ground=one_tainted)["agent/logging/shipper"].mark is Mark.FIX
    partly = Ground(Arch.ARM64, (node("x1", Arch.AMD64, disk="nvme"), node("x2", Arch.AMD64), node("a1", disk="nvme"), ARM_2))
    local = daemon(node_selector={"disk": "nvme"})
    assert rows(local, ground=partly)["agent/logging/shipper"].mark is Mark.PASS
    listed = replace(PLAYBOOK, agents=(Agent(local.ref),))
    assert rows(local, ground=partly, playbook=listed)["agent/logging/shipper"].mark is Mark.FIX


def test_a_twin_for_the_new_architecture_stands_in() -> None:
    old = daemon("edr-amd64", node_selector={"kubernetes.io/arch": "amd64"})
    new = daemon("edr-arm64", node_selector={"kubernetes.io/arch": "arm64"})
    found = rows(old, new, ground=mixed(ARM))
    assert {row.mark for row in found.values()} == {Mark.PASS}
    assert (
        rows(old, replace(new, ref=Ref("daemonset", "logging", "other")), ground=mixed(ARM))["agent/logging/edr-amd64"].mark
        is Mark.FIX
    )
    lost = replace(new, node_selector={"kubernetes.io/arch": "s390x"})
    assert rows(old, lost, ground=mixed(ARM))["agent/logging/edr-amd64"].mark is Mark.FIX


def test_before_there_is_a_node_pins_and_node_pools_are_judged() -> None:
    pinned = daemon(node_selector={"kubernetes.io/arch": "amd64"})
    assert rows(pinned, ground=mixed())["agent/logging/shipper"].mark is Mark.FIX
    assert rows(pinned, ground=Ground(Arch.ARM64))["agent/logging/shipper"].mark is Mark.FIX
    pool = NodePool("graviton", labels={"kubernetes.io/arch": "arm64"}, taints=(GRAVITON,))
    assert rows(daemon(), ground=replace(mixed(), pools=(pool,)))["agent/logging/shipper"].mark is Mark.FIX
    assert rows(daemon(tolerations=TOLERANT), ground=replace(mixed(), pools=(pool,)))["agent/logging/shipper"].mark is Mark.PASS


DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("runs", "certified", "mark"),
    [
        (IMAGE, IMAGE, Mark.PASS),
        ("registry.example.com/edr/sensor:7.16.3", IMAGE, Mark.GATE),
        ("mirror.example.com/edr/sensor:7.16.2", IMAGE, Mark.GATE),
        (f"{IMAGE}@{DIGEST}", IMAGE, Mark.PASS),
        (IMAGE, f"registry.example.com/edr/sensor@{DIGEST}", Mark.PASS),
        (IMAGE, "registry.example.com/edr/sensor@sha256:" + "1" * 64, Mark.GATE),
        ("no image at all", IMAGE, Mark.GATE),
    ],
)
def test_an_agent_runs_a_certified_image_or_waits_for_a_signature(runs: str, certified: str, mark: Mark) -> None:
    made = daemon(AGENT.name, AGENT.namespace)
    made = replace(made, uses=(replace(made.uses[0], image=runs),))
    playbook = replace(PLAYBOOK, agents=(Agent(AGENT, (certified,), "security"),))
    found = rows(made, ground=mixed(ARM), playbook=playbook, images={runs: built(runs, "amd64", "arm64")})[
        "agent/security/edr-sensor"
    ]
    assert found.mark is mark and found.owner == "security", found.status
    if mark is Mark.GATE:
        assert certified in found.status and "security" in found.action
    else:
        assert any("signed off by security" in note for note in found.notes)


def test_an_agent_of_the_playbook_that_is_not_there_is_missed_only_where_a_cluster_was_asked() -> None:
    assert rows(ground=mixed(ARM), playbook=PLAYBOOK)["agent/security/edr-sensor"].mark is Mark.FIX
    assert not rows(ground=Ground(Arch.ARM64), playbook=PLAYBOOK)


def control(arch: Arch) -> Node:
    return replace(node(f"c-{arch}", arch, taints=(CONTROL,)), control_plane=True)


@pytest.mark.parametrize(
    ("nodes", "kind"),
    [
        ((control(Arch.AMD64), ARM), Topology.ARM_WORKERS),
        ((control(Arch.ARM64), ARM), Topology.ARM),
        ((control(Arch.ARM64), control(Arch.AMD64), ARM), Topology.ARM_WORKERS),
        ((ARM,), Topology.MANAGED),
        ((ARM, node("x1", Arch.AMD64)), Topology.MIXED),
        ((node("x1", Arch.AMD64),), Topology.X86),
        ((control(Arch.AMD64),), Topology.NONE),
        ((), Topology.NONE),
    ],
)
def test_a_topology_is_named_by_its_nodes(nodes: tuple[Node, ...], kind: Topology) -> None:
    assert named(Ground(Arch.ARM64, nodes)) is kind


def cluster(ground: Ground, *workloads: Workload, **images: str) -> dict[str, Row]:
    facts = {f"registry.example.com/{name}:1": built(name, *arches.split()) for name, arches in images.items()}
    return {row.component: row for row in topology(workloads, ground, None, facts)}


def test_without_a_single_new_node_nobody_can_know_and_with_none_ready_somebody_has_to_look() -> None:
    alone = cluster(mixed())[CLUSTER]
    assert alone.mark is Mark.UNKNOWN and "canary node group" in alone.action
    assert cluster(mixed(replace(ARM, ready=False)))[CLUSTER].mark is Mark.GATE
    assert cluster(mixed(replace(ARM, unschedulable=True)))[CLUSTER].mark is Mark.GATE
    assert cluster(mixed(ARM))[CLUSTER].mark is Mark.PASS
    pool = NodePool("graviton", labels={"kubernetes.io/arch": "arm64"})
    assert cluster(replace(mixed(), pools=(pool,)))[CLUSTER].mark is Mark.PASS
    assert not cluster(Ground(Arch.ARM64))


def test_an_image_for_one_architecture_is_bound_to_its_nodes() -> None:
    loose = workload("api")
    found = cluster(mixed(ARM), loose, api="arm64")["topology/deployment/payments/api"]
    assert found.mark is Mark.FIX and "x1" in found.status
    assert set(cluster(mixed(ARM), replace(loose, affinity=required("arm64")), api="arm64")) == {CLUSTER}
    assert set(cluster(mixed(ARM), loose, api="amd64 arm64")) == {CLUSTER}
    assert set(cluster(mixed(ARM), loose, api="amd64")) == {CLUSTER}, "that is the image's row"
    assert set(cluster(mixed(ARM), loose)) == {CLUSTER}, "nothing is known of it"


def test_what_tolerates_an_x86_control_plane_needs_images_for_both() -> None:
    ground = Ground(Arch.ARM64, (control(Arch.AMD64), ARM))
    everywhere = daemon("node", tolerations=({"operator": "Exists"},))
    assert cluster(ground, everywhere, node="arm64")["topology/daemonset/logging/node"].mark is Mark.FIX
    assert set(cluster(ground, daemon("node"), node="arm64")) == {CLUSTER}
    assert any("images for both" in note for note in cluster(ground)[CLUSTER].notes)


def test_a_label_that_the_kubelet_contradicts_is_told() -> None:
    liar = replace(ARM, reported_arch="amd64")
    assert any("a1" in note for note in cluster(mixed(liar))[CLUSTER].notes)
