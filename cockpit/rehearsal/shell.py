"""What commands print inside of the embedded containers: enough to ask for the architecture."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.images import Start
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.runtime import start_of

_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
_MACHINES = {"amd64": 0x3E, "arm64": 0xB7}
NOT_FOUND = 127


def execute(cluster: Cluster, pod: Obj, container: str, command: Sequence[str]) -> tuple[int, bytes]:
    """(exit code, output) of a command. Under an emulator `uname` tells what is emulated, and process 1 is the emulator."""
    node = cluster.storage.get("nodes", None, pod["spec"]["nodeName"])
    native = str(node["status"]["nodeInfo"]["architecture"])
    image = next(c["image"] for c in pod["spec"]["containers"] if c["name"] == container)
    emulated = start_of(cluster, image, node) is Start.EMULATED
    if list(command) == ["uname", "-m"]:
        arch = cluster.images.of(image).platforms[0].split("/")[1] if emulated else native
        return 0, f"{_NAMES.get(arch, arch)}\n".encode()
    if list(command) == ["head", "-c", "20", "/proc/1/exe"]:
        return 0, b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + _MACHINES.get(native, 0).to_bytes(2, "little")
    return NOT_FOUND, f"sh: {command[0]}: not found\n".encode()
