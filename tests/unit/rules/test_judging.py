from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Pod, Resources
from cockpit.model.playbook import AgentsCheck, NativeCheck, ShareCheck
from cockpit.model.series import Series
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.agents import health
from cockpit.rules.judging import aborts, gates
from cockpit.rules.nodes import headroom, mix
from cockpit.rules.readiness import readiness
from cockpit.rules.share import intended_share
from cockpit.rules.traffic import traffic, wilson
from tests.factories import AGENT, CANARY, NOW, PLAYBOOK, node, pod, rule, series, signals, snapshot, weights, with_source

SINCE = NOW - timedelta(minutes=5)
CANARY_5 = PLAYBOOK.phases[0]


def judged(check: object, found: Snapshot, *, abort: bool = False) -> Verdict:
    phase = replace(CANARY_5, gates=() if abort else (check,), abort=(check,) if abort else ())  # type: ignore[arg-type]
    return (aborts if abort else gates)(phase, found, PLAYBOOK, SINCE)[0]


def with_pods(found: Snapshot, **changes: Pod) -> Snapshot:
    return replace(found, pods={**found.pods, **changes})


def test_every_gate_passes_in_a_healthy_world_and_no_trigger_fires() -> None:
    assert [v.outcome for v in gates(CANARY_5, snapshot(), PLAYBOOK, SINCE)] == [Outcome.PASS] * 5
    assert [v.outcome for v in aborts(CANARY_5, snapshot(), PLAYBOOK, SINCE)] == [Outcome.PASS] * 2


def test_an_arm64_node_without_the_agent_fails_though_the_daemonset_looks_complete() -> None:
    found = snapshot()
    without = replace(found, pods={k: p for k, p in found.pods.items() if p.name != "edr-a1"})
    verdict = judged(AgentsCheck("ready"), without)
    assert verdict.outcome is Outcome.FAIL
    assert "a1: no pod" in verdict.reason


def test_a_crash_looping_agent_fails_the_gate_and_fires_the_trigger() -> None:
    looping = Container("main", "registry.example.com/edr/sensor:7.16.2", restarts=7, waiting="CrashLoopBackOff")
    found = with_pods(snapshot(), **{"security/edr-a1": pod("edr-a1", "a1", AGENT, ready=False, containers=(looping,))})
    assert judged(AgentsCheck("ready"), found).outcome is Outcome.FAIL
    assert "crash loop" in judged(AgentsCheck("crash_loop"), found, abort=True).reason


def test_a_crash_looping_agent_that_is_being_replaced_fires_nothing() -> None:
    looping = Container("main", "registry.example.com/edr/sensor:7.16.2", restarts=7, waiting="CrashLoopBackOff")
    old = pod("edr-old", "a1", AGENT, ready=False, containers=(looping,), terminating=True)
    found = with_pods(snapshot(), **{"security/edr-old": old})
    assert judged(AgentsCheck("crash_loop"), found, abort=True).passed
    assert judged(AgentsCheck("ready"), found).passed


def test_an_uncertified_image_fails() -> None:
    other = Container("main", "registry.example.com/edr/sensor:7.14.0", ready=True)
    found = with_pods(snapshot(), **{"security/edr-a1": pod("edr-a1", "a1", AGENT, containers=(other,))})
    assert health(found, PLAYBOOK.agents, Arch.ARM64)[0].certified is False
    assert judged(AgentsCheck("ready"), found).outcome is Outcome.FAIL


def test_a_missing_daemonset_and_no_arm64_node_are_never_green() -> None:
    assert judged(AgentsCheck("ready"), snapshot(daemonsets={})).outcome is Outcome.FAIL
    only_x86 = snapshot(nodes={"x0": node("x0")})
    assert judged(AgentsCheck("ready"), only_x86).outcome is Outcome.NO_DATA


@pytest.mark.parametrize("source", [SourceName.NODES, SourceName.PODS, SourceName.DAEMONSETS])
def test_agents_are_not_judged_on_unsynced_or_stale_sources(source: SourceName) -> None:
    assert judged(AgentsCheck("ready"), with_source(snapshot(), source, SourceState())).outcome is Outcome.NO_DATA
    stale = with_source(snapshot(), source, SourceState(Freshness.STALE, 99))
    assert judged(AgentsCheck("ready"), stale).outcome is Outcome.STALE


@pytest.mark.parametrize(
    ("share", "outcome"), [(0.05, Outcome.PASS), (0.069, Outcome.PASS), (0.09, Outcome.FAIL), (0.0, Outcome.FAIL)]
)
def test_the_observed_share_must_be_near_the_intended_one(share: float, outcome: Outcome) -> None:
    assert judged(ShareCheck(0.02), snapshot(signals=signals(share=share))).outcome is outcome


FULL = replace(CANARY_5, weights=weights(100), gates=(ShareCheck(0.02),))
ALL_MOVED = replace(PLAYBOOK, phases=(FULL,))


@pytest.mark.parametrize("arch", list(Arch))
@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (Series((), "empty vector", error_is_no_data=True), Outcome.NO_DATA),
        (Series(series([1240.0]).samples, "NaN", error_is_no_data=True), Outcome.NO_DATA),
        (Series((), "2 series where one is expected"), Outcome.ERROR),
        (Series(), Outcome.NO_DATA),
        (series([1240.0] * 20, end=NOW - timedelta(seconds=75)), Outcome.STALE),
    ],
)
def test_a_side_that_gives_no_rate_gives_no_share(arch: Arch, found: Series, outcome: Outcome) -> None:
    unscraped = snapshot(signals={**signals(share=1.0), ("requests", arch): found})
    assert gates(FULL, unscraped, ALL_MOVED, SINCE)[0].outcome is outcome
    seen = traffic(unscraped, ALL_MOVED, 1.0)
    assert (seen.observed, seen.rate) == (None, None)


def test_the_share_s_interval_counts_the_requests_of_the_query_s_own_window() -> None:
    margins = []
    for query, requests in (("sum(rate(requests[5m]))", 300 * 1240.0), ("requests", 120 * 1240.0)):
        asked = replace(PLAYBOOK.signals["requests"], query=query)
        playbook = replace(ALL_MOVED, signals={**PLAYBOOK.signals, "requests": asked})
        seen = traffic(snapshot(), playbook, 1.0)
        assert seen.margin == wilson(0.05, requests)[1]
        judged = gates(FULL, snapshot(), playbook, SINCE)[0]
        assert judged.numbers["margin"] == seen.margin
        margins.append(seen.margin)
    assert margins[0] < margins[1]


def test_a_rate_of_0_is_a_share_and_none_at_all_is_not() -> None:
    assert gates(FULL, snapshot(signals=signals(share=1.0)), ALL_MOVED, SINCE)[0].passed
    still = {**signals(), **{("requests", arch): series([0.0] * 20) for arch in Arch}}
    assert gates(FULL, snapshot(signals=still), ALL_MOVED, SINCE)[0].outcome is Outcome.NO_DATA


def test_rules_that_disagree_have_no_common_share() -> None:
    found = traffic(snapshot(rules={"a": rule(5, "a"), "b": rule(25, "b")}), PLAYBOOK, 0.25)
    assert found.configured == {"a": 0.05, "b": 0.25}
    assert found.configured_share is None


def test_a_later_phase_without_weights_keeps_the_share_before_it() -> None:
    assert [intended_share(PLAYBOOK, p) for p in PLAYBOOK.phases] == [0.05, 0.25, 0.25]


def test_wilson_is_the_textbook_interval() -> None:
    centre, half = wilson(0.1, 100)
    assert (centre - half, centre + half) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert wilson(0.5, 0) == (0.5, 1.0)


def test_native_is_disproved_by_a_wrong_binary_and_never_assumed() -> None:
    assert judged(NativeCheck(), snapshot()).outcome is Outcome.NO_DATA
    wrong = Container("main", "x", waiting="CrashLoopBackOff", message="exec /app: exec format error")
    found = with_pods(snapshot(), **{"payments/canary-0": pod("canary-0", "a0", CANARY, ready=False, containers=(wrong,))})
    assert judged(NativeCheck(), found).outcome is Outcome.FAIL


def test_nodes_and_pods_are_counted_by_architecture_and_the_control_plane_apart() -> None:
    nodes = {
        n.name: n
        for n in (node("c0", control_plane=True), node("x0"), node("x1", ready=False), node("a0", Arch.ARM64, unschedulable=True))
    }
    pods = {"p1": pod("p1", "x0"), "p2": pod("p2", "", ready=False), "p3": pod("p3", "a0", CANARY, ready=False)}
    found = mix(snapshot(nodes=nodes, pods=pods), PLAYBOOK.target)
    x86, arm = found.archs[Arch.AMD64], found.archs[Arch.ARM64]
    assert (found.control_plane, found.unplaced) == (1, 1)
    assert (x86.ready, x86.not_ready, x86.pods_ready) == (1, 1, 1)
    assert (arm.ready, arm.cordoned, arm.pods_other) == (1, 1, 1)
    assert x86.used == 0.25


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_pods_that_have_ended_are_counted_nowhere(phase: str) -> None:
    ended = {f"payments/evicted-{i}": pod(f"evicted-{i}", "a0", ready=False, phase=phase) for i in range(3)}
    found = with_pods(snapshot(), **ended)
    assert mix(found, PLAYBOOK.target) == mix(snapshot(), PLAYBOOK.target)
    assert readiness(found, PLAYBOOK).needed == 0


def test_a_node_whose_kubelet_disagrees_with_its_label_is_named() -> None:
    lying = {"x0": replace(node("x0"), arch="arm64")}
    assert mix(snapshot(nodes=lying), PLAYBOOK.target).mislabelled == ("x0",)


def test_headroom_is_the_scarcest_resource() -> None:
    assert headroom(node("x"), Resources(1000, 0, 0), Resources(500, 0, 1)) == 6
    assert headroom(node("x"), Resources(0, 15 << 30, 0), Resources(500, 1 << 30, 1)) == 1
    assert headroom(node("x"), Resources(0, 0, 58), Resources(0, 0, 1)) == 0
    assert headroom(node("x"), Resources(9000, 0, 0), Resources(500, 0, 1)) == 0


def few_requests(share: float, rate: float) -> Snapshot:
    rates = {("requests", Arch.ARM64): series([rate * share] * 20), ("requests", Arch.AMD64): series([rate * (1 - share)] * 20)}
    return snapshot(signals={**signals(), **rates})


def test_a_share_on_few_requests_holds_until_its_interval_tells() -> None:
    phase = replace(CANARY_5, gates=(ShareCheck(0.02),))
    unsure = gates(phase, few_requests(0.05, 0.5), PLAYBOOK, NOW - timedelta(minutes=2))[0]
    assert unsure.outcome is Outcome.LOW_SAMPLES
    assert "cannot tell yet" in unsure.reason
    assert "on 60 requests" in unsure.reason
    assert gates(phase, few_requests(0.05, 5.0), PLAYBOOK, NOW - timedelta(minutes=6))[0].passed, "over the whole soak it tells"


def test_a_rate_that_reaches_back_before_the_weights_is_settling() -> None:
    phase = replace(CANARY_5, gates=(ShareCheck(0.02),))
    early, late = (gates(phase, snapshot(signals=signals(share=0.4)), PLAYBOOK, NOW - timedelta(seconds=s))[0] for s in (60, 180))
    assert early.outcome is Outcome.LOW_SAMPLES
    assert "settling" in early.reason
    assert late.outcome is Outcome.FAIL
    assert late.evidence is not None
    assert late.evidence.interval is not None
    assert late.evidence.interval[0] < 0.4 < late.evidence.interval[1]
    assert set(late.evidence.sides) == {"arm64", "amd64"}
