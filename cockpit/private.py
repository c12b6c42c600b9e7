"""Files that nobody else on this machine may read, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_ONLY = 0o700


def folder(path: Path) -> Path:
    """The folder `path`, made with mode 0700 together with those above it that are missing; one that is there stays as it is."""
    missing = []
    here = path
    while not here.exists() and here != here.parent:
        missing.append(here)
        here = here.parent
    for one in reversed(missing):
        one.mkdir(mode=OWNER_ONLY, exist_ok=True)
    return path


def write(path: Path, text: str) -> None:
    """Write a whole file, mode 0600, in place of the one before: whoever reads sees the old one or the new one. OSError."""
    beside = folder(path.parent) / f".{path.name}.{os.getpid()}"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(handle, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
