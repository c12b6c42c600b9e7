"""What a node makes of an image: its architecture, whether it has an emulator, and how fast the image runs there."""

from __future__ import annotations

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.images import Start
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import is_ready

EMULATED_SPEED = 1 / 3
"""Of the native one, under qemu's user mode."""


def start_of(cluster: Cluster, image: str, node: Obj) -> Start:
    """What comes of starting `image` on `node` now."""
    arch = node["status"]["nodeInfo"]["architecture"]
    return cluster.images.start(image, arch, binfmt=_has_binfmt(cluster, node["metadata"]["name"]))


def speed_of(cluster: Cluster, pod: Obj, node: Obj) -> float:
    """How fast the pod's first container works, 1 being native."""
    comes = start_of(cluster, pod["spec"]["containers"][0]["image"], node)
    return EMULATED_SPEED if comes is Start.EMULATED else 1.0


def _has_binfmt(cluster: Cluster, node: str) -> bool:
    """A pod there has registered qemu with the kernel (tonistiigi/binfmt and the like do so and stay)."""
    pods = cluster.pods_on[node].values()
    return any("binfmt" in c["image"] for p in pods if is_ready(p) for c in p["spec"]["containers"])
