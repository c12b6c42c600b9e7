"""What a running container says of its own architecture. Two harmless commands; only where the playbook allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cockpit.connections.ran import Ran
from cockpit.errors import CockpitError
from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Pod
from cockpit.text import clean

UNAME = ("uname", "-m")
ELF = ("head", "-c", "20", "/proc/1/exe")
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_ELF_MACHINES = {0x3E: "amd64", 0xB7: "arm64"}
"""e_machine of EM_X86_64 and EM_AARCH64 (System V ABI, ELF header)."""
_LITTLE_ENDIAN = 1


class Execute(Protocol):
    """Runs a command in a container; raises a CockpitError."""

    async def __call__(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> Ran:
        """What came of it."""
        ...


class ExecProbe:
    """Asks `uname -m`, and for the ELF header of process 1.

    Under qemu's user mode `uname` tells the emulated architecture, while process 1 is qemu itself; where the two differ, the one
    that is not `arch` counts.
    """

    def __init__(self, execute: Execute, arch: Arch) -> None:
        self._execute = execute
        self._arch = arch

    async def __call__(self, pod: Pod, container: Container) -> tuple[str, str]:
        """The architecture (empty: no answer) and, in words, how it was found."""
        uname = await self._run(pod, container, UNAME)
        header = await self._run(pod, container, ELF)
        said = _MACHINES.get(uname.stdout.decode(errors="replace").strip(), "")
        found = {arch for arch in (said, elf_arch(header.stdout)) if arch}
        foreign = next((arch for arch in found if arch != self._arch), "")
        words = [f"uname -m: {_shown(uname)}", f"process 1: {elf_arch(header.stdout) or header.why or 'no ELF header'}"]
        return foreign or next(iter(found), ""), f"exec in {pod.name}: {', '.join(words)}"

    async def _run(self, pod: Pod, container: Container, command: Sequence[str]) -> Ran:
        try:
            return await self._execute(pod.namespace, pod.name, container.name, command)
        except CockpitError as error:
            return Ran(code=None, why=clean(str(error), 120))


def elf_arch(header: bytes) -> str:
    """The architecture that the first 20 bytes of an ELF file name; empty for another one, or for no ELF file."""
    if len(header) < 20 or header[:4] != b"\x7fELF" or header[5] != _LITTLE_ENDIAN:
        return ""
    return _ELF_MACHINES.get(int.from_bytes(header[18:20], "little"), "")


def _shown(ran: Ran) -> str:
    return clean(ran.stdout.decode(errors="replace").strip(), 40) or ran.why or "no answer"
