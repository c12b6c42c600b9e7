"""What machine an ELF file is for, by the names that Kubernetes has for architectures.

Source: System V ABI, "ELF Header"; the machine numbers of the gABI's registry.
"""

from __future__ import annotations

import re
from struct import unpack_from

from cockpit.model.layers import NativeKind

HEADER = 20
MAGIC = b"\x7fELF"
_BIG_ENDIAN = 2
_RELOCATABLE, _EXECUTABLE, _SHARED = 1, 2, 3
_MACHINES = {
    2: "sparc", 3: "386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 43: "sparc64", 50: "ia64", 62: "amd64",
    183: "arm64", 243: "riscv64", 258: "loong64",
}  # fmt: skip
_NO_PROCESSOR = frozenset({0, 190, 224, 247})
"""None, CUDA, AMD's GPUs, BPF: they run on no processor of a node."""
_EXTENSION = re.compile(
    r"\.(?:cpython|pypy)[-\w]*?-(?P<machine>x86_64|aarch64|i386|arm|armv7l|ppc64le|s390x|riscv64)-linux\b[^/]*\.so$"
)
_PYTHON = re.compile(r"\.(?:cpython-|pypy\d|abi3\.)[^/]*so$")
_LIBRARY = re.compile(r"\.so(?:\.[\w.-]+)?$")
_NAMED = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "armv7l": "arm"}


def machine(head: bytes, path: str) -> str:
    """The architecture of an ELF file that something would load or execute; empty for anything else, or no ELF at all.

    Object files are nobody's to load but kernel modules.
    """
    if len(head) < HEADER or not head.startswith(MAGIC):
        return ""
    big = head[5] == _BIG_ENDIAN
    kind, number = unpack_from(">HH" if big else "<HH", head, 16)
    loaded = kind in (_EXECUTABLE, _SHARED) or (kind == _RELOCATABLE and path.endswith(".ko"))
    if not loaded or number in _NO_PROCESSOR:
        return ""
    name = _MACHINES.get(number, f"machine {number}")
    if big:
        return f"{name}be" if name in ("arm64", "arm") else name
    return f"{name}le" if name in ("ppc64", "mips") else name


def kind_of(path: str, *, archived: bool) -> NativeKind:
    """How a file of that name gets into a process; `archived` for what is in a jar."""
    if path.endswith(".ko"):
        return NativeKind.MODULE
    if path.endswith(".node"):
        return NativeKind.NODE
    if _PYTHON.search(path):
        return NativeKind.PYTHON
    if _LIBRARY.search(path):
        return NativeKind.JNI if archived else NativeKind.LIBRARY
    return NativeKind.PROGRAM


def named(path: str) -> str:
    """The architecture in the file name of a Python extension (PEP 3149's tag); empty when there is none."""
    found = _EXTENSION.search(path)
    return _NAMED.get(found["machine"], found["machine"]) if found else ""
