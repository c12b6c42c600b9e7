"""What the layers of an image hold that is native code: a manifest does not show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NativeKind(StrEnum):
    """How native code gets into a process."""

    PROGRAM = "program"
    LIBRARY = "library"
    PYTHON = "Python extension"
    NODE = "Node.js addon"
    JNI = "JNI library"
    MODULE = "kernel module"


@dataclass(frozen=True, slots=True)
class Native:
    """One ELF file. `path` is absolute and cleaned; what is inside of an archive comes after `!` (`/app/a.jar!/linux/libx.so`).

    `arch` is the machine of its header by the names of Kubernetes (`amd64`, `arm64`, `386`, `s390x`); `named` is the one that
    a Python extension's file name tells, empty where it tells none: an interpreter loads no other.
    """

    path: str
    arch: str
    kind: NativeKind
    named: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """The layers of one build, read to the end. `size` is what they have in bytes, as they are stored.

    `unread` says what of them could not be read, in words, each a reason not to believe in a clean result. `why` says why
    nothing is known at all.
    """

    reference: str
    digest: str = ""
    layers: int = 0
    size: int = 0
    natives: tuple[Native, ...] = ()
    unread: tuple[str, ...] = ()
    why: str = ""
