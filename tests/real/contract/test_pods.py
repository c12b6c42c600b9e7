"""What becomes of pods: evictions and their budget, pods that fit no node, and agents beside each other on the host's network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cockpit.connections import decode
from cockpit.model.cluster import Pod
from tests.real.api import Api, Obj, Refusal, rolled_out, until
from tests.real.contract.asked import DRY, PODS
from tests.real.contract.content import WEB, deployment
from tests.real.contract.servers import NAMESPACE

LOST = "lost"


def pods(api: Api) -> list[Obj]:
    """Those that stay."""
    return [p for p in api.items("pods", NAMESPACE, labelSelector=f"app={WEB}") if "deletionTimestamp" not in p["metadata"]]


def evict(api: Api, name: str, **query: str) -> Obj:
    return api.ask("POST", f"{PODS}/{name}/eviction", {"metadata": {"name": name}}, params=query)


def budget(api: Api, allowed: int) -> Obj:
    """The budget's status, once it allows that many."""

    def judged() -> Obj | None:
        found: Obj = api.get("poddisruptionbudgets", NAMESPACE, WEB)
        status: Obj = found.get("status") or {}
        fresh = status.get("observedGeneration") == found["metadata"]["generation"]
        return status if fresh and status["disruptionsAllowed"] == allowed else None

    found: Obj = until(f"the budget allows {allowed}", judged, 30)
    return found


@pytest.fixture
def rolled(api: Api) -> Iterator[None]:
    yield
    api.merge("poddisruptionbudgets", NAMESPACE, WEB, {"spec": {"minAvailable": 2}})
    until(f"{WEB} is whole again", lambda: whole(api), 60)


def whole(api: Api) -> bool:
    """Nothing of it is going: as long as something is, the status may be of before."""
    found = api.items("pods", NAMESPACE, labelSelector=f"app={WEB}")
    going = any("deletionTimestamp" in p["metadata"] for p in found)
    return not going and rolled_out(api.get("deployments", NAMESPACE, WEB))


def test_an_eviction_needs_its_budget(api: Api, rolled: None) -> None:
    status = budget(api, 0)
    assert [status[k] for k in ("currentHealthy", "desiredHealthy", "expectedPods")] == [2, 2, 2]
    assert [(c["type"], c["status"], c["reason"]) for c in status["conditions"]] == [
        ("DisruptionAllowed", "False", "InsufficientPods")
    ]
    first = pods(api)[0]["metadata"]["name"]
    with pytest.raises(Refusal) as refused:
        evict(api, first)
    why = f"The disruption budget {WEB} needs 2 healthy pods and has 2 currently"
    said = refused.value.status
    assert (refused.value.code, said["reason"]) == (429, "TooManyRequests")
    assert said["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert said["details"] == {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    api.merge("poddisruptionbudgets", NAMESPACE, WEB, {"spec": {"minAvailable": 1}})
    budget(api, 1)
    assert evict(api, first, **DRY)["status"] == "Success"
    assert first in [p["metadata"]["name"] for p in pods(api)], "that was a dry run"
    assert evict(api, first)["status"] == "Success"
    assert first not in [p["metadata"]["name"] for p in pods(api)]


def test_an_eviction_names_its_pod(api: Api) -> None:
    first = pods(api)[0]["metadata"]["name"]
    with pytest.raises(Refusal) as refused:
        api.ask("POST", f"{PODS}/{first}/eviction", {"metadata": {"name": "other"}})
    assert (refused.value.code, refused.value.status["message"]) == (400, "name in URL does not match name in Eviction object")
    with pytest.raises(Refusal) as missing:
        evict(api, "none")
    assert (missing.value.code, missing.value.status["details"]) == (404, {"name": "none", "kind": "pods"})


def test_the_scheduler_says_why_not(api: Api) -> None:
    api.create("deployments", deployment(LOST, replicas=1, nodeSelector={"kubernetes.io/arch": "riscv64"}))
    try:
        (pod,) = until("it was refused", lambda: refused(api), 30)
    finally:
        api.delete("deployments", NAMESPACE, LOST)
    nodes = api.items("nodes")
    total, tainted = len(nodes), sum("taints" in n["spec"] for n in nodes)
    off, hard = "node(s) didn't match Pod's node affinity/selector", "node(s) had untolerated taint(s)"
    reasons = ", ".join(sorted([f"{total - tainted} {off}", f"{tainted} {hard}"]))
    helpless = f"0/{total} nodes are available: {total} Preemption is not helpful for scheduling."
    assert pod.unschedulable == f"0/{total} nodes are available: {reasons}. no new claims to deallocate, preemption: {helpless}"


def refused(api: Api) -> list[Pod]:
    """The lost ones that the scheduler has spoken about."""
    query = {"labelSelector": f"app={LOST}"}
    return [p for p in decode.PODS.page(api.raw("GET", PODS, params=query).content).items if p.unschedulable]


def test_agents_on_the_hosts_network_keep_each_other_off_no_node(api: Api) -> None:
    found = {d["metadata"]["name"]: d for d in api.items("daemonsets", "kube-system")}
    hosts = {name for name, d in found.items() if d["spec"]["template"]["spec"].get("hostNetwork")}
    assert hosts == {"aws-node", "kube-proxy"}
    ports = [
        p["hostPort"] for n in hosts for c in found[n]["spec"]["template"]["spec"]["containers"] for p in c.get("ports") or []
    ]
    assert len(ports) == len(set(ports))
    nodes = len(api.items("nodes"))
    assert {name: found[name]["status"]["numberReady"] for name in hosts} == dict.fromkeys(hosts, nodes)
