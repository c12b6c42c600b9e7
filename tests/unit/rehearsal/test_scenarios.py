"""What each scenario does to the world, and when."""

from __future__ import annotations

from collections import Counter

import pytest

from cockpit.errors import UsageError
from cockpit.model.arch import Arch
from cockpit.model.json import canonical
from cockpit.rehearsal.kube.errors import KubeError
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.kube.podstatus import status_word
from cockpit.rehearsal.scenarios import SCENARIOS, MetricsFault
from cockpit.rehearsal.windows import Measured
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import BASELINE, CANARY, bind, deployment, placed, weights, world

SEEDS = [1, 2, 3]


def _go(made: World, arm64: int, seconds: int) -> None:
    made.set_weights("arn:rule", weights(arm64))
    made.engine.advance(made.cluster.step + seconds)


def _both(made: World) -> tuple[Measured, Measured]:
    amd, arm = (made.traffic.windows[a].at(made.cluster.step) for a in (Arch.AMD64, Arch.ARM64))
    assert amd is not None and arm is not None
    return amd, arm


def test_every_scenario_of_this_release_is_listed_with_its_outcome() -> None:
    assert set(SCENARIOS) == {
        *("clean", "p99-regression", "error-spike", "prometheus-down", "prometheus-nan", "prometheus-stale"),
        *("api-conflict", "watch-gone", "no-arm-capacity", "aws-throttled"),
        *("agent-crashloop", "agent-missing", "emulated", "exec-format", "no-manifest", "x86-gone", "reverted"),
        "veto",
    }
    assert all(e.summary and e.expected for e in SCENARIOS.values())


def test_an_unknown_scenario_is_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match="no scenario 'x'; there are clean, "):
        world(scenario="x")


@pytest.mark.parametrize("seed", SEEDS)
def test_p99_regression_is_there_from_a_quarter_of_the_traffic_only(seed: int) -> None:
    made = world(seed=seed, scenario="p99-regression")
    _go(made, 5, 300)
    amd, arm = _both(made)
    assert arm.p99 / amd.p99 < 1.04
    _go(made, 25, 300)
    amd, arm = _both(made)
    assert 1.2 < arm.p99 / amd.p99 < 1.3
    _go(made, 5, 300)
    amd, arm = _both(made)
    assert arm.p99 / amd.p99 < 1.04


@pytest.mark.parametrize("seed", SEEDS)
def test_errors_spike_a_minute_after_a_quarter_of_the_traffic(seed: int) -> None:
    made = world(seed=seed, scenario="error-spike")
    _go(made, 25, 55)
    amd, arm = _both(made)
    assert arm.errors / arm.requests < 0.001
    _go(made, 25, 300)
    amd, arm = _both(made)
    assert 0.025 < arm.errors / arm.requests < 0.035 and amd.errors / amd.requests < 0.001


@pytest.mark.parametrize("fault", list(MetricsFault))
def test_metrics_fail_a_minute_into_the_first_phase(fault: MetricsFault) -> None:
    made = world(scenario=f"prometheus-{fault}")
    made.engine.advance(300)
    assert made.metrics_fault() is None
    _go(made, 5, 55)
    assert made.metrics_fault() is None
    _go(made, 5, 10)
    assert made.metrics_fault() is fault


def test_a_first_phase_of_affinity_counts_too() -> None:
    made = world(scenario="prometheus-down", balanced=False)
    made.engine.advance(100)
    assert made.metrics_fault() is None
    bind(made, BASELINE, "arm64")
    made.engine.advance(170)
    assert made.metrics_fault() is MetricsFault.DOWN


async def test_the_first_two_patches_of_each_deployment_conflict() -> None:
    made = world(scenario="api-conflict")

    def patch(name: str, *, dry_run: bool = False) -> RequestInfo:
        return RequestInfo("patch", "", "operator", "apps", "v1", "deployments", "", "payments", name, dry_run)

    await made.before(patch(BASELINE.name, dry_run=True))
    version = deployment(made, BASELINE)["metadata"]["resourceVersion"]
    for name in (BASELINE.name, CANARY.name, BASELINE.name, CANARY.name):
        with pytest.raises(KubeError) as refused:
            await made.before(patch(name))
        assert refused.value.code == 409
    await made.before(patch(BASELINE.name))
    found = deployment(made, BASELINE)
    assert found["metadata"]["resourceVersion"] != version and found["metadata"]["generation"] == 1
    assert "review 2" in found["metadata"]["annotations"]["example.com/last-reviewed"]


def test_a_workload_is_pinned_back_by_somebody_half_a_minute_after_its_change_and_only_once() -> None:
    made = world(scenario="reverted")
    made.engine.advance(100)
    bind(made, BASELINE, "arm64")
    bound = deployment(made, BASELINE)["spec"]
    made.engine.advance(made.cluster.step + 29)
    assert made.began is None and deployment(made, BASELINE)["spec"] == bound
    made.engine.advance(made.cluster.step + 5)
    found = deployment(made, BASELINE)
    terms = found["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] == ["amd64"]
    assert found["metadata"]["managedFields"][-1]["manager"] == "kubectl-edit" and found["metadata"]["generation"] == 3
    bind(made, BASELINE, "arm64")
    bound = deployment(made, BASELINE)["spec"]
    made.engine.advance(made.cluster.step + 60)
    assert deployment(made, BASELINE)["spec"] == bound


def test_watches_are_cut_again_and_again() -> None:
    made = world(scenario="watch-gone")
    epochs = []
    for step in range(0, 121, 20):
        made.engine.advance(step)
        epochs.append(made.storage.watch_epoch)
    assert epochs[0] == 0 and 4 <= epochs[-1] <= 7 and epochs == sorted(epochs)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_further_pod_fits_on_arm64_and_what_is_there_runs_on(seed: int) -> None:
    made = world(seed=seed, scenario="no-arm-capacity")
    made.engine.advance(60)
    assert placed(made, CANARY) == {"arm64": 12}
    others = made.storage.list("pods", "analytics")
    assert len(others) == 6 and all(p["status"]["phase"] == "Running" for p in others)
    bind(made, BASELINE, "arm64")
    made.engine.advance(200)
    assert placed(made, BASELINE)["arm64"] == 0 and placed(made, BASELINE)["amd64"] >= 9


def test_throttling_lasts_a_minute_from_the_second_change_on() -> None:
    made = world(scenario="aws-throttled")
    assert not made.throttled("DescribeRules") and not made.throttled("ModifyListener")
    assert made.throttled("ModifyRule") and made.throttled("ModifyTargetGroup") and not made.throttled("DescribeRules")
    made.engine.advance(59)
    assert made.throttled("ModifyRule")
    made.engine.advance(60)
    assert not made.throttled("ModifyRule")


def _begun(name: str, seconds: int, seed: int = 1) -> World:
    """A world in which the trouble of a scenario has been there for so long."""
    made = world(seed=seed, scenario=name)
    made.engine.advance(200)
    early = [made.began]
    _go(made, 5, 58)
    early.append(made.began)
    assert early == [None, None], "not before the first phase has held for a minute"
    _go(made, 5, 5)
    assert made.began is not None
    made.engine.advance(int((made.began - made.origin).total_seconds()) + seconds)
    return made


def _words(made: World, namespace: str, name: str, arch: str) -> Counter[str]:
    """STATUS of the pods of an owner on nodes of an architecture."""
    archs = {n["metadata"]["name"]: n["metadata"]["labels"]["kubernetes.io/arch"] for n in made.storage.list("nodes")}
    held = [p for p in made.storage.list("pods", namespace) if p["metadata"]["labels"]["app"] == name]
    return Counter(status_word(p) for p in held if archs.get(p["spec"].get("nodeName", "")) == arch)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_agent_crash_loops_on_arm64_only(seed: int) -> None:
    made = _begun("agent-crashloop", 20, seed)
    assert _words(made, "security", "edr-sensor", "arm64")["CrashLoopBackOff"] >= 1
    made.engine.advance(made.cluster.step + 240)
    assert _words(made, "security", "edr-sensor", "arm64") == {"CrashLoopBackOff": 6}
    assert _words(made, "security", "edr-sensor", "amd64") == {"Running": 8}
    assert _words(made, "kube-system", "aws-node", "arm64") == {"Running": 6}
    made.drop_in("clean")
    made.engine.advance(made.cluster.step + 320)
    assert _words(made, "security", "edr-sensor", "arm64") == {"Running": 6}


def test_the_pinned_agent_is_gone_from_arm64_and_says_it_is_complete() -> None:
    made = _begun("agent-missing", 15)
    assert _words(made, "security", "edr-sensor", "arm64") == {}
    made.engine.advance(made.cluster.step + 300)
    status = made.storage.get("daemonsets", "security", "edr-sensor")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (8, 8)


def test_an_emulated_release_runs_at_a_third_of_the_speed() -> None:
    made = _begun("emulated", 300)
    amd, arm = _both(made)
    assert _words(made, "payments", CANARY.name, "arm64") == {"Running": 12}
    assert _words(made, "kube-system", "binfmt-qemu", "arm64") == {"Running": 6}
    assert 2.8 < arm.p99 / amd.p99 < 3.2 and arm.errors / arm.requests < 0.001
    _go(made, 100, 300)
    overloaded = made.traffic.windows[Arch.ARM64].at(made.cluster.step)
    assert overloaded is not None
    assert overloaded.errors / overloaded.requests > 0.1, "at a third of the speed twelve pods cannot carry it all"


@pytest.mark.parametrize(("scenario", "word"), [("exec-format", "CrashLoopBackOff"), ("no-manifest", "ImagePullBackOff")])
def test_a_release_that_cannot_run_on_arm64_stops_the_roll(scenario: str, word: str) -> None:
    made = _begun(scenario, 300)
    assert _words(made, "payments", CANARY.name, "arm64") == {"Running": 9, word: 6}
    assert _words(made, "payments", BASELINE.name, "amd64") == {"Running": 12}
    amd, arm = _both(made)
    assert abs(arm.p99 / amd.p99 - 1) < 0.05, "what runs on serves on"


def test_a_release_goes_to_the_one_workload_where_there_is_no_canary() -> None:
    made = world(scenario="no-manifest", balanced=False)
    bind(made, BASELINE, "arm64")
    made.engine.advance(120)
    assert _words(made, "payments", BASELINE.name, "arm64")["ImagePullBackOff"] > 0


def test_x86_is_cordoned_at_once_then_drained_node_by_node() -> None:
    made = _begun("x86-gone", 5)
    home = [n for n in made.storage.list("nodes") if n["metadata"]["labels"]["kubernetes.io/arch"] == "amd64"]
    assert sum(bool(n["spec"].get("unschedulable")) for n in home) == 8, "all workers, and no control plane"
    assert placed(made, BASELINE) == {"amd64": 12}
    made.engine.advance(made.cluster.step + 60)
    assert 0 < placed(made, BASELINE)["amd64"] < 12
    made.engine.advance(made.cluster.step + 300)
    assert placed(made, BASELINE)["amd64"] == 0
    assert _words(made, "security", "edr-sensor", "amd64") == {"Running": 8}, "a drain leaves DaemonSets' pods"


@pytest.mark.parametrize("scenario", ["agent-crashloop", "exec-format", "x86-gone"])
def test_one_seed_tells_one_story(scenario: str) -> None:
    def told(seed: int) -> list[str]:
        made = world(seed=seed, scenario=scenario)
        _go(made, 5, 200)
        return [canonical([p["metadata"]["name"], p["status"]]) for p in made.storage.list("pods")]

    assert told(1) == told(1) != told(2)


def test_a_scenario_can_be_dropped_in_and_taken_away() -> None:
    made = world()
    _go(made, 25, 400)
    made.drop_in("error-spike")
    made.engine.advance(made.cluster.step + 130)
    _, arm = _both(made)
    assert arm.errors / arm.requests > 0.02
    made.drop_in("clean")
    made.engine.advance(made.cluster.step + 130)
    _, arm = _both(made)
    assert arm.errors / arm.requests < 0.001
