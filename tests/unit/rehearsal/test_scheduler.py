"""The scheduler, seen through the pods of a whole world."""

from __future__ import annotations

from collections import Counter

from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import condition
from cockpit.rehearsal.scheduler import explain
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import world


def _pod(made: World, name: str, cpu: str, **spec: object) -> Obj:
    container = {"name": "app", "image": "registry.example.com/app:1", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    meta = {"name": name, "namespace": "payments", "labels": {"app": name}}
    return made.cluster.create(
        "pods", {"metadata": meta, "spec": {"containers": [container], **spec}, "status": {"phase": "Pending"}}
    )


def _now(made: World, name: str, steps: int = 30) -> Obj:
    made.engine.advance(made.cluster.step + steps)
    return made.storage.get("pods", "payments", name)


def _why(pod: Obj) -> str:
    found = condition(pod, "PodScheduled")
    assert found is not None and found["status"] == "False" and found["reason"] == "Unschedulable"
    return str(found["message"])


def test_a_pod_is_bound_started_and_ready_with_the_events_of_a_real_one() -> None:
    made = world()
    _pod(made, "one", "100m")
    assert _now(made, "one")["status"]["phase"] == "Running"
    events = [e for e in made.storage.list("events") if e["involvedObject"]["name"] == "one"]
    assert {e["reason"] for e in events} == {"Scheduled", "Pulled", "Created", "Started"}


def test_why_no_node_fits_is_said_in_the_schedulers_words() -> None:
    made = world()
    _pod(made, "huge", "64")
    tainted = "2 node(s) had untolerated taint(s)"
    assert _why(_now(made, "huge")).startswith(f"0/16 nodes are available: 14 Insufficient cpu, {tainted}. no new claims to ")
    _pod(made, "picky", "10m", nodeSelector={"kubernetes.io/arch": "riscv64"})
    assert "14 node(s) didn't match Pod's node affinity/selector" in _why(_now(made, "picky"))
    warned = [e for e in made.storage.list("events") if e["reason"] == "FailedScheduling"]
    assert {e["involvedObject"]["name"] for e in warned} == {"huge", "picky"}


def test_capacity_counts_what_is_bound_and_is_given_back() -> None:
    made = world()
    node = next(n for n in made.storage.list("nodes") if n["metadata"]["labels"]["kubernetes.io/arch"] == "arm64")
    selector = {"kubernetes.io/hostname": node["metadata"]["name"]}
    free = 3920 - made.cluster.used[node["metadata"]["name"]].cpu
    _pod(made, "first", f"{free}m", nodeSelector=selector)
    assert _now(made, "first")["spec"]["nodeName"] == node["metadata"]["name"]
    _pod(made, "second", "1m", nodeSelector=selector)
    assert "1 Insufficient cpu" in _why(_now(made, "second"))
    made.storage.delete("pods", "payments", "first")
    assert _now(made, "second")["status"]["phase"] == "Running"


def test_a_cordoned_node_takes_nothing_new() -> None:
    made = world()
    for node in made.storage.list("nodes"):
        made.cluster.change("nodes", node, lambda new: new["spec"].update(unschedulable=True))
    _pod(made, "late", "10m")
    assert "16 node(s) were unschedulable" in _why(_now(made, "late"))


def test_the_preferred_architecture_wins_while_it_has_room() -> None:
    made = world()
    term = {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": term}]}
    for number in range(6):
        _pod(made, f"liked-{number}", "100m", affinity={"nodeAffinity": preferred})
    made.engine.advance(5)
    archs = {n["metadata"]["name"]: n["metadata"]["labels"]["kubernetes.io/arch"] for n in made.storage.list("nodes")}
    bound = [p for p in made.storage.list("pods", "payments") if p["metadata"]["name"].startswith("liked-")]
    assert {archs[p["spec"]["nodeName"]] for p in bound} == {"arm64"}


def test_reasons_are_sorted_as_text() -> None:
    said = explain(5, Counter({"Insufficient cpu": 3, "node(s) had untolerated taint(s)": 2}))
    unhelpful, victims = "2 Preemption is not helpful for scheduling", "3 No preemption victims found for incoming pod"
    why = "2 node(s) had untolerated taint(s), 3 Insufficient cpu"
    tried = f"no new claims to deallocate, preemption: 0/5 nodes are available: {unhelpful}, {victims}."
    assert said == f"0/5 nodes are available: {why}. {tried}"
