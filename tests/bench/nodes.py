"""Nodes as a real EKS cluster lists them, with the images that a node has pulled."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.bench.parts import REGISTRY, SEED, Object, digits, managed, moment, node_name, uid

TYPES = {"amd64": ("m5.2xlarge", "m5.4xlarge", "c5.4xlarge"), "arm64": ("m7g.2xlarge", "m7g.4xlarge", "c7g.4xlarge")}


def nodes(count: int) -> Iterator[Object]:
    """So many ready nodes of 9.6 KB, every other one arm64."""
    random = Random(SEED)
    return (_node(random, n) for n in range(count))


def _node(random: Random, n: int) -> Object:
    arch = "arm64" if n % 2 else "amd64"
    name, time, kind, zone = node_name(n), moment(random), TYPES[arch][n % 3], f"ap-south-1{'abc'[n % 3]}"
    room = {"cpu": "8", "ephemeral-storage": "83873772Ki", "hugepages-2Mi": "0", "memory": "32386544Ki", "pods": "58"}
    return {
        "metadata": {
            "name": name,
            "uid": uid(random),
            "resourceVersion": str(41_000_000 + n),
            "creationTimestamp": time,
            "labels": _node_labels(name, arch, kind, zone),
            "annotations": {
                "alpha.kubernetes.io/provided-node-ip": f"10.200.{n % 200}.{n % 250}",
                "csi.volume.kubernetes.io/nodeid": f'{{"ebs.csi.aws.com":"i-{digits(random, 17)}"}}',
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "managedFields": [
                managed("aws-cloud-controller-manager", time, ("ExternalIP", "InternalIP")),
                managed("kubelet", time, ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready"), "status"),
            ],
        },
        "spec": {
            "providerID": f"aws:///{zone}/i-{digits(random, 17)}",
            **({"taints": [{"key": "kubernetes.io/arch", "value": arch, "effect": "NoSchedule"}]} if n % 4 == 1 else {}),
        },
        "status": {
            "capacity": room,
            "allocatable": room | {"cpu": "7910m", "memory": "31369712Ki", "ephemeral-storage": "76224326324"},
            "conditions": _conditions(time),
            "addresses": [{"type": t, "address": name} for t in ("InternalIP", "Hostname", "InternalDNS")],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _node_info(random, arch),
            "images": [_image(random, number) for number in range(25)],
        },
    }


def _node_labels(name: str, arch: str, kind: str, zone: str) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/instance-type": kind,
        "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
        "eks.amazonaws.com/nodegroup": f"general-{arch}",
        "failure-domain.beta.kubernetes.io/region": "ap-south-1",
        "failure-domain.beta.kubernetes.io/zone": zone,
        "k8s.io/cloud-provider-aws": "0d1f3cd3ca1dd7c9a9d3e2d29f3d8f0e",
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": kind,
        "topology.kubernetes.io/region": "ap-south-1",
        "topology.kubernetes.io/zone": zone,
    }


def _conditions(time: str) -> list[Object]:
    calm = ("MemoryPressure", "DiskPressure", "PIDPressure")
    beat = {"lastHeartbeatTime": time, "lastTransitionTime": time}
    return [
        *(
            {"type": t, "status": "False", **beat, "reason": "KubeletHasNoPressure", "message": "kubelet has no pressure"}
            for t in calm
        ),
        {"type": "Ready", "status": "True", **beat, "reason": "KubeletReady", "message": "kubelet is posting ready status"},
    ]


def _node_info(random: Random, arch: str) -> dict[str, str]:
    return {
        "machineID": digits(random, 32),
        "systemUUID": uid(random),
        "bootID": uid(random),
        "kernelVersion": "6.1.115-126.197.amzn2023.x86_64" if arch == "amd64" else "6.1.115-126.197.amzn2023.aarch64",
        "osImage": "Amazon Linux 2023.6.20241121",
        "containerRuntimeVersion": "containerd://1.7.23",
        "kubeletVersion": "v1.31.2-eks-94953ac",
        "kubeProxyVersion": "v1.31.2-eks-94953ac",
        "operatingSystem": "linux",
        "architecture": arch,
    }


def _image(random: Random, number: int) -> Object:
    name = f"{REGISTRY}/service-{random.randrange(200):03}"
    return {"names": [f"{name}@sha256:{digits(random, 64)}", f"{name}:1.{number}.0"], "sizeBytes": random.randrange(10**7, 10**9)}
