"""`cockpit serve-rehearsal` from other terminals: the ready line, then kubectl and curl against it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl")
CURL = shutil.which("curl")
with_kubectl = [pytest.mark.kubectl, pytest.mark.skipif(KUBECTL is None, reason="no kubectl on the PATH nor in $KUBECTL")]
with_curl = pytest.mark.skipif(CURL is None, reason="no curl on the PATH")
Ready = dict[str, Any]


@contextmanager
def serving(*words: str) -> Iterator[Ready]:
    command = [sys.executable, "-m", "cockpit", "serve-rehearsal", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with serving("--speed", "10") as line:
        yield line


@pytest.fixture
def kubectl(ready: Ready, tmp_path: Path) -> Any:
    def call(words: str, *more: str, code: int = 0) -> str:
        environment = {"HOME": str(tmp_path), "KUBECONFIG": ready["kubeconfig"], "PATH": os.environ["PATH"]}
        command = [KUBECTL or "kubectl", *words.split(), *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def curl(*words: str) -> str:
    done = subprocess.run([CURL or "curl", "-sS", "--max-time", "10", *words], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_ready_line_names_everything_and_the_folder_goes_with_the_world() -> None:
    with serving("affinity-only") as line:
        assert {"kubeconfig", "aws_endpoint_url", "prometheus_url", "registry_url", "playbook"} <= set(line)
        assert Path(line["kubeconfig"]).stat().st_mode & 0o777 == 0o600
        assert Path(line["playbook"]).exists()
        assert line["aws_endpoint_url"] is None, "this playbook has no load balancer"
    assert not Path(line["kubeconfig"]).exists()


class TestKubectl:
    pytestmark = with_kubectl

    def test_get_nodes_with_their_architecture(self, kubectl: Any) -> None:
        rows = kubectl("get nodes -L kubernetes.io/arch").splitlines()
        assert rows[0].split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "ARCH"]
        assert [r.split()[-1] for r in rows[1:]].count("arm64") == 6

    def test_get_workloads_everywhere_wide(self, kubectl: Any) -> None:
        shown = kubectl("get deploy,ds,pods -A -o wide")
        assert "deployment.apps/payments-api " in shown
        assert "daemonset.apps/edr-sensor" in shown
        assert "registry.example.com/" in shown

    def test_watch_prints_what_changes(self, kubectl: Any, ready: Ready, tmp_path: Path) -> None:
        environment = {"HOME": str(tmp_path), "KUBECONFIG": ready["kubeconfig"], "PATH": os.environ["PATH"]}
        command = [KUBECTL or "kubectl", "get", "pods", "-n", "payments", "-w"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watching:
            assert watching.stdout is not None
            try:
                victim = kubectl("get pods -n payments -o name").splitlines()[0].removeprefix("pod/")
                seen = [watching.stdout.readline() for _ in range(2)]
                kubectl(f"delete pod -n payments {victim} --wait=false")
                for line in watching.stdout:
                    seen.append(line)
                    if "ContainerCreating" in line or "Terminating" in line:
                        break
            finally:
                watching.kill()
        assert any("Terminating" in line or "ContainerCreating" in line for line in seen)

    def test_describe_node(self, kubectl: Any) -> None:
        name = kubectl("get nodes -l kubernetes.io/arch=arm64 -o name").splitlines()[0]
        shown = kubectl(f"describe {name}")
        for part in ("Conditions:", "Allocatable:", "Non-terminated Pods:", "Allocated resources:", "Architecture:", "arm64"):
            assert part in shown

    @pytest.mark.parametrize(
        ("kind", "patch"),
        [
            ("json", [{"op": "replace", "path": "/spec/replicas", "value": 3}]),
            ("merge", {"spec": {"replicas": 3}}),
            ("strategic", {"spec": {"template": {"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}}}}),
        ],
    )
    def test_patch_in_each_type_as_a_server_side_dry_run(self, kubectl: Any, kind: str, patch: object) -> None:
        before = kubectl("get deployment payments-api -n payments -o jsonpath={.spec}")
        words = f"patch deployment payments-api -n payments --type {kind} --dry-run=server -p"
        assert "patched" in kubectl(words, json.dumps(patch))
        assert kubectl("get deployment payments-api -n payments -o jsonpath={.spec}") == before

    def test_exec_asks_a_container_for_its_architecture(self, kubectl: Any) -> None:
        pod = kubectl("-n payments get pods -l app=payments-api-arm64 -o name").split()[0]
        assert kubectl(f"-n payments exec {pod} -- uname -m") == "aarch64\n"
        assert "exit code 127" in kubectl(f"-n payments exec {pod} -- ls", code=127)

    def test_rollout_status_and_permissions(self, kubectl: Any) -> None:
        assert "successfully rolled out" in kubectl("rollout status deployment/payments-api-arm64 -n payments --timeout=20s")
        assert kubectl("auth can-i patch deployments -n payments").strip() == "yes"
        assert kubectl("auth can-i patch deployments -n payments --context rehearsal-observer", code=1).strip() == "no"

    def test_errors_as_a_real_server_words_them(self, kubectl: Any) -> None:
        missing = kubectl("get deployment nobody -n payments", code=1)
        assert missing.strip() == 'Error from server (NotFound): deployments.apps "nobody" not found'
        denied = kubectl("scale deployment payments-api -n payments --replicas 2 --context rehearsal-observer", code=1)
        assert (
            'Error from server (Forbidden): deployments.apps "payments-api" is forbidden: User "observer" cannot patch' in denied
        )
        expired = kubectl("get nodes --context rehearsal-expired", code=1)
        assert "You must be logged in to the server" in expired
        invalid = kubectl("patch deployment payments-api -n payments --type merge -p", '{"spec":{"replicas":-1}}', code=1)
        assert 'The Deployment "payments-api" is invalid: spec.replicas: Invalid value: -1' in invalid


class TestCurl:
    pytestmark = with_curl

    def test_the_api_server_answers_with_its_certificate(self, ready: Ready, tmp_path: Path) -> None:
        import base64

        import yaml

        config = yaml.safe_load(Path(ready["kubeconfig"]).read_text())
        cluster = config["clusters"][0]["cluster"]
        authority = tmp_path / "ca.crt"
        authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        assert curl("--cacert", str(authority), f"{cluster['server']}/readyz") == "ok"

    def test_prometheus_answers_the_playbooks_own_queries_and_no_other(self, ready: Ready) -> None:
        url = f"{ready['prometheus_url']}/api/v1/query"
        query = 'sum(rate(http_requests_total{app="payments",arch="amd64"}[2m])) or vector(0)'
        answer = json.loads(curl("--get", url, "--data-urlencode", f"query={query}"))
        assert answer["status"] == "success"
        other = json.loads(curl("--get", url, "--data-urlencode", "query=up"))
        assert (other["status"], other["errorType"]) == ("error", "bad_data")

    def test_the_load_balancer_answers_the_query_protocol(self, ready: Ready) -> None:
        form = "Action=DescribeLoadBalancers&Version=2015-12-01"
        signed = "Authorization: AWS4-HMAC-SHA256 Credential=testing/20261122/ap-south-1/elasticloadbalancing/aws4_request"
        assert "<LoadBalancerArn>" in curl("-d", form, "-H", signed, ready["aws_endpoint_url"])
