"""The nodes of the embedded cluster: an x86 control plane, x86 workers and Graviton workers."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.rehearsal import draws
from cockpit.rehearsal.kube.errors import Obj

VERSION = "v1.33.4"
POOL = "general"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes of one kind. `subnet` is the third byte of their addresses."""

    arch: Arch
    count: int
    instance_type: str
    cores: int
    memory_gib: int
    subnet: int
    control_plane: bool = False


GROUPS = (
    Group(Arch.AMD64, 2, "m6i.large", 2, 8, 1, control_plane=True),
    Group(Arch.AMD64, 8, "m6i.xlarge", 4, 16, 2),
    Group(Arch.ARM64, 6, "m7g.xlarge", 4, 16, 3),
)


def pool_label(namespace: str) -> str:
    """The key of the label that all workers carry and the baseline workload requires."""
    return f"{namespace}.example.com/pool"


def make_nodes(region: str, namespace: str, seed: int, ready_since: str) -> list[Obj]:
    """All nodes, in order of their names."""
    return [_node(g, i, region, namespace, seed, ready_since) for g in GROUPS for i in range(g.count)]


def _node(group: Group, index: int, region: str, namespace: str, seed: int, since: str) -> Obj:
    address = f"10.0.{group.subnet}.{11 + 7 * index + int(draws.between(0, 6, seed, 'address', group.subnet, index))}"
    name = f"ip-{address.replace('.', '-')}.{region}.compute.internal"
    number = group.subnet * 32 + index
    zone = f"{region}{'abc'[index % 3]}"
    labels = _labels(group, name, region, zone)
    if not group.control_plane:
        labels[pool_label(namespace)] = POOL
    spec: Obj = {"podCIDR": f"10.1.{number}.0/24", "podCIDRs": [f"10.1.{number}.0/24"]}
    spec["providerID"] = f"aws:///{zone}/i-{draws.number(seed, ('instance', name)):017x}"[: 11 + len(zone) + 19]
    if group.control_plane:
        spec["taints"] = [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]
    return {
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": spec,
        "status": _status(group, name, address, seed, since),
    }


def _labels(group: Group, name: str, region: str, zone: str) -> dict[str, str]:
    role = CONTROL_PLANE if group.control_plane else "node-role.kubernetes.io/worker"
    return {
        "kubernetes.io/arch": group.arch.value,
        "beta.kubernetes.io/arch": group.arch,
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": group.instance_type,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
        role: "",
    }


def _status(group: Group, name: str, address: str, seed: int, since: str) -> Obj:
    memory = group.memory_gib * 1024 * 1024
    total = {"cpu": str(group.cores), "memory": f"{memory - 380_000}Ki", "pods": "58", "ephemeral-storage": "83873772Ki"}
    offered = {
        **total,
        "cpu": f"{group.cores * 1000 - 80}m",
        "memory": f"{memory - 1_420_000}Ki",
        "ephemeral-storage": "76224326324",
    }
    return {
        "capacity": total,
        "allocatable": offered,
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "InternalDNS", "address": name},
            {"type": "Hostname", "address": name},
        ],
        "conditions": _conditions(since),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": _info(group, name, seed),
        "images": [],
    }


def _conditions(since: str) -> list[Obj]:
    calm = (
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    )
    listed = [(kind, "False", reason, message) for kind, reason, message in calm]
    listed.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    times = {"lastHeartbeatTime": since, "lastTransitionTime": since}
    return [{"type": k, "status": s, "reason": r, "message": m, **times} for k, s, r, m in listed]


def _info(group: Group, name: str, seed: int) -> Obj:
    return {
        "architecture": group.arch.value,
        "operatingSystem": "linux",
        "osImage": "Amazon Linux 2023.9.20261105",
        "kernelVersion": f"6.12.55-74.119.amzn2023.{'aarch64' if group.arch is Arch.ARM64 else 'x86_64'}",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kubeletVersion": VERSION,
        "kubeProxyVersion": VERSION,
        "machineID": f"{draws.number(seed, ('machine', name), 16):032x}",
        "systemUUID": draws.uid(seed, "system", name),
        "bootID": draws.uid(seed, "boot", name),
    }
