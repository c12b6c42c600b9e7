"""The kind kit on a real control plane: brought up by its script, flown, rolled back, broken."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.real.api import Obj, rolled_out, until
from tests.real.content import unready
from tests.real.kind.cluster import CONTEXT, KIT, RBAC, KindCluster, arches_of, spec_of
from tests.real.kind.grants import grants

BASELINE = "payments-api"
RATE = 'sum by (arch) (rate(http_requests_total{app="payments"}[5s])) > 0'


def test_everything_is_rolled_out_on_the_nodes_that_it_is_for(cluster: KindCluster) -> None:
    assert unready(cluster.admin) == []
    assert arches_of(cluster.admin, BASELINE) == ["amd64"] * 6
    assert arches_of(cluster.admin, f"{BASELINE}-arm64") == ["arm64"] * 3
    for namespace, name in (("kube-system", "aws-node"), ("security", "edr-sensor"), ("logging", "fluent-bit")):
        status = cluster.admin.get("daemonsets", namespace, name)["status"]
        assert (status["desiredNumberScheduled"], status["numberReady"]) == (5, 5)
    real = {n["metadata"]["name"] for n in cluster.admin.items("nodes", labelSelector="cockpit.example.com/real=true")}
    for namespace in ("kwok", "monitoring"):
        assert {p["spec"]["nodeName"] for p in cluster.admin.items("pods", namespace)} <= real


def test_simulated_nodes_have_no_address_that_a_network_plugin_would_route_to(cluster: KindCluster) -> None:
    nodes = cluster.admin.items("nodes", labelSelector="cockpit.example.com/simulated=true")
    assert len(nodes) == 3
    for node in nodes:
        assert [a["type"] for a in node["status"]["addresses"]] == ["Hostname"]
        assert node["status"]["nodeInfo"]["architecture"] == node["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
    names = {n["metadata"]["name"] for n in nodes}
    pods = [p for p in cluster.admin.items("pods") if p["spec"].get("nodeName") in names]
    assert pods
    assert not [p for p in pods if p["status"].get("podIP")]


def test_up_can_be_run_again_and_changes_nothing(cluster: KindCluster) -> None:
    command = [*cluster.kubectl, "--context", CONTEXT]
    files = [word for name in ("kwok-nodes", "agents", "workloads") for word in ("-f", str(KIT / f"{name}.yaml"))]
    for words in (["apply", "-k", str(KIT)], ["apply", *files]):
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=True)
        assert {line.split()[-1] for line in done.stdout.splitlines()} == {"unchanged"}
        assert done.stderr == ""


@pytest.mark.parametrize("path", sorted(RBAC.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_server_takes_the_rbac_manifests_as_they_are(cluster: KindCluster, path: Path) -> None:
    done = cluster.apply(path, "--dry-run=server")
    assert {line.split(maxsplit=1)[1] for line in done.splitlines()} <= {
        "unchanged (server dry run)",
        "created (server dry run)",
    }  # the policies are not made here


def test_the_playbook_is_flown_and_rolled_back_by_an_operator(cluster: KindCluster, tmp_path: Path) -> None:
    playbook = str(cluster.shortened(tmp_path))
    before = {name: spec_of(cluster.admin, name) for name in (BASELINE, f"{BASELINE}-arm64", "ledger-worker")}
    assert set(until("both are measured", lambda: _both(cluster))) == {"amd64", "arm64"}

    flown = cluster.cockpit(tmp_path, "cockpit-operator", "run", playbook, "--headless", "--autopilot", "--give-up-after", "90")
    assert flown.returncode == 0, flown.stdout[-3000:] + flown.stderr
    events = [json.loads(line) for line in flown.stdout.splitlines()]
    assert [e["phase"] for e in events if e["type"] == "write_done"] == ["prefer-arm64", "require-arm64"]
    assert arches_of(cluster.admin, BASELINE) == ["arm64"] * 6
    until("all traffic is on arm64", lambda: set(cluster.query(RATE)) == {"arm64"}, 30)

    back = cluster.cockpit(tmp_path, "cockpit-operator", "rollback", playbook)
    assert back.returncode == 0, back.stdout + back.stderr
    assert {name: spec_of(cluster.admin, name) for name in before} == before
    assert arches_of(cluster.admin, BASELINE) == ["amd64"] * 6

    asked = cluster.requests("cockpit-operator", mutating=False)
    refused = [e for e in asked if e["responseStatus"]["code"] in (401, 403)]
    without = {("list", "poddisruptionbudgets"), ("watch", "pods")}
    assert {(e["verb"], e["objectRef"]["resource"]) for e in refused} == without, "it does without; all pods are read in pages"
    assert not any(e["objectRef"].get("namespace") for e in refused if e["objectRef"]["resource"] == "pods")
    used = {(e["verb"], e["objectRef"]["resource"]) for e in asked if "objectRef" in e and e not in refused and not _review(e)}
    assert used == {(g.verb, g.resource) for g in grants("operator")} | {("get", "deployments")}
    writes = [e for e in cluster.requests("cockpit-operator") if not _review(e)]
    assert {e["objectRef"]["resource"] for e in writes} == {"deployments", "leases", "configmaps"}
    moved = [e for e in writes if e["objectRef"]["resource"] == "deployments"]
    assert [(e["verb"], e["objectRef"]["name"]) for e in moved] == [("patch", BASELINE)] * 3


def _review(entry: Obj) -> bool:
    return str(entry["objectRef"]["resource"]).startswith("selfsubject")


def _both(cluster: KindCluster) -> dict[str, float] | None:
    found = cluster.query(RATE)
    return found if len(found) == 2 else None


def test_an_agent_that_is_broken_on_arm64_aborts_the_flight(cluster: KindCluster, tmp_path: Path) -> None:
    api, before = cluster.admin, spec_of(cluster.admin, BASELINE)
    broken = {"spec": {"template": {"metadata": {"annotations": {"cockpit.example.com/fails": "exec-format"}}}}}
    api.merge("daemonsets", "security", "edr-sensor", broken)
    try:
        until(
            "it crash-loops on the simulated nodes",
            lambda: _crashing(cluster) == {"simulated-arm64-1", "simulated-arm64-2", "simulated-arm64-3"},
        )
        words = ("run", str(cluster.shortened(tmp_path)), "--headless", "--autopilot", "--give-up-after", "60")
        flown = cluster.cockpit(tmp_path, "cockpit-operator", *words)
        assert flown.returncode == 1, flown.stdout[-3000:] + flown.stderr
        told = [json.loads(line)["type"] for line in flown.stdout.splitlines()]
        assert [t for t in told if t in ("write_done", "abort_triggered")] == ["write_done", "abort_triggered", "write_done"]
        last = json.loads(flown.stdout.splitlines()[-1])
        assert (last["outcome"], "crash loop" in last["message"]) == ("rolled_back", True)
        assert spec_of(api, BASELINE) == before
    finally:
        undo = [*cluster.kubectl, "-n", "security", "rollout", "undo", "daemonset/edr-sensor"]
        subprocess.run(undo, check=True, capture_output=True)
        until("it is mended", lambda: rolled_out(api.get("daemonsets", "security", "edr-sensor")), 60)


def _crashing(cluster: KindCluster) -> set[str]:
    pods = cluster.admin.items("pods", "security")
    waiting = [
        (p["spec"].get("nodeName", ""), s["state"].get("waiting", {}))
        for p in pods
        for s in p["status"].get("containerStatuses", [])
    ]
    return {node for node, why in waiting if why.get("reason") == "CrashLoopBackOff"}
