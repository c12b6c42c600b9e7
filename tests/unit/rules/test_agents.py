"""Agents node by node: who lacks one and why, whether the image is the certified one, and what nobody has listed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, DaemonSet, Pod, Ref, Taint
from cockpit.model.image import Image
from cockpit.model.json import Json
from cockpit.model.playbook import Agent, AgentsCheck
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome
from cockpit.rules.agents import AgentHealth, health, judge_agents, unlisted
from cockpit.rules.daemonsets import TOLERATED, keeps_off
from cockpit.rules.sidecars import beside, sidecars
from tests.factories import AGENT, API, CANARY, IMAGE, PLAYBOOK, node, pod, snapshot, with_source

KEY = "security/edr-sensor"
INDEX, ARM, AMD, OTHER = (f"sha256:{digit * 64}" for digit in "abcd")
REPOSITORY = "registry.example.com/edr/sensor"
KNOWN = {
    IMAGE: Image(
        IMAGE, INDEX, index=True, platforms=("linux/amd64", "linux/arm64"), manifests={AMD: "linux/amd64", ARM: "linux/arm64"}
    )
}


def terms(*requirements: Json) -> Json:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(requirements)}}}


def arch_in(*archs: str, key: str = "kubernetes.io/arch") -> Json:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": list(archs)}]}


ARM_NODE = node("a0", Arch.ARM64, labels={"kubernetes.io/arch": "arm64", "beta.kubernetes.io/arch": "arm64"})


def daemonset(**changes: object) -> DaemonSet:
    return replace(DaemonSet("security", "edr-sensor", "u", 4, 4), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (daemonset(), ""),
        (daemonset(node_selector={"kubernetes.io/arch": "arm64"}), ""),
        (daemonset(node_selector={"kubernetes.io/arch": "amd64"}), "pinned to amd64 by nodeSelector kubernetes.io/arch"),
        (
            daemonset(node_selector={"beta.kubernetes.io/arch": "amd64"}),
            "pinned to amd64 by nodeSelector beta.kubernetes.io/arch",
        ),
        (daemonset(node_selector={"team": "x"}), "the node lacks the label team=x of its nodeSelector"),
        (daemonset(affinity=terms(arch_in("amd64"))), "pinned to amd64 by node affinity"),
        (daemonset(affinity=terms(arch_in("amd64", key="beta.kubernetes.io/arch"))), "pinned to amd64 by node affinity"),
        (daemonset(affinity=terms(arch_in("amd64"), arch_in("arm64"))), ""),
        (
            daemonset(affinity=terms({"matchExpressions": [{"key": "gpu", "operator": "Exists"}]})),
            "its node affinity does not admit the node",
        ),
    ],
)
def test_what_keeps_a_daemonset_off_a_node_is_named(found: DaemonSet, why: str) -> None:
    assert keeps_off(found, ARM_NODE) == why


@pytest.mark.parametrize("effect", ["NoSchedule", "NoExecute"])
def test_a_taint_that_is_not_tolerated_is_named(effect: str) -> None:
    tainted = replace(ARM_NODE, taints=(Taint("arch", effect, "arm64"),))
    assert keeps_off(daemonset(), tainted) == f"taint arch=arm64:{effect} is not tolerated"
    assert keeps_off(daemonset(tolerations=({"key": "arch", "operator": "Exists"},)), tainted) == ""
    assert keeps_off(daemonset(), replace(ARM_NODE, taints=(Taint("arch", "PreferNoSchedule"),))) == ""


@given(st.sampled_from(sorted(TOLERATED)), st.sampled_from(["NoSchedule", "NoExecute"]))
def test_a_nodes_own_troubles_keep_no_daemonset_off(key: str, effect: str) -> None:
    assert keeps_off(daemonset(), replace(ARM_NODE, taints=(Taint(key, effect),))) == ""


def without_arm64_pods(**changes: object) -> Snapshot:
    found = snapshot()
    pods = {k: p for k, p in found.pods.items() if not p.name.startswith("edr-a")}
    return replace(found, pods=pods, daemonsets={KEY: daemonset(**changes)})


def test_an_agent_that_is_pinned_to_amd64_is_seen_through() -> None:
    found = without_arm64_pods(node_selector={"kubernetes.io/arch": "amd64"})
    [agent] = health(found, PLAYBOOK.agents, Arch.ARM64)
    pinned = "pinned to amd64 by nodeSelector kubernetes.io/arch"
    assert agent.missing == (("a0", pinned), ("a1", pinned))
    assert agent.looks_whole and not agent.healthy
    assert agent.compared == "", "there is nothing to compare"
    verdict = judge_agents(AgentsCheck("ready"), found, PLAYBOOK)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason == f"edr-sensor: 2 of 2 nodes without it (a0: {pinned}, though it says 4/4)"
    assert judge_agents(AgentsCheck("crash_loop"), found, PLAYBOOK).passed


def test_the_pod_that_is_just_being_taken_away_does_not_hide_why() -> None:
    pinned = without_arm64_pods(node_selector={"kubernetes.io/arch": "amd64"})
    leaving = pod("edr-a0", "a0", AGENT, terminating=True)
    found = replace(pinned, pods={**pinned.pods, "security/edr-a0": leaving})
    assert health(found, PLAYBOOK.agents, Arch.ARM64)[0].missing[0][1].startswith("pinned to amd64")


def test_a_pod_that_finds_no_room_is_told_in_the_schedulers_words() -> None:
    found = without_arm64_pods()
    waiting = pod("edr-x", "", AGENT, ready=False, unschedulable="0/6 nodes are available: 1 Insufficient cpu.")
    found = replace(found, pods={**found.pods, "security/edr-x": waiting})
    assert health(found, PLAYBOOK.agents, Arch.ARM64)[0].missing[0] == ("a0", f"no pod yet: {waiting.unschedulable}")


def test_restarts_and_exit_codes_are_told() -> None:
    ended = Container("main", IMAGE, restarts=3, exit_code=139, ended="Error")
    found = snapshot()
    found = replace(found, pods={**found.pods, "security/edr-a0": pod("edr-a0", "a0", AGENT, ready=False, containers=(ended,))})
    [agent] = health(found, PLAYBOOK.agents, Arch.ARM64)
    assert agent.missing == (("a0", "Error, exit 139, 3 restarts"),)
    assert agent.restarts == 3


def certified(container: Container, *images: str, known: bool = True) -> AgentHealth:
    found = snapshot(images=KNOWN if known else {})
    found = replace(found, pods={**found.pods, "security/edr-a0": pod("edr-a0", "a0", AGENT, containers=(container,))})
    pods = {k: p for k, p in found.pods.items() if p.name != "edr-a1"}
    return health(replace(found, pods=pods), [Agent(AGENT, images)], Arch.ARM64)[0]


def running(image: str, digest: str = "") -> Container:
    return Container("main", image, f"{REPOSITORY}@{digest}" if digest else "", ready=True)


@pytest.mark.parametrize(
    ("container", "image", "known", "right"),
    [
        (running(IMAGE), IMAGE, False, True),
        (running(IMAGE, OTHER), IMAGE, False, True),
        (running(IMAGE, INDEX), IMAGE, True, True),
        (running(IMAGE, ARM), IMAGE, True, True),
        (running(IMAGE, OTHER), IMAGE, True, False),
        (running(f"{REPOSITORY}:7.14.0"), IMAGE, True, False),
        (running(f"{REPOSITORY}:7.14.0", INDEX), IMAGE, True, False),
        (running(f"{REPOSITORY}@{INDEX}", INDEX), IMAGE, True, True),
        (running(f"{REPOSITORY}@{INDEX}", INDEX), IMAGE, False, False),
        (running(IMAGE, INDEX), f"{REPOSITORY}@{INDEX}", False, True),
        (running(IMAGE, OTHER), f"{REPOSITORY}@{INDEX}", False, False),
        (running(IMAGE, OTHER), f"{IMAGE}@{INDEX}", False, False),
        (running(IMAGE), f"{REPOSITORY}@{INDEX}", False, False),
        (running("other.example.com/edr/sensor:7.16.2", INDEX), IMAGE, False, False),
        (running("not an image"), IMAGE, False, False),
    ],
)
def test_certified_is_the_tag_and_the_digest_wherever_both_are_known(
    container: Container, image: str, known: bool, right: bool
) -> None:
    found = certified(container, image, known=known)
    assert found.certified is right
    assert bool(found.uncertified) is not right


def test_the_certified_build_inside_of_the_index_that_runs_counts_on_its_own_architecture_only() -> None:
    by_digest = f"{REPOSITORY}@{INDEX}"
    images = {by_digest: replace(KNOWN[IMAGE], reference=by_digest)}
    found = replace(
        snapshot(images=images), pods={"security/edr-a0": pod("edr-a0", "a0", AGENT, containers=(running(IMAGE, INDEX),))}
    )
    assert health(found, [Agent(AGENT, (f"{REPOSITORY}@{ARM}",))], Arch.ARM64)[0].certified
    assert health(found, [Agent(AGENT, (f"{REPOSITORY}@{AMD}",))], Arch.ARM64)[0].certified is False


def test_what_was_compared_is_said() -> None:
    assert certified(running(IMAGE, INDEX), IMAGE).compared == "tag and digest"
    assert certified(running(IMAGE), IMAGE, known=False).compared == "tag"
    assert certified(running(IMAGE), f"{REPOSITORY}@{INDEX}").compared == "digest"
    assert certified(running(IMAGE)).compared == "" and certified(running(IMAGE)).certified is None
    other = certified(running(IMAGE, OTHER), IMAGE).uncertified
    assert other == (("a0", f"runs {OTHER[:19]}…, certified is {INDEX[:19]}…"),)


def test_what_stands_beside_a_certified_container_needs_no_certificate() -> None:
    beside_it = Container("config-reload", "registry.example.com/tools/reload:1", ready=True)
    found = snapshot()
    two = pod("edr-a0", "a0", AGENT, containers=(Container("main", IMAGE, ready=True), beside_it))
    assert health(replace(found, pods={**found.pods, "security/edr-a0": two}), PLAYBOOK.agents, Arch.ARM64)[0].certified


OTHERS = {
    "kube-system/kube-proxy": DaemonSet("kube-system", "kube-proxy", "u2", 6, 6),
    "gpu/driver": DaemonSet("gpu", "driver", "u3", 4, 4, node_selector={"kubernetes.io/arch": "amd64"}),
    "edge/arm-only": DaemonSet("edge", "arm-only", "u4", 2, 2),
}
EVERYWHERE = dict.fromkeys(("x0", "x1", "x2", "x3", "a0", "a1"), "")


def crowded(**changes: object) -> Snapshot:
    found = snapshot()
    states = {
        KEY: EVERYWHERE,
        "kube-system/kube-proxy": {**EVERYWHERE, "a1": "CrashLoopBackOff"},
        "gpu/driver": {"x0": "", "x1": "not ready (Running)"},
        "edge/arm-only": {"a0": "", "a1": ""},
    }
    return replace(found, daemonsets={**found.daemonsets, **OTHERS}, daemon_pods=states, **changes)  # type: ignore[arg-type]


def test_every_daemonset_on_x86_is_found_and_warns_without_gating() -> None:
    found = unlisted(crowded(), PLAYBOOK)
    assert [h.agent.name for h in found] == ["driver", "kube-proxy"]
    driver, proxy = found
    assert driver.missing == tuple((n, "pinned to amd64 by nodeSelector kubernetes.io/arch") for n in ("a0", "a1"))
    assert driver.looks_whole and not driver.listed
    assert proxy.missing == (("a1", "CrashLoopBackOff"),) and proxy.crash_looping == ("a1",) and proxy.ready == 1
    verdict = judge_agents(AgentsCheck("ready"), crowded(), PLAYBOOK)
    assert verdict.passed
    assert verdict.reason.endswith("not listed: driver (2 of 2 nodes without it), kube-proxy (1 of 2 nodes without it)")
    assert judge_agents(AgentsCheck("crash_loop"), crowded(), PLAYBOOK).reason == "1 agents on 2 arm64 nodes"


def test_nothing_is_said_of_others_before_the_scan_has_ended() -> None:
    blind = with_source(crowded(), SourceName.DAEMON_PODS, SourceState())
    assert unlisted(blind, PLAYBOOK) == ()
    assert judge_agents(AgentsCheck("ready"), blind, PLAYBOOK).passed, "it gates nothing, so it holds nothing either"


def with_proxy(name: str, on: str, ref: Ref, *, native: bool = False, **state: object) -> Pod:
    own = Container(ref.name, "app:1", ready=True)
    proxy = replace(Container("mesh-proxy", "proxy:1", ready=True, init=native, sidecar=native), **state)  # type: ignore[arg-type]
    return pod(name, on, ref, containers=(proxy, own))


@pytest.mark.parametrize("native", [True, False])
def test_a_sidecar_that_crash_loops_on_arm64_only_fails_the_gate_and_fires_the_trigger(native: bool) -> None:
    looping = with_proxy("canary-0", "a0", CANARY, native=native, waiting="CrashLoopBackOff", ready=False, restarts=4)
    found = snapshot()
    pods = {**found.pods, "payments/canary-0": looping, "payments/api-0": with_proxy("api-0", "x0", API, native=native)}
    found = replace(found, pods=pods)
    [sidecar] = sidecars(found, PLAYBOOK)
    assert (sidecar.name, sidecar.workload, sidecar.pods, sidecar.ready, sidecar.restarts) == ("mesh-proxy", CANARY, 1, 0, 4)
    assert sidecar.only_here and sidecar.native is native
    for check in ("ready", "crash_loop"):
        verdict = judge_agents(AgentsCheck(check), found, PLAYBOOK)
        assert verdict.outcome is Outcome.FAIL
        assert "sidecar mesh-proxy of payments-api-arm64: crash loop in 1 of 1 pods on these nodes only" in verdict.reason


def test_a_sidecar_that_crash_loops_on_both_sides_holds_and_fires_no_trigger() -> None:
    found = snapshot()
    looping = [
        with_proxy(name, on, ref, waiting="CrashLoopBackOff", ready=False)
        for name, on, ref in (("canary-0", "a0", CANARY), ("api-0", "x0", API))
    ]
    found = replace(found, pods={**found.pods, **{f"payments/{p.name}": p for p in looping}})
    assert judge_agents(AgentsCheck("ready"), found, PLAYBOOK).outcome is Outcome.FAIL
    trigger = judge_agents(AgentsCheck("crash_loop"), found, PLAYBOOK)
    assert trigger.passed
    assert trigger.reason.endswith("sidecar mesh-proxy of payments-api-arm64: crash loop in 1 of 1 pods and in 1 elsewhere")


@pytest.mark.parametrize("check", ["ready", "crash_loop"])
@pytest.mark.parametrize(
    "state", [SourceState(), SourceState(Freshness.FAULT, 9.0, "refused"), SourceState(Freshness.STALE, 99.0)]
)
def test_sidecars_that_cannot_be_seen_are_not_taken_for_healthy(
    check: Literal["ready", "crash_loop"], state: SourceState
) -> None:
    blind = with_source(snapshot(), SourceName.DEPLOYMENTS, state)
    verdict = judge_agents(AgentsCheck(check), blind, PLAYBOOK)
    assert verdict.outcome in (Outcome.NO_DATA, Outcome.STALE) and verdict.reason.startswith("deployments")
    looping = Container("main", IMAGE, waiting="CrashLoopBackOff")
    sick = replace(blind, pods={**blind.pods, "security/edr-a0": pod("edr-a0", "a0", AGENT, ready=False, containers=(looping,))})
    assert judge_agents(AgentsCheck(check), sick, PLAYBOOK).outcome is Outcome.FAIL, "what is seen to fail fails"


def test_a_sidecar_that_crash_loops_on_x86_alone_is_not_this_runs_business() -> None:
    looping = with_proxy("api-0", "x0", API, waiting="CrashLoopBackOff", ready=False)
    found = snapshot()
    found = replace(
        found, pods={**found.pods, "payments/api-0": looping, "payments/canary-0": with_proxy("canary-0", "a0", CANARY)}
    )
    assert [s.crash_looping for s in sidecars(found, PLAYBOOK)] == [()]
    assert judge_agents(AgentsCheck("crash_loop"), found, PLAYBOOK).passed


def test_a_sidecar_that_starts_is_shown_and_gates_nothing() -> None:
    starting = with_proxy("canary-0", "a0", CANARY, ready=False)
    found = snapshot()
    found = replace(found, pods={**found.pods, "payments/canary-0": starting})
    assert [(s.ready, s.pods) for s in sidecars(found, PLAYBOOK)] == [(0, 1)]
    assert judge_agents(AgentsCheck("ready"), found, PLAYBOOK).passed


def test_a_workloads_own_container_and_plain_init_containers_are_no_sidecars() -> None:
    made = pod(
        "p", "a0", API,
        containers=(
            Container("migrate", "m:1", init=True),
            Container("logs", "l:1", init=True, sidecar=True),
            Container("mesh", "x:1"),
            Container("payments-api", "a:1"),
        ),
    )  # fmt: skip
    assert [c.name for c in beside(made, API.name)] == ["logs", "mesh"]
    assert [c.name for c in beside(replace(made, containers=made.containers[:3]), API.name)] == ["logs"]


@pytest.mark.parametrize(
    ("names", "annotated", "others"),
    [
        ("envoy app", "", ["envoy"]),
        ("envoy worker", "worker", ["envoy"]),
        ("payments-api worker", "worker", ["payments-api"]),
        ("worker envoy", "gone", ["envoy"]),
        ("worker", "", []),
    ],
)
def test_a_workloads_own_container_is_the_annotated_one_or_told_by_its_name(
    names: str, annotated: str, others: list[str]
) -> None:
    made = pod("p", "a0", API, containers=tuple(Container(name, "i:1") for name in names.split()), main=annotated)
    assert [c.name for c in beside(made, API.name)] == others
