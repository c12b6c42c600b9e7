"""A handful of objects for the API server's own tests: two nodes, a Deployment with two pods, a DaemonSet, a budget."""

from __future__ import annotations

from typing import Any

from cockpit.clock import Clock
from cockpit.rehearsal.kube.hooks import LOG_ANNOTATION
from cockpit.rehearsal.kube.storage import Storage

NAMESPACE, DEPLOYMENT, HASH = "payments", "payments-api", "6b7f9c5d4"
LABELS = {"app": DEPLOYMENT}


def small_world(clock: Clock) -> Storage:
    storage = Storage(clock, seed=7)
    for name in ("default", "kube-system", "kube-node-lease", NAMESPACE):
        labels = {"kubernetes.io/metadata.name": name}
        storage.create("namespaces", {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}})
    for index, arch in enumerate(("amd64", "arm64")):
        storage.create("nodes", node(f"ip-10-0-0-{index + 1}", arch, index + 1))
    storage.create("deployments", deployment())
    owner = storage.get("deployments", NAMESPACE, DEPLOYMENT)
    replica_set = storage.create("replicasets", _replica_set(owner))
    for suffix in ("abcde", "fghij"):
        storage.create("pods", pod(f"{DEPLOYMENT}-{HASH}-{suffix}", "ip-10-0-0-1", replica_set))
    storage.create("daemonsets", _daemon_set())
    storage.create("poddisruptionbudgets", _budget())
    storage.create("events", event(storage))
    return storage


def node(name: str, arch: str, number: int) -> dict[str, Any]:
    labels = {
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "payments.example.com/pool": "general",
    }
    info = {
        "architecture": arch,
        "kubeletVersion": "v1.33.5-eks-abc",
        "osImage": "Amazon Linux 2023",
        "kernelVersion": "6.12.40",
        "containerRuntimeVersion": "containerd://2.1.4",
        "operatingSystem": "linux",
        "machineID": "",
        "systemUUID": "",
        "bootID": "",
        "kubeProxyVersion": "",
    }
    amounts = {"cpu": "4", "memory": "16Gi", "pods": "58"}
    addresses = [{"type": "InternalIP", "address": f"10.0.0.{number}"}, {"type": "Hostname", "address": name}]
    status = {
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": addresses,
        "nodeInfo": info,
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}


def _template() -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": "payments.example.com/pool", "operator": "In", "values": ["general"]}]}]
    preferred = [
        {"weight": 50, "preference": {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}}
    ]
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        }
    }
    env = [{"name": "MODE", "value": "live"}, {"name": "REGION", "value": "ap-south-1"}]
    requests = {"requests": {"cpu": "500m", "memory": "1Gi"}}
    api = {
        "name": "api",
        "image": "registry.example.com/payments/api:4.2.0",
        "env": env,
        "resources": requests,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
    }
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [api], "affinity": affinity}}


def deployment(name: str = DEPLOYMENT, replicas: int = 2) -> dict[str, Any]:
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": ""},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": ""},
    ]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
    meta = {"name": name, "namespace": NAMESPACE, "labels": LABELS, "annotations": {"deployment.kubernetes.io/revision": "1"}}
    spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": _template()}
    return {"metadata": meta, "spec": spec, "status": {"observedGeneration": 1, **counts, "conditions": conditions}}


def _owner(obj: dict[str, Any]) -> list[dict[str, Any]]:
    meta = obj["metadata"]
    return [
        {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def _replica_set(owner: dict[str, Any]) -> dict[str, Any]:
    labels = {**LABELS, "pod-template-hash": HASH}
    template = {**owner["spec"]["template"], "metadata": {"labels": labels}}
    meta = {
        "name": f"{DEPLOYMENT}-{HASH}",
        "namespace": NAMESPACE,
        "labels": labels,
        "ownerReferences": _owner(owner),
        "annotations": {"deployment.kubernetes.io/revision": "1"},
    }
    counts = {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1}
    return {
        "metadata": meta,
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
        "status": counts,
    }


def pod(
    name: str, node_name: str, owner: dict[str, Any] | None = None, log: str = "listening on :8080\nready\n"
) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "namespace": NAMESPACE, "labels": {**LABELS, "pod-template-hash": HASH}}
    meta["annotations"] = {LOG_ANNOTATION: log}
    if owner:
        meta["ownerReferences"] = _owner(owner)
    image = "registry.example.com/payments/api:4.2.0"
    running = {"startedAt": "2026-11-22T02:00:00Z"}
    status = {
        "phase": "Running",
        "podIP": "10.0.1.7",
        "podIPs": [{"ip": "10.0.1.7"}],
        "hostIP": "10.0.0.1",
        "qosClass": "Burstable",
        "startTime": "2026-11-22T02:00:00Z",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {
                "name": "api",
                "ready": True,
                "restartCount": 0,
                "image": image,
                "imageID": f"{image}@sha256:0",
                "started": True,
                "state": {"running": running},
                "lastState": {},
            }
        ],
    }
    return {"metadata": meta, "spec": {**_template()["spec"], "nodeName": node_name}, "status": status}


def _daemon_set() -> dict[str, Any]:
    labels = {"app": "edr-sensor"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "sensor", "image": "registry.example.com/edr/sensor:7"}]},
    }
    names = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
    return {
        "metadata": {"name": "edr-sensor", "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
        "status": {**dict.fromkeys(names, 2), "numberMisscheduled": 0, "observedGeneration": 1},
    }


def _budget() -> dict[str, Any]:
    status = {"observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}
    return {
        "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": LABELS}},
        "status": status,
    }


def event(storage: Storage, name: str = "payments-api.17c0") -> dict[str, Any]:
    about = storage.get("pods", NAMESPACE, f"{DEPLOYMENT}-{HASH}-abcde")["metadata"]
    now = "2026-11-22T02:00:00Z"
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "apiVersion": "v1", "namespace": NAMESPACE, "name": about["name"], "uid": about["uid"]},
        "reason": "Started",
        "message": "Started container api",
        "type": "Normal",
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": "kubelet", "host": "ip-10-0-0-1"},
    }
