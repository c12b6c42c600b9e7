"""A stock kubectl against the API server: what it prints must be what it prints in front of a real one.

`$KUBECTL` names another kubectl than the one on the PATH; `$REHEARSAL_KUBECONFIG` points the tests at a rehearsal that is
already being served (`cockpit serve-rehearsal`) instead of the small world that is started here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.clock import ScaledClock
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve
from tests.unit.rehearsal.small_world import NAMESPACE, small_world

KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl")
SERVED = os.environ.get("REHEARSAL_KUBECONFIG")
pytestmark = [pytest.mark.kubectl, pytest.mark.skipif(KUBECTL is None, reason="no kubectl on the PATH nor in $KUBECTL")]
AFFINITY = "/spec/template/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution"
PATCHES = {
    "json": [{"op": "replace", "path": f"{AFFINITY}/0/weight", "value": 60}],
    "merge": {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}},
    "strategic": {
        "spec": {"template": {"spec": {"containers": [{"name": "CONTAINER", "env": [{"name": "ADDED", "value": "1"}]}]}}}
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a kubectl printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A kubectl with its own home, cache and kubeconfig."""

    home: Path
    config: Path

    async def start(self, *args: str) -> asyncio.subprocess.Process:
        env = {"HOME": str(self.home), "KUBECONFIG": str(self.config), "PATH": os.environ["PATH"], "NO_PROXY": "*"}
        pipe = asyncio.subprocess.PIPE
        assert KUBECTL is not None
        command = (KUBECTL, f"--cache-dir={self.home}/cache", *args)
        return await asyncio.create_subprocess_exec(*command, env=env, stdin=pipe, stdout=pipe, stderr=pipe)

    async def __call__(self, *args: str, stdin: str = "", user: str = "") -> Outcome:
        context = (f"--context=rehearsal-{user}",) if user else ()
        process = await self.start(*context, *args)
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin.encode())
        return Outcome(process.returncode or 0, out.decode(), err.decode())

    async def ok(self, *args: str, stdin: str = "") -> str:
        done = await self(*args, stdin=stdin)
        assert done.code == 0, done.err
        return done.out

    async def read(self, *args: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.ok(*args, "-o", "json"))
        return found


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    if SERVED:
        yield Kubectl(tmp_path, Path(SERVED))
        return
    storage = small_world(ScaledClock(datetime(2026, 11, 22, 2, 0, tzinfo=UTC), time.monotonic(), 10.0))
    serving = await serve(make_app(storage), tmp_path)
    write_kubeconfig(tmp_path / "kubeconfig", serving.url, serving.authority, NAMESPACE)
    try:
        yield Kubectl(tmp_path, tmp_path / "kubeconfig")
    finally:
        await serving.stop()


async def _target(kubectl: Kubectl) -> str:
    """The first Deployment whose pods prefer an architecture."""
    for item in (await kubectl.read("get", "deployments"))["items"]:
        if "preferredDuringScheduling" in json.dumps(item["spec"]):
            return str(item["metadata"]["name"])
    raise AssertionError("no Deployment with a preference")


async def _pod(kubectl: Kubectl) -> str:
    return (await kubectl.ok("get", "pods", "-o", "name")).splitlines()[0].removeprefix("pod/")


async def test_get_nodes_with_their_architecture(kubectl: Kubectl) -> None:
    head, *rows = (await kubectl.ok("get", "nodes", "-L", "kubernetes.io/arch")).splitlines()
    assert head.split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "ARCH"]
    assert {row.split()[-1] for row in rows} == {"amd64", "arm64"}
    assert all(row.split()[1].startswith("Ready") for row in rows)


async def test_get_workloads_wide(kubectl: Kubectl) -> None:
    out = await kubectl.ok("get", "deploy,ds,pods", "-A", "-o", "wide")
    heads = [line.split() for line in out.splitlines() if line.startswith("NAMESPACE")]
    assert heads[0][:6] == ["NAMESPACE", "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert heads[0][-3:] == heads[1][-3:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert heads[2][6:] == ["IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]
    assert "deployment.apps/" in out and "daemonset.apps/" in out and "pod/" in out


async def test_get_pods_watch_prints_a_change(kubectl: Kubectl) -> None:
    pod = await _pod(kubectl)
    process = await kubectl.start("get", "pods", "-w", f"--field-selector=metadata.name={pod}")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert (await process.stdout.readline()).split()[:3] == [b"NAME", b"READY", b"STATUS"]
            first = await process.stdout.readline()
            await kubectl.ok("annotate", "pod", pod, f"seen={time.time()}")
            again = await process.stdout.readline()
        assert first.split()[0] == again.split()[0] == pod.encode()
    finally:
        process.kill()
        await process.communicate()


async def test_describe(kubectl: Kubectl) -> None:
    pod = await kubectl.read("get", "pod", await _pod(kubectl))
    node = await kubectl.ok("describe", "node", pod["spec"]["nodeName"])
    assert f"Name:               {pod['spec']['nodeName']}" in node
    assert "Non-terminated Pods:" in node and pod["metadata"]["name"] in node and "Architecture:" in node
    described = await kubectl.ok("describe", "pod", pod["metadata"]["name"])
    assert "Controlled By:" in described and "Events:" in described


@pytest.mark.parametrize("kind", PATCHES)
async def test_patch_dry_and_for_real(kubectl: Kubectl, kind: str) -> None:
    name = await _target(kubectl)
    before = await kubectl.read("get", "deployment", name)
    container = before["spec"]["template"]["spec"]["containers"][0]["name"]
    patch = json.dumps(PATCHES[kind]).replace("CONTAINER", container)
    args = ("patch", "deployment", name, f"--type={kind}", "-p", patch)
    dry = await kubectl.read(*args, "--dry-run=server")
    assert dry["spec"]["template"] != before["spec"]["template"]
    kept = await kubectl.read("get", "deployment", name)
    assert (kept["spec"], kept["metadata"]["generation"]) == (before["spec"], before["metadata"]["generation"])
    assert (await kubectl.ok(*args)).strip() == f"deployment.apps/{name} patched"
    after = await kubectl.read("get", "deployment", name)
    assert (after["spec"], after["metadata"]["generation"]) == (dry["spec"], before["metadata"]["generation"] + 1)


async def test_rollout(kubectl: Kubectl) -> None:
    name = await _target(kubectl)
    assert "successfully rolled out" in await kubectl.ok("rollout", "status", f"deployment/{name}", "--timeout=60s")
    assert "REVISION" in await kubectl.ok("rollout", "history", f"deployment/{name}")


async def test_auth_can_i(kubectl: Kubectl) -> None:
    assert (await kubectl.ok("auth", "can-i", "patch", "deployments")).strip() == "yes"
    refused = await kubectl("auth", "can-i", "patch", "deployments", user="observer")
    assert (refused.code, refused.out.strip()) == (1, "no")
    assert (await kubectl("auth", "can-i", "watch", "pods", user="observer")).out.strip() == "yes"
    listed = await kubectl("auth", "can-i", "--list", user="observer")
    assert listed.code == 0 and "[get list watch]" in listed.out


async def test_cordon_and_scale(kubectl: Kubectl) -> None:
    node = (
        (await kubectl.ok("get", "nodes", "-l", "kubernetes.io/arch=arm64", "-o", "name")).splitlines()[0].removeprefix("node/")
    )
    assert (await kubectl.ok("cordon", node)).strip() == f"node/{node} cordoned"
    assert "Ready,SchedulingDisabled" in await kubectl.ok("get", "node", node)
    assert (await kubectl.ok("uncordon", node)).strip() == f"node/{node} uncordoned"
    name = await _target(kubectl)
    replicas = (await kubectl.read("get", "deployment", name))["spec"]["replicas"]
    for count in (replicas + 1, replicas):
        assert "scaled" in await kubectl.ok("scale", "deployment", name, f"--replicas={count}")
        assert (await kubectl.read("get", "deployment", name))["spec"]["replicas"] == count


async def test_logs_events_and_health(kubectl: Kubectl) -> None:
    assert (await kubectl.ok("logs", await _pod(kubectl), "--tail=1")).count("\n") <= 1
    assert (await kubectl.ok("get", "events", "-A")).split()[:4] == ["NAMESPACE", "LAST", "SEEN", "TYPE"]
    assert await kubectl.ok("get", "--raw", "/readyz") == "ok"
    assert "nodeAffinity" in await kubectl.ok("explain", "deployment.spec.template.spec.affinity")


async def test_apply_and_delete(kubectl: Kubectl) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: by-kubectl}\ndata: {phase: PHASE}\n"
    for phase, word in (("one", "created"), ("two", "configured"), ("two", "unchanged")):
        out = await kubectl.ok("apply", "-f", "-", stdin=text.replace("PHASE", phase))
        assert out.strip() == f"configmap/by-kubectl {word}"
    assert (await kubectl.read("get", "configmap", "by-kubectl"))["data"] == {"phase": "two"}
    assert (await kubectl.ok("delete", "configmap", "by-kubectl")).strip().startswith('configmap "by-kubectl" deleted')
    pod = await _pod(kubectl)
    assert (await kubectl.ok("delete", "pod", pod)).strip().startswith(f'pod "{pod}" deleted')
    assert (await kubectl("get", "pod", pod)).err.strip() == f'Error from server (NotFound): pods "{pod}" not found'


async def test_refusals_as_kubectl_prints_them(kubectl: Kubectl) -> None:
    name = await _target(kubectl)
    namespace = (await kubectl.read("get", "deployment", name))["metadata"]["namespace"]
    empty = ("-p", '{"spec":{"paused":true}}', "--type=merge")
    forbidden = await kubectl("patch", "deployment", name, *empty, user="observer")
    assert forbidden.err.strip() == (
        f'Error from server (Forbidden): deployments.apps "{name}" is forbidden: User "observer" cannot patch resource '
        f'"deployments" in API group "apps" in the namespace "{namespace}"'
    )
    assert (
        await kubectl("get", "pods", user="expired")
    ).err.strip() == "error: You must be logged in to the server (Unauthorized)"
    missing = await kubectl("get", "deployment", "nope")
    assert missing.err.strip() == 'Error from server (NotFound): deployments.apps "nope" not found'
    assert (await kubectl("get", "flowers")).err.strip() == 'error: the server doesn\'t have a resource type "flowers"'


async def test_invalid_and_conflicting_writes_as_kubectl_prints_them(kubectl: Kubectl) -> None:
    name = await _target(kubectl)
    invalid = await kubectl("patch", "deployment", name, "--type=merge", "-p", '{"spec":{"replicas":-1}}')
    assert invalid.err.strip() == (
        f'The Deployment "{name}" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
    )
    failed = await kubectl("patch", "deployment", name, "--type=json", "-p", '[{"op":"test","path":"/kind","value":"Pod"}]')
    assert failed.err.startswith("The request is invalid")  # 1.20 says no more, later ones repeat the server's message
    stale = await kubectl.read("get", "deployment", name)
    stale["metadata"]["resourceVersion"] = "1"
    conflict = await kubectl("replace", "-f", "-", stdin=json.dumps(stale))
    assert conflict.err.startswith("Error from server (Conflict): ")
    assert conflict.err.strip().endswith(
        f'Operation cannot be fulfilled on deployments.apps "{name}": the object has been modified; please apply your changes '
        "to the latest version and try again"
    )
