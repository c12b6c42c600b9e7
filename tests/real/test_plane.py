"""The plane itself: what kwok and the real controllers make of the shipped content, and what the cockpit reads of it."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cockpit.connections import decode
from cockpit.model.cluster import Container, Pod
from tests.real.api import Api, Obj, Refusal, path, rolled_out, until
from tests.real.build import kubernetes_version
from tests.real.content import AMD64_WORKERS, ARM64_WORKERS
from tests.real.plane import Plane
from tests.real.settings import ARM64_NODES

DAEMONSETS = (("kube-system", "aws-node"), ("security", "edr-sensor"), ("logging", "fluent-bit"))


@contextmanager
def lone_pod(api: Api, name: str, **more: object) -> Iterator[None]:
    """A pod that fails on arm64, or as its annotations say, for as long as the block."""
    annotations = {"real.example.com/fails": str(more.pop("fails"))}
    container = {"name": "app", "image": "registry.example.com/payments/probe:1.0.0", **more}
    meta = {"name": name, "namespace": "payments", "annotations": annotations}
    pod = {"metadata": meta, "spec": {"containers": [container]}}
    # The controller that makes the service account of a new namespace has long run: every Deployment is rolled out.
    api.create("pods", pod)
    try:
        yield
    finally:
        api.delete("pods", "payments", name)


def seen(api: Api, name: str) -> Container:
    """The only container of a pod of `payments`, as the cockpit decodes it."""
    return decode.PODS.one(api.raw("GET", path("pods", "payments", name)).content).containers[0]


def test_the_server_says_its_true_version(plane: Plane) -> None:
    assert plane.admin.ask("GET", "/version")["gitVersion"] == kubernetes_version()


def test_nodes_of_both_architectures_are_ready(plane: Plane) -> None:
    nodes = [decode.node_of(n) for n in decode.NODES._page.decode(plane.admin.raw("GET", path("nodes")).content).items or ()]
    assert all(n.ready and n.arch == n.reported_arch for n in nodes)
    assert Counter(n.arch for n in nodes if not n.control_plane) == {"amd64": AMD64_WORKERS, "arm64": ARM64_WORKERS}
    assert {n.arch for n in nodes if n.name.startswith(ARM64_NODES)} == {"arm64"}
    assert {t.key for n in nodes if n.control_plane for t in n.taints} == {"node-role.kubernetes.io/control-plane"}


def test_nodes_have_leases(plane: Plane) -> None:
    names = {n["metadata"]["name"] for n in plane.admin.items("nodes")}
    assert {item["spec"]["holderIdentity"] and item["metadata"]["name"] for item in leases(plane)} == names


def leases(plane: Plane) -> list[Obj]:
    return plane.admin.items("leases", "kube-node-lease")


def test_deployments_are_rolled_out_where_their_affinity_says(plane: Plane) -> None:
    arches = {n["metadata"]["name"]: n["metadata"]["labels"]["kubernetes.io/arch"] for n in plane.admin.items("nodes")}
    for name, wanted in (("payments-api-arm64", {"arm64"}), ("payments-api", {"amd64"})):
        deployment = plane.admin.get("deployments", "payments", name)
        assert rolled_out(deployment)
        pods = plane.admin.items("pods", "payments", labelSelector=f"app={name}")
        assert len(pods) == deployment["spec"]["replicas"]
        assert wanted <= {arches[p["spec"]["nodeName"]] for p in pods}


@pytest.mark.parametrize(("namespace", "name"), DAEMONSETS)
def test_daemonsets_are_on_every_node_that_they_tolerate(plane: Plane, namespace: str, name: str) -> None:
    daemonset = decode.DAEMONSETS.one(plane.admin.raw("GET", path("daemonsets", namespace, name)).content)
    workers = AMD64_WORKERS + ARM64_WORKERS
    assert daemonset.desired == daemonset.ready == (workers + 2 if namespace == "kube-system" else workers)


def test_a_wrong_binary_looks_as_from_a_kubelet(plane: Plane) -> None:
    with lone_pod(plane.admin, "wrong-binary", fails="exec-format", terminationMessagePolicy="FallbackToLogsOnError"):
        until("two restarts", lambda: seen(plane.admin, "wrong-binary").restarts >= 2, 30)
        found = until("it backs off", lambda: _waiting(plane.admin, "wrong-binary", "CrashLoopBackOff"))
        assert (found.exit_code, found.ready) == (255, False)
        raw = plane.admin.get("pods", "payments", "wrong-binary")
        state = raw["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert (state["reason"], "exec format error" in state["message"]) == ("Error", True)
        assert raw["status"]["phase"] == "Running"


def test_a_container_that_cannot_be_started_says_why_while_it_is_down(plane: Plane) -> None:
    with lone_pod(plane.admin, "cannot-start", fails="start-error"):
        found = until("it ended", lambda: _ended(plane.admin, "cannot-start"), 30)
        assert found.exit_code == 128
        assert "exec format error" in found.message


def test_an_index_without_the_architecture_looks_as_from_a_kubelet(plane: Plane) -> None:
    with lone_pod(plane.admin, "no-manifest", fails="no-manifest"):
        found = until("it backs off", lambda: _waiting(plane.admin, "no-manifest", "ImagePullBackOff"), 30)
        assert "no match for platform in manifest" in found.message
        assert (found.restarts, found.exit_code, found.image_id) == (0, None, "")
        assert plane.admin.get("pods", "payments", "no-manifest")["status"]["phase"] == "Pending"


def _waiting(api: Api, name: str, reason: str) -> Container | None:
    found = seen(api, name)
    return found if found.waiting == reason else None


def _ended(api: Api, name: str) -> Container | None:
    found = seen(api, name)
    return found if found.exit_code is not None and not found.waiting else None


def test_an_agent_that_fails_on_arm64_only_and_recovers(plane: Plane) -> None:
    api = plane.admin
    before = api.get("daemonsets", "security", "edr-sensor")["spec"]
    broken = {"template": {"metadata": {"annotations": {"real.example.com/fails-on-arm64": "exec-format"}}}}
    # All at once: a RollingUpdate of one at a time would stop at the first arm64 node and leave the others healthy.
    update = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}
    api.merge("daemonsets", "security", "edr-sensor", {"spec": {**broken, **update}})
    try:
        until("it fails on arm64", lambda: len(_failing(api)) == ARM64_WORKERS, 60)
        assert all(pod.node.startswith(ARM64_NODES) for pod in _failing(api))
        until("amd64 is ready", lambda: _ready(api) == AMD64_WORKERS)
    finally:
        api.merge("daemonsets", "security", "edr-sensor", {"spec": {"template": {"metadata": {"annotations": None}}}})
        until("it is repaired", lambda: rolled_out(api.get("daemonsets", "security", "edr-sensor")), 60)
        api.merge("daemonsets", "security", "edr-sensor", {"spec": {"updateStrategy": before["updateStrategy"]}})
    assert api.get("daemonsets", "security", "edr-sensor")["spec"] == before


def _failing(api: Api) -> list[Pod]:
    pods = decode.PODS.page(api.raw("GET", path("pods", "security"), params={"labelSelector": "app=edr-sensor"}).content).items
    return [p for p in pods if any(c.waiting == "CrashLoopBackOff" for c in p.containers)]


def _ready(api: Api) -> int:
    return int(api.get("daemonsets", "security", "edr-sensor")["status"]["numberReady"])


def test_a_user_without_a_role_is_refused_by_rbac(plane: Plane) -> None:
    with plane.api("nobody") as nobody, pytest.raises(Refusal) as refused:
        nobody.items("pods", "payments")
    assert refused.value.code == 403
    assert refused.value.status["message"] == (
        'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "payments"'
    )


def test_what_people_write_is_in_the_audit_log_with_its_body(plane: Plane) -> None:
    plane.admin.create("configmaps", {"metadata": {"name": "audited", "namespace": "payments"}, "data": {"said": "audited"}})
    plane.admin.delete("configmaps", "payments", "audited")
    named = {"resource": "configmaps", "namespace": "payments", "name": "audited"}
    about = [e for e in plane.audit() if named.items() <= e["objectRef"].items()]
    assert [(e["verb"], e["responseStatus"]["code"]) for e in about] == [("create", 201), ("delete", 200)]
    assert about[0]["requestObject"]["data"] == {"said": "audited"}


def test_kubectl_of_the_same_version_reads_it(plane: Plane) -> None:
    command = [*plane.kubectl, "get", "nodes", "-L", "kubernetes.io/arch", "--no-headers"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert Counter(line.split()[-1] for line in listed) == {"amd64": AMD64_WORKERS + 2, "arm64": ARM64_WORKERS}
