"""The shape of a node as an EKS cluster lists it: labels, conditions, and the images that it has pulled."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.rehearsal import draws
from cockpit.rehearsal.crowd.shapes import BORN, WHEN, condition_fields, managed
from cockpit.rehearsal.crowd.template import hole
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.nodes import VERSION

_TYPES = {Arch.AMD64: ("m5.4xlarge", "c5.9xlarge", "r5.4xlarge"), Arch.ARM64: ("m7g.4xlarge", "c7g.8xlarge", "r7g.4xlarge")}
_REGISTRY = "111122223333.dkr.ecr.ap-south-1.amazonaws.com"
_IMAGES = 25
_CALM = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def node(arch: Arch, zone: int, region: str) -> Obj:
    """A ready node of 9.6 KB; those of an architecture and a zone (0 to 2) are of one type."""
    place, kind = f"{region}{'abc'[zone]}", _TYPES[arch][zone]
    total = {"cpu": "16", "ephemeral-storage": "83873772Ki", "hugepages-2Mi": "0", "memory": "64773088Ki", "pods": "110"}
    offered = total | {"cpu": "15890m", "ephemeral-storage": "76224326324", "memory": "63756456Ki"}
    types = tuple(row[0] for row in _CALM)
    return {
        "metadata": {
            "name": hole("name"),
            "uid": hole("uid"),
            "resourceVersion": hole("version"),
            "creationTimestamp": BORN,
            "labels": _labels(arch, kind, region, place),
            "annotations": {
                "alpha.kubernetes.io/provided-node-ip": hole("host"),
                "csi.volume.kubernetes.io/nodeid": f'{{"ebs.csi.aws.com":"i-{hole("id")}"}}',
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "managedFields": [
                managed("aws-cloud-controller-manager", BORN, {"f:spec": {"f:providerID": {}}}),
                managed("kubelet", WHEN, condition_fields((*types, "Ready")), "status"),
            ],
        },
        "spec": {"providerID": f"aws:///{place}/i-{hole('id')}"},
        "status": {
            "capacity": total,
            "allocatable": offered,
            "conditions": _conditions(),
            "addresses": [
                {"type": "InternalIP", "address": hole("host")},
                {"type": "InternalDNS", "address": hole("name")},
                {"type": "Hostname", "address": hole("name")},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _info(arch),
            "images": [_image(arch, number) for number in range(_IMAGES)],
        },
    }


def _labels(arch: Arch, kind: str, region: str, place: str) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": arch.value,
        "beta.kubernetes.io/instance-type": kind,
        "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
        "eks.amazonaws.com/nodegroup": f"general-{arch}",
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": place,
        "k8s.io/cloud-provider-aws": "0d1f3cd3ca1dd7c9a9d3e2d29f3d8f0e",
        "kubernetes.io/arch": arch.value,
        "kubernetes.io/hostname": hole("name"),
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/worker": "",
        "node.kubernetes.io/instance-type": kind,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": place,
    }


def _conditions() -> list[Obj]:
    """A heartbeat renews all of them; none of them has changed since the node is there."""
    rows = [*((kind, "False", reason, message) for kind, reason, message in _CALM)]
    rows.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    times = {"lastHeartbeatTime": WHEN, "lastTransitionTime": BORN}
    return [{"type": k, "status": s, **times, "reason": r, "message": m} for k, s, r, m in rows]


def _info(arch: Arch) -> dict[str, str]:
    return {
        "machineID": hole("machine"),
        "systemUUID": hole("uid"),
        "bootID": hole("uid"),
        "kernelVersion": f"6.12.55-74.119.amzn2023.{'aarch64' if arch is Arch.ARM64 else 'x86_64'}",
        "osImage": "Amazon Linux 2023.9.20261105",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kubeletVersion": VERSION,
        "kubeProxyVersion": VERSION,
        "operatingSystem": "linux",
        "architecture": arch.value,
    }


def _image(arch: Arch, number: int) -> Obj:
    name = f"{_REGISTRY}/service-{number:03}"
    digest = f"{draws.number(0, ('image', arch, number), 32):064x}"
    return {"names": [f"{name}@sha256:{digest}", f"{name}:1.{number}.0"], "sizeBytes": 10**7 + number * 31_415_926}
