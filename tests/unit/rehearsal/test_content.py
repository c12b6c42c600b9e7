"""What the world holds at its start."""

from __future__ import annotations

from collections import Counter

from cockpit.rehearsal.objects import condition, is_ready
from tests.unit.rehearsal.worlds import BASELINE, CANARY, deployment, placed, playbook, world


def test_nodes_are_an_x86_control_plane_and_workers_of_both_architectures() -> None:
    nodes = world().storage.list("nodes")
    kinds = Counter((n["metadata"]["labels"]["kubernetes.io/arch"], bool(n["spec"].get("taints"))) for n in nodes)
    assert kinds == {("amd64", True): 2, ("amd64", False): 8, ("arm64", False): 6}
    assert all(n["status"]["nodeInfo"]["architecture"] == n["metadata"]["labels"]["kubernetes.io/arch"] for n in nodes)
    assert len({n["status"]["addresses"][0]["address"] for n in nodes}) == 16


def test_every_pod_runs_and_the_workloads_are_on_their_side() -> None:
    made = world()
    assert all(is_ready(p) for p in made.storage.list("pods"))
    assert placed(made, BASELINE) == {"amd64": 12}
    assert placed(made, CANARY) == {"arm64": 12}
    addresses = [p["status"]["podIP"] for p in made.storage.list("pods") if not p["spec"].get("hostNetwork")]
    assert len(addresses) == len(set(addresses))


def test_workloads_are_settled_and_owned_down_to_their_pods() -> None:
    made = world()
    found = deployment(made, BASELINE)
    assert found["status"]["availableReplicas"] == found["status"]["updatedReplicas"] == 12
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    progressing = condition(found, "Progressing")
    assert progressing is not None and progressing["reason"] == "NewReplicaSetAvailable"
    (owned,) = [r for r in made.storage.list("replicasets", "payments") if r["metadata"]["labels"]["app"] == BASELINE.name]
    assert owned["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
    assert owned["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"


def test_agents_are_on_every_worker_and_system_ones_on_the_control_plane_too() -> None:
    sets = {d["metadata"]["name"]: d["status"] for d in world().storage.list("daemonsets")}
    assert sets["aws-node"]["numberReady"] == sets["aws-node"]["desiredNumberScheduled"] == 16
    assert sets["edr-sensor"]["numberReady"] == sets["edr-sensor"]["desiredNumberScheduled"] == 14


def test_the_start_is_quiet_and_the_cluster_uid_follows_from_the_seed() -> None:
    one, two, other = world(seed=1), world(seed=1), world(seed=2)
    assert one.storage.list("events") == []

    def uid(which: object) -> str:
        assert hasattr(which, "storage")
        found: str = which.storage.get("namespaces", None, "kube-system")["metadata"]["uid"]
        return found

    assert uid(one) == uid(two) != uid(other)


def test_a_playbook_without_a_canary_has_one_workload() -> None:
    made = world(balanced=False)
    names = {d["metadata"]["name"] for d in made.storage.list("deployments", "payments")}
    assert names == {"payments-api"} and playbook(balanced=False).target.canary is None
