"""The real plane dressed as the kit's kind cluster: its nodes, its context, and the kit's own parts as processes.

kind's nodes are played by the plane's kwok. The simulated nodes are played by a second kwok, with the shipped configuration and
as the shipped service account; so is the traffic generator. Prometheus is the machine's own, with the shipped configuration.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.real.api import CORE, Api, Obj, Refusal, until
from tests.real.plane import Plane
from tests.real.processes import Process, free_ports
from tests.real.settings import ADMIN

ROOT = Path(__file__).parents[3]
KIT = ROOT / "playbooks" / "kind"
RBAC = ROOT / "playbooks" / "rbac"
PLAYBOOK = KIT / "kind-affinity.yaml"
CONTEXT = "kind-cockpit"
REAL = "real.example.com/kubelet"
"""The annotation of the nodes that kind would make."""
SECONDS = 60
"""For the script to make a service account."""


class KindCluster(Plane):
    """The plane with a kubeconfig for kind's context, and kind's nodes."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        super().__init__(binaries, folder)
        self.prometheus_port, self.traffic_port, self._kit_port = free_ports(3)

    def __enter__(self) -> KindCluster:
        super().__enter__()
        return self

    def start(self) -> None:
        """Start the plane, then make the nodes of kind-config.yaml."""
        super().start()
        self.write_kubeconfig("kind", self.files.tokens[ADMIN])
        config = yaml.safe_load((KIT / "kind-config.yaml").read_text())
        for number, wanted in enumerate(config["nodes"]):
            self.admin.create("nodes", _node(f"{config['name']}-{wanted['role']}{number}", wanted))

    def write_kubeconfig(self, name: str, token: str) -> Path:
        """A kubeconfig whose one context is kind's, for whoever has this token."""
        authority = base64.b64encode(self.files.certificates.authority).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": {"server": self.server, "certificate-authority-data": authority}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": name}}],
            "current-context": CONTEXT,
        }
        path = self.folder / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))
        return path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kind.kubeconfig"

    def token(self, namespace: str, account: str) -> str:
        """A fresh token of a service account, as soon as there is one."""
        where = f"{CORE}/namespaces/{namespace}/serviceaccounts/{account}/token"

        def asked() -> str:
            try:
                return str(self.admin.ask("POST", where, {"spec": {}})["status"]["token"])
            except Refusal as refusal:
                if refusal.code != 404:
                    raise
                return ""

        return str(until(f"the service account {namespace}/{account}", asked, SECONDS))

    def kwok_of_the_kit(self) -> None:
        """Run kwok as the kit's Deployment does."""
        config = self.write_kubeconfig("kwok", self.token("kwok", "kwok"))
        listen = f"127.0.0.1:{self._kit_port}"
        self._run_as(
            "kit-kwok", "kwok", "--kubeconfig", str(config), "--config", str(KIT / "kwok-config.yaml"), "--server-address", listen
        )

    def traffic(self) -> None:
        """Run the traffic generator as the kit's Deployment does."""
        token = self.folder / "traffic.token"
        token.touch(mode=0o600)
        token.write_text(self.token("monitoring", "traffic"))
        script = [str(KIT / "traffic.py"), "--host", "127.0.0.1", "--port", str(self.traffic_port)]
        known = ["--server", self.server, "--ca", self.files.path("ca.crt"), "--token-file", str(token)]
        self.processes["traffic"] = Process("traffic", [sys.executable, "-B", *script, *known], self.folder)

    def prometheus(self, program: str) -> None:
        """Run Prometheus with the shipped configuration, scraping the local traffic generator every second."""
        text = (KIT / "prometheus-config.yaml").read_text()
        config = self.folder / "prometheus.yaml"
        config.write_text(changed(text, {"traffic.monitoring:8000": f"127.0.0.1:{self.traffic_port}", "5s": "1s"}))
        listen = f"--web.listen-address=127.0.0.1:{self.prometheus_port}"
        data = f"--storage.tsdb.path={self.folder / 'prometheus'}"
        self.processes["prometheus"] = Process("prometheus", [program, f"--config.file={config}", data, listen], self.folder)

    def query(self, text: str) -> dict[str, float]:
        """The values of an instant query by architecture; empty while Prometheus does not answer."""
        url = f"http://127.0.0.1:{self.prometheus_port}/api/v1/query"
        try:
            answer = httpx.get(url, params={"query": text}, trust_env=False).raise_for_status().json()
        except httpx.HTTPError:
            return {}
        return {series["metric"].get("arch", ""): float(series["value"][1]) for series in answer["data"]["result"]}

    def shortened(self, folder: Path) -> Path:
        """The shipped playbook with shorter times, this Prometheus, and the cluster's UID."""
        uid = self.admin.get("namespaces", name="kube-system")["metadata"]["uid"]
        changes = {
            "context: kind-cockpit": f"context: kind-cockpit\n  cluster_uid: {uid}",
            "http://127.0.0.1:9090": f"http://127.0.0.1:{self.prometheus_port}",
            "every: 5s": "every: 1s",
            "[1m]": "[10s]",
            "soak: 2m": "soak: 5s",
            "min_samples: 10": "min_samples: 3",
            "for: 30s": "for: 3s",
        }
        path = folder / "kind-affinity.yaml"
        path.write_text(changed(PLAYBOOK.read_text(), changes))
        return path

    def run_up(self) -> None:
        """Start up.sh on this cluster: docker and kind are stand-ins, kubectl is real."""
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("docker", "kind"):
            (tools / name).write_text("#!/bin/sh\nexit 0\n")
            (tools / name).chmod(0o755)
        (tools / "kubectl").symlink_to(self.binaries / "kubectl")
        environment = {"PATH": f"{tools}:/usr/bin:/bin", "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)}
        command = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items()), str(KIT / "up.sh")]
        self.processes["up"] = Process("up", command, self.folder)

    def wait_up(self) -> str:
        """What up.sh said when it has ended. AssertionError unless it ended well and in time."""
        up = self.processes.pop("up")
        try:
            until("up.sh ends", lambda: self._ended(up), 180)
        except AssertionError:
            raise AssertionError(f"up.sh does not end:\n{up.last_words()}") from None
        finally:
            up.stop(1.0)
        said = up.last_words()
        assert "The cluster is up" in said, said
        return said

    def apply(self, path: Path, *more: str) -> str:
        """What `kubectl apply -f` says."""
        done = subprocess.run([*self.kubectl, "apply", "-f", str(path), *more], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def cockpit(self, folder: Path, account: str, *words: str, seconds: float = 180.0) -> subprocess.CompletedProcess[str]:
        """Run `cockpit` as a service account of `payments`."""
        config = self.write_kubeconfig(account, self.token("payments", account))
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COCKPIT_HOME": str(folder), "KUBECONFIG": str(config)}
        command = [sys.executable, "-m", "cockpit", *words]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)

    def requests(self, account: str, *, mutating: bool = True) -> list[Obj]:
        """What the audit log knows of a service account of `payments`."""
        return self.audit([f"system:serviceaccount:payments:{account}"], mutating=mutating)

    def _ended(self, script: Process) -> bool:
        self.check()
        return not script.alive

    def _run_as(self, name: str, program: str, *arguments: str) -> None:
        self.processes[name] = Process(name, [str(self.binaries / program), *arguments], self.folder)

    def _kwok(self) -> list[str]:
        # The plane's own kwok plays kind's nodes only: the simulated ones are the kit's.
        documents: list[Any] = list(yaml.safe_load_all(Path(self.files.path("kwok.yaml")).read_text()))
        for document in documents:
            if document["kind"] == "KwokConfiguration":
                document["options"] |= {"manageAllNodes": False, "manageNodesWithAnnotationSelector": f"{REAL}=true"}
        own = self.folder / "kwok-real.yaml"
        own.write_text(yaml.safe_dump_all(documents))
        arguments = super()._kwok()
        return [str(own) if argument == self.files.path("kwok.yaml") else argument for argument in arguments]


def changed(text: str, changes: dict[str, str]) -> str:
    """The text with every change made; each must find something to change."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def prometheus_program() -> str | None:
    """Where this machine's Prometheus is."""
    return shutil.which("prometheus")


def spec_of(api: Api, name: str) -> Obj:
    """What a Deployment of `payments` is to be, with its annotations but the controller's own."""
    body = api.get("deployments", "payments", name)
    notes = {k: v for k, v in body["metadata"].get("annotations", {}).items() if k != "deployment.kubernetes.io/revision"}
    return {"spec": body["spec"], "annotations": notes, "labels": body["metadata"]["labels"]}


def arches_of(api: Api, name: str) -> list[str]:
    """The architectures of the nodes of a Deployment's pods, one a pod, in order."""
    arches = {n["metadata"]["name"]: n["metadata"]["labels"]["kubernetes.io/arch"] for n in api.items("nodes")}
    pods = [p for p in api.items("pods", "payments", labelSelector=f"app={name}") if "deletionTimestamp" not in p["metadata"]]
    return sorted(arches.get(p["spec"].get("nodeName", ""), "") for p in pods)


def _node(name: str, wanted: Obj) -> Obj:
    control = wanted["role"] == "control-plane"
    # As the kubelet would say it, and kubeadm of the control plane.
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        **wanted.get("labels", {}),
    }
    role = "node-role.kubernetes.io/control-plane"
    size = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    now = "2026-01-01T00:00:00Z"
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now, "lastTransitionTime": now}
    blank = (
        "machineID",
        "systemUUID",
        "bootID",
        "kernelVersion",
        "osImage",
        "containerRuntimeVersion",
        "kubeletVersion",
        "kubeProxyVersion",
    )
    info = {**dict.fromkeys(blank, ""), "operatingSystem": "linux", "architecture": "amd64"}
    return {
        "metadata": {"name": name, "labels": labels | ({role: ""} if control else {}), "annotations": {REAL: "true"}},
        "spec": {"taints": [{"key": role, "effect": "NoSchedule"}] if control else []},
        "status": {"capacity": size, "allocatable": size, "conditions": [ready], "nodeInfo": info},
    }


def named(verb: str, resource: str, text: str) -> bool:
    """The text names a verb together with its resource, in the cockpit's words or in the API server's."""
    return bool(re.search(rf'\b{verb}\b(?: resource)? "?{resource}\b', text))
