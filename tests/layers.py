"""Layers made up: ELF files of any machine, jars, tars."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from struct import pack

AMD64, ARM64, I386, S390X, BPF = 62, 183, 3, 22, 247
SHARED, OBJECT = 3, 1


def elf(machine: int, kind: int = SHARED, *, big: bool = False) -> bytes:
    """The head of an ELF file, and something after it."""
    ident = b"\x7fELF" + bytes([2, 2 if big else 1, 1]) + bytes(9)
    return ident + pack(">HH" if big else "<HH", kind, machine) + bytes(200)


class _Forward(io.RawIOBase):
    """What cannot be gone back in: whoever writes a zip file to it has to put sizes behind the bytes."""

    def __init__(self) -> None:
        self.written = io.BytesIO()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self.written.write(data)  # type: ignore[arg-type]


def jar(members: Mapping[str, bytes], *, streamed: bool = True, stored: bool = False) -> bytes:
    """A zip file; `streamed` as the jar tool writes it."""
    forward = _Forward()
    sought = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(forward if streamed else sought, "w", method) as file:
        for name, body in members.items():
            file.writestr(name, body)
    return (forward.written if streamed else sought).getvalue()


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None, kind: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of regular files, folders (names that end in a slash) and hard links."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as file:
        for name, body in files.items():
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.size = len(body)
            file.addfile(info, io.BytesIO(body))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.LNKTYPE, target
            file.addfile(info)
    return made.getvalue()


def layer(files: Mapping[str, bytes]) -> bytes:
    """A tar, packed as layers usually are."""
    return gzip.compress(tar(files), 1, mtime=0)
