"""What Linux says of a process: its memory and the processor time that it has used, its children included or not."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class NoFigures(Exception):
    """This system keeps no such figures."""


def resident(pid: int) -> int:
    """Bytes in memory now."""
    return _status(pid, "VmRSS:")


def peak(pid: int) -> int:
    """The most bytes that it ever had in memory."""
    return _status(pid, "VmHWM:")


def processor(pid: int) -> float:
    """Seconds of processor time so far, of all its threads."""
    words = _read(pid, "stat").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def family(pid: int) -> list[int]:
    """The process and all that descend from it, oldest first."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it has ended meanwhile
        children.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for one in found:
        found.extend(sorted(children.get(one, [])))
    return found


def _status(pid: int, name: str) -> int:
    for line in _read(pid, "status").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise NoFigures(f"/proc/{pid}/status has no {name}")


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError as error:
        raise NoFigures(f"no /proc/{pid}/{name}: {error.strerror}") from error
