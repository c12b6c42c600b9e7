"""The kind kit without a cluster: the scripts with stand-ins for the tools, the manifests, the traffic."""

from __future__ import annotations

import random
import re
import subprocess
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml

from cockpit.playbook.loader import load
from playbooks.kind.traffic import APPS, Traffic, server

ROOT = Path(__file__).parents[2]
KIT = ROOT / "playbooks" / "kind"
RBAC = ROOT / "playbooks" / "rbac"
PLAYBOOK = load(KIT / "kind-affinity.yaml")
NEEDED = ("sh", "cat", "dirname", "grep", "sed")
"""What the scripts use besides docker, kind and kubectl: all of it is POSIX."""

KUBECTL = """#!/bin/sh
echo "kubectl $*" >>"$TOLD"
case "$*" in
    *jsonpath*) printf '%s' "$MACHINE" ;;
    *"apply -f -"*) cat >"$TOLD.nodes" ;;
esac
"""
KIND = """#!/bin/sh
echo "kind $*" >>"$TOLD"
[ "$*" != "get clusters" ] || printf '%b' "$CLUSTERS"
"""
ENGINE = "#!/bin/sh\nexit ${ENGINE:-0}\n"


def objects(*paths: Path) -> Iterator[dict[str, Any]]:
    for path in paths:
        yield from (found for found in yaml.safe_load_all(path.read_text()) if found)


class Machine:
    """A machine with the tools that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.told = folder / "told"
        self.told.touch()
        for name in NEEDED:
            found = which(name)
            assert found, name
            (self.bin / name).symlink_to(found)

    def put(self, **tools: str) -> None:
        for name, text in tools.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def run(self, script: str, machine: str = "amd64", clusters: str = "", engine: str = "0") -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "TOLD": str(self.told), "MACHINE": machine, "CLUSTERS": clusters, "ENGINE": engine}
        return subprocess.run(
            [str(KIT / script)], env=environment, cwd=self.told.parent, capture_output=True, text=True, timeout=60, check=False
        )

    @property
    def said(self) -> list[str]:
        return self.told.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("script", "here", "missing"),
    [
        ("up.sh", {}, "docker kind kubectl"),
        ("up.sh", {"docker": ENGINE, "kubectl": KUBECTL}, "kind"),
        ("down.sh", {"docker": ENGINE}, "kind"),
    ],
)
def test_missing_tools_are_named_and_nothing_is_done(machine: Machine, script: str, here: dict[str, str], missing: str) -> None:
    machine.put(**here)
    done = machine.run(script)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(f"missing: {missing}")
    assert machine.said == []


def test_an_engine_that_is_down_is_said(machine: Machine) -> None:
    machine.put(docker=ENGINE, kind=KIND, kubectl=KUBECTL)
    done = machine.run("up.sh", engine="1")
    assert done.returncode == 1
    assert "its engine does not answer" in done.stderr
    assert machine.said == []


@pytest.mark.parametrize(("real", "simulated"), [("amd64", "arm64"), ("arm64", "amd64")])
def test_the_simulated_nodes_are_of_the_architecture_that_the_machine_is_not(machine: Machine, real: str, simulated: str) -> None:
    machine.put(docker=ENGINE, kind=KIND, kubectl=KUBECTL)
    done = machine.run("up.sh", machine=real)
    assert (done.returncode, done.stderr) == (0, "")
    nodes = list(objects(Path(f"{machine.told}.nodes")))
    assert {n["metadata"]["labels"]["kubernetes.io/arch"] for n in nodes} == {simulated}
    assert all(n["metadata"]["name"] == n["metadata"]["labels"]["kubernetes.io/hostname"] for n in nodes)
    assert f"{real} nodes are real, {simulated} nodes are simulated" in done.stdout


def test_an_unknown_architecture_ends_it(machine: Machine) -> None:
    machine.put(docker=ENGINE, kind=KIND, kubectl=KUBECTL)
    done = machine.run("up.sh", machine="riscv64")
    assert done.returncode == 1
    assert "'riscv64'" in done.stderr


def test_the_cluster_is_made_once_and_only_its_own_context_is_used(machine: Machine) -> None:
    machine.put(docker=ENGINE, kind=KIND, kubectl=KUBECTL)
    machine.run("up.sh", clusters="other\\ncockpit-two\\n")
    assert "kind create cluster --config kind-config.yaml --wait 3m" in machine.said
    machine.told.write_text("")
    machine.run("up.sh", clusters="other\\ncockpit\\n")
    assert not [line for line in machine.said if line.startswith("kind create")]
    asked = [line for line in machine.said if line.startswith("kubectl")]
    assert asked
    assert all(line.startswith(f"kubectl --context {PLAYBOOK.target.context} ") for line in asked)


def test_every_workload_is_waited_for(machine: Machine) -> None:
    machine.put(docker=ENGINE, kind=KIND, kubectl=KUBECTL)
    machine.run("up.sh")
    waited = {tuple(m) for m in re.findall(r"-n (\S+) rollout status (\w+)/(\S+)", "\n".join(machine.said))}
    shipped = [o for o in objects(*KIT.glob("*.yaml")) if o.get("kind") in ("Deployment", "DaemonSet")]
    assert waited == {(o["metadata"]["namespace"], o["kind"].lower(), o["metadata"]["name"]) for o in shipped}


def test_down_deletes_the_cluster_of_the_config(machine: Machine) -> None:
    machine.put(docker=ENGINE, kind=KIND)
    assert machine.run("down.sh").returncode == 0
    name = next(objects(KIT / "kind-config.yaml"))["name"]
    assert machine.said == [f"kind delete cluster --name {name}"]
    assert PLAYBOOK.target.context == f"kind-{name}"


@pytest.mark.parametrize("path", sorted([*KIT.glob("*.yaml"), *RBAC.glob("*.yaml")]), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_document_parses_and_says_what_it_is(path: Path) -> None:
    found = list(objects(path))
    assert found
    # Prometheus' own configuration is the one file that is no object.
    assert all("apiVersion" in obj and "kind" in obj for obj in found) or path.name == "prometheus-config.yaml"


def test_every_file_of_the_kit_is_used() -> None:
    kustomization = next(objects(KIT / "kustomization.yaml"))
    listed = {*kustomization["resources"], *(f.split("=")[-1] for g in kustomization["configMapGenerator"] for f in g["files"])}
    by_hand = {"kustomization.yaml", "kind-config.yaml", "kind-affinity.yaml", "up.sh", "down.sh"}
    by_hand |= set(re.findall(r"(?<![\w/-])[\w-]+\.yaml", (KIT / "up.sh").read_text()))
    assert {p.name for p in KIT.iterdir() if p.is_file()} == listed | by_hand


def test_the_playbook_names_what_the_manifests_make() -> None:
    made = {
        (o["kind"].lower(), o["metadata"].get("namespace"), o["metadata"]["name"])
        for o in objects(*KIT.glob("*.yaml"))
        if "metadata" in o
    }
    refs = [*PLAYBOOK.target.workloads, *(agent.daemonset for agent in PLAYBOOK.agents)]
    assert {(r.kind, r.namespace, r.name) for r in refs} <= made


def test_prometheus_is_where_the_playbook_looks() -> None:
    mapping = next(objects(KIT / "kind-config.yaml"))["nodes"][0]["extraPortMappings"][0]
    service = next(o for o in objects(KIT / "prometheus.yaml") if o["kind"] == "Service")
    assert service["spec"]["ports"][0]["nodePort"] == mapping["containerPort"]
    assert PLAYBOOK.prometheus is not None
    assert PLAYBOOK.prometheus.url == f"http://{mapping['listenAddress']}:{mapping['hostPort']}"


def test_kwok_is_the_version_that_is_tested() -> None:
    pinned = re.search(r"sigs\.k8s\.io/kwok (v\S+)", (ROOT / "tests" / "real" / "go.mod").read_text())
    deployment = next(o for o in objects(KIT / "kwok.yaml") if o["kind"] == "Deployment")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert pinned is not None
    assert image.split(":")[-1] == pinned[1]


def test_every_metric_of_the_playbook_is_made() -> None:
    traffic = Traffic({}, {}, random.Random(1))
    traffic.flow(10.0, {("payments", "arm64"): 1})
    made = set(re.findall(r"^(\w+)\{", traffic.exposition(), re.MULTILINE))
    asked = {name for s in PLAYBOOK.signals.values() for name in re.findall(r"(\w+)\{app=", s.query)}
    assert asked
    assert asked <= made


def counted(traffic: Traffic, name: str, **labels: str) -> float:
    """The sum of the series of a metric with these labels."""
    found = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", traffic.exposition(), re.MULTILINE)
    return sum(float(value) for text, value in found if all(f'{k}="{v}"' in text for k, v in labels.items()))


def test_traffic_goes_where_the_ready_pods_are() -> None:
    traffic = Traffic({}, {"arm64": 0.1}, random.Random(1))
    for _ in range(400):
        traffic.flow(0.25, {("payments", "amd64"): 3, ("payments", "arm64"): 1, ("unknown", "arm64"): 9})
    total = {arch: counted(traffic, "http_requests_total", arch=arch) for arch in ("amd64", "arm64")}
    assert sum(total.values()) == APPS[0].rate * 100
    assert 0.23 < total["arm64"] / sum(total.values()) < 0.27
    assert 0.08 < counted(traffic, "http_requests_total", arch="arm64", code="500") / total["arm64"] < 0.12
    assert counted(traffic, "http_requests_total", arch="amd64", code="500") == 0
    assert counted(traffic, "jobs_total") == 0


def test_histograms_are_cumulative_and_agree_with_the_counters() -> None:
    traffic = Traffic({"arm64": 2.0}, {}, random.Random(1))
    traffic.flow(60.0, {("payments", "amd64"): 1, ("payments", "arm64"): 1})
    for arch in ("amd64", "arm64"):
        buckets = re.findall(rf'duration_seconds_bucket{{app="payments",arch="{arch}",le="(\S+)"}} (\d+)', traffic.exposition())
        counts = [int(count) for _, count in buckets]
        assert buckets[-1][0] == "+Inf"
        assert counts == sorted(counts)
        assert counts[-1] == counted(traffic, "http_request_duration_seconds_count", arch=arch)
        assert counts[-1] == counted(traffic, "http_requests_total", arch=arch)
    mean = {
        a: counted(traffic, "http_request_duration_seconds_sum", arch=a) / counted(traffic, "http_requests_total", arch=a)
        for a in ("amd64", "arm64")
    }
    assert 1.9 < mean["arm64"] / mean["amd64"] < 2.1


def test_it_is_served_under_metrics_only() -> None:
    traffic = Traffic({}, {}, random.Random(1))
    traffic.flow(1.0, {("payments", "arm64"): 1})
    with server("127.0.0.1", 0, traffic) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        try:
            assert _get(serving.server_port, "/metrics") == (200, traffic.exposition())
            assert _get(serving.server_port, "/")[0] == 404
        finally:
            serving.shutdown()
            thread.join()


def _get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
