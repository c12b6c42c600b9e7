"""What is in the real cluster: the objects of the embedded world for the shipped playbooks, without what servers fill in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from cockpit.clock import WallClock
from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.playbook.loader import load
from cockpit.rehearsal import content, nodes
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.registry import RegistryApi, references
from tests.real.api import Api, Obj, Refusal, rolled_out, until

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
SHIPPED = (PLAYBOOKS / "rehearsal.yaml", PLAYBOOKS / "affinity-only.yaml")
AMD64_WORKERS, ARM64_WORKERS = 10, 8
RESOURCES = ("namespaces", "nodes", "daemonsets", "deployments", "services")
SEED = 1


def objects(playbooks: tuple[Path, ...] = SHIPPED) -> dict[str, list[Obj]]:
    """By resource, in the order in which they are to be created: what all of the playbooks need."""
    found: dict[str, dict[tuple[str, str], Obj]] = {resource: {} for resource in RESOURCES}
    for path in playbooks:
        storage = _embedded(load(path)).storage
        for resource in RESOURCES:
            for obj in storage.list(resource):
                wanted = _wanted(resource, obj)
                found[resource].setdefault((obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), wanted)
    return {resource: list(by_key.values()) for resource, by_key in found.items()}


def populate(api: Api, wanted: dict[str, list[Obj]] | None = None) -> None:
    """Create them; those that a cluster has of itself (kube-system) stay as they are."""
    with ThreadPoolExecutor(4) as pool:
        for resource, objs in (wanted or objects()).items():
            list(pool.map(lambda obj, resource=resource: _create(api, resource, obj), objs))


def wait_rolled_out(api: Api, seconds: float = 90.0) -> None:
    """Wait until every Deployment and DaemonSet has all of its pods ready."""
    until("everything rolled out", lambda: not unready(api), seconds, pause=0.3)


def unready(api: Api) -> list[str]:
    """The workloads that are not rolled out."""
    found = [(kind, item) for kind in ("deployments", "daemonsets") for item in api.items(kind)]
    return [f"{kind}/{item['metadata']['name']}" for kind, item in found if not rolled_out(item)]


def images() -> set[str]:
    """Every image that the content names."""
    return {image for path in SHIPPED for image in references(_embedded(load(path)))}


def registry() -> RegistryApi:
    """A registry with these images, built for both architectures."""
    return RegistryApi(_embedded(load(SHIPPED[0])))


def _embedded(playbook: Playbook) -> Cluster:
    clock = WallClock()
    storage = Storage(clock, SEED)
    cluster = Cluster(storage, SEED, clock.now())
    counts = {Arch.AMD64: AMD64_WORKERS, Arch.ARM64: ARM64_WORKERS}
    larger = tuple(g if g.control_plane else replace(g, count=counts[g.arch]) for g in nodes.GROUPS)
    with patch.object(nodes, "GROUPS", larger):
        content.fill(cluster, playbook)
    return cluster


def _wanted(resource: str, obj: Obj) -> Obj:
    meta = {key: obj["metadata"][key] for key in ("name", "namespace", "labels", "annotations") if key in obj["metadata"]}
    kept = ("apiVersion", "kind", "spec", "status") if resource == "nodes" else ("apiVersion", "kind", "spec")
    wanted = {**{key: obj[key] for key in kept if key in obj}, "metadata": meta}
    if resource == "services":
        wanted["spec"] = {key: value for key, value in obj["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    elif resource == "daemonsets":
        _free_host_ports(wanted["spec"]["template"]["spec"])
    return wanted


def _free_host_ports(pod: Obj) -> None:
    # A port of a host-network pod is taken on its node, and the embedded world gives all agents the same one.
    if pod.get("hostNetwork"):
        for container in pod["containers"]:
            container.pop("ports", None)


def _create(api: Api, resource: str, obj: Obj) -> None:
    try:
        api.create(resource, obj)
    except Refusal as refusal:
        if refusal.status.get("reason") != "AlreadyExists":
            raise
