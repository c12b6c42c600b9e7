"""Rolls of a Deployment, seen from outside."""

from __future__ import annotations

import pytest

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import clone, condition, is_ready
from cockpit.rehearsal.strategy import limits
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import BASELINE, bind, deployment, placed, pods, world


def _settled(found: Obj) -> bool:
    status = found["status"]
    counts = {status.get(k, 0) for k in ("replicas", "updatedReplicas", "availableReplicas")}
    return counts == {found["spec"]["replicas"]} and status["observedGeneration"] == found["metadata"]["generation"]


def _reason(made: World, kind: str = "Progressing") -> str:
    found = condition(deployment(made, BASELINE), kind)
    assert found is not None
    return str(found["reason"])


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (12, "25%", "25%", (3, 3)),
        (10, "25%", "25%", (3, 2)),
        (3, 1, 0, (1, 0)),
        (1, "0%", "0%", (0, 1)),
        (1, "25%", "25%", (1, 0)),
    ],
)
def test_limits_round_as_the_controller_does(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    assert limits({"replicas": replicas, "strategy": {"rollingUpdate": rolling}}) == expected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_roll_keeps_its_limits_moves_all_pods_and_settles(seed: int) -> None:
    made = world(seed=seed)
    bind(made, BASELINE, "arm64")
    for step in range(1, 120):
        made.engine.advance(step)
        alive = pods(made, BASELINE)
        assert len(alive) <= 15
        assert sum(is_ready(p) for p in alive) >= 9
    assert placed(made, BASELINE) == {"arm64": 12}
    assert _settled(deployment(made, BASELINE)) and _reason(made) == "NewReplicaSetAvailable"
    assert deployment(made, BASELINE)["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


def test_a_roll_is_visible_while_it_lasts() -> None:
    made = world()
    bind(made, BASELINE, "arm64")
    made.engine.advance(4)
    found = deployment(made, BASELINE)
    assert not _settled(found) and _reason(made) == "ReplicaSetUpdated"
    said = [e["message"] for e in made.storage.list("events") if e["reason"] == "ScalingReplicaSet"]
    assert any(m.startswith("Scaled up replica set payments-api-") and m.endswith(" from 0 to 3") for m in said)
    assert any(m.startswith("Scaled down replica set payments-api-") and m.endswith(" from 12 to 9") for m in said)


def test_rolling_back_takes_the_old_replicaset_again() -> None:
    made = world()
    before = clone(deployment(made, BASELINE)["spec"])
    bind(made, BASELINE, "arm64")
    made.engine.advance(120)
    made.cluster.change("deployments", deployment(made, BASELINE), lambda new: new.update(spec=clone(before)))
    made.engine.advance(240)
    assert placed(made, BASELINE) == {"amd64": 12}
    found = deployment(made, BASELINE)
    assert found["spec"] == before and _settled(found)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    owned = [r for r in made.storage.list("replicasets", "payments") if r["metadata"]["labels"]["app"] == BASELINE.name]
    assert sorted(r["spec"]["replicas"] for r in owned) == [0, 12]


def test_pods_that_fit_nowhere_stall_the_roll_and_time_it_out() -> None:
    made = world(scenario="no-arm-capacity")
    bind(made, BASELINE, "arm64")
    made.engine.advance(300)
    assert placed(made, BASELINE) == {"amd64": 9}
    assert _reason(made) == "ReplicaSetUpdated" and _reason(made, "Available") == "MinimumReplicasAvailable"
    made.engine.advance(700)
    assert _reason(made) == "ProgressDeadlineExceeded"
    assert len(pods(made, BASELINE)) == 15


def test_a_paused_deployment_does_not_roll_until_resumed() -> None:
    made = world()
    made.cluster.change("deployments", deployment(made, BASELINE), lambda new: new["spec"].update(paused=True))
    bind(made, BASELINE, "arm64")
    made.engine.advance(60)
    assert placed(made, BASELINE) == {"amd64": 12} and _reason(made) == "DeploymentPaused"
    made.cluster.change("deployments", deployment(made, BASELINE), lambda new: new["spec"].pop("paused"))
    made.engine.advance(180)
    assert placed(made, BASELINE) == {"arm64": 12}


@pytest.mark.parametrize("replicas", [0, 4, 20])
def test_replicas_are_followed(replicas: int) -> None:
    made = world()
    made.cluster.change("deployments", deployment(made, BASELINE), lambda new: new["spec"].update(replicas=replicas))
    made.engine.advance(60)
    assert len(pods(made, BASELINE)) == replicas == placed(made, BASELINE).total()


def test_a_deleted_pod_is_replaced_and_that_is_no_new_roll() -> None:
    made = world()
    victim = pods(made, BASELINE)[0]["metadata"]["name"]
    made.storage.delete("pods", BASELINE.namespace, victim)
    made.engine.advance(2)
    assert _reason(made) == "NewReplicaSetAvailable"
    made.engine.advance(60)
    assert placed(made, BASELINE).total() == 12
    assert victim not in {p["metadata"]["name"] for p in pods(made, BASELINE)}


def test_recreate_stops_every_old_pod_first() -> None:
    made = world()
    made.cluster.change("deployments", deployment(made, BASELINE), lambda new: new["spec"].update(strategy={"type": "Recreate"}))
    bind(made, BASELINE, "arm64")
    for step in range(1, 90):
        made.engine.advance(step)
        assert len(placed(made, BASELINE)) <= 1
    assert placed(made, BASELINE) == {"arm64": 12}


def test_a_daemonset_follows_its_nodes_and_rolls_one_at_a_time() -> None:
    made = world()
    agent = made.storage.get("daemonsets", "security", "edr-sensor")
    made.cluster.change(
        "daemonsets", agent, lambda new: new["spec"]["template"]["spec"].update(nodeSelector={"kubernetes.io/arch": "amd64"})
    )
    lowest = 14
    for step in range(1, 400):
        made.engine.advance(step)
        lowest = min(lowest, made.storage.get("daemonsets", "security", "edr-sensor")["status"]["numberReady"])
    status = made.storage.get("daemonsets", "security", "edr-sensor")["status"]
    assert status["desiredNumberScheduled"] == status["numberReady"] == status["updatedNumberScheduled"] == 8
    assert lowest >= 7


def test_what_is_owned_goes_with_its_owner() -> None:
    made = world()
    made.storage.delete("deployments", BASELINE.namespace, BASELINE.name)
    made.engine.advance(60)
    left = made.storage.list("replicasets", "payments") + made.storage.list("pods", "payments")
    assert left and {o["metadata"]["labels"]["app"] for o in left} == {"payments-api-arm64"}


def test_the_pods_of_a_node_that_is_gone_are_replaced_elsewhere() -> None:
    made = world()
    node = pods(made, BASELINE)[0]["spec"]["nodeName"]
    made.storage.delete("nodes", None, node)
    made.engine.advance(60)
    assert placed(made, BASELINE) == {"amd64": 12}
    agent = made.storage.get("daemonsets", "security", "edr-sensor")
    assert agent["status"]["desiredNumberScheduled"] == agent["status"]["numberReady"] == 13
