"""The flight recorder: one JSON object a line, appended; what must not be lost is on the disk once `synced` says so.

Each line carries a number and, last, a CRC-32 of itself, so that a line that a crash has cut off or a disk has damaged is known
for what it is. One process writes a journal at a time.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from cockpit.model.json import Json
from cockpit.syncing import Syncer

NAME = "journal.jsonl"
_SEAL = len(b',"crc":"01234567"}')
_TAIL = 1 << 20
"""Bytes at the end of a journal in which its last whole record is looked for; a record is far smaller."""
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal: its number in the file, from 1, and its record, None when it is damaged or was skipped.

    `torn`: it is the last one and was cut off, as a crash leaves it.
    """

    number: int
    record: dict[str, Json] | None = None
    damaged: bool = False
    torn: bool = False


class Journal:
    """An append-only file of JSON lines, mode 0600. OSError when the disk refuses: then nothing may be written to the world.

    BlockingIOError when another process writes it. `torn` says that a crash had cut off its last line, which is closed with the
    next record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._syncer: Syncer | None = None
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(self._file)
            self._number, self.torn = _end(self._file)
        except BaseException:
            self.close()
            raise
        self._open_line = self.torn

    def write(self, record: dict[str, Json]) -> None:
        """Append one record. A crash of this process does not lose it; for one of the machine see `synced`."""
        data = seal(record, self._number + 1) + b"\n"
        # A line that is not whole must not take the next one with it.
        data = b"\n" + data if self._open_line else data
        while data:
            sent = os.write(self._file, data)
            self._open_line = True
            data = data[sent:]
        self._open_line = False
        self._number += 1

    def synced(self) -> Future[None]:
        """Done once every record written so far has reached the disk (fsync), in a thread of its own. OSError."""
        if self._syncer is None:
            self._syncer = Syncer(self._file)
        return self._syncer.soon()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file < 0:
            return
        if self._syncer:
            self._syncer.close()
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_UN)  # a disk that stands still may keep its descriptor for long
        os.close(self._file)
        self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def seal(record: dict[str, Json], number: int) -> bytes:
    """The record as one line, with its number `n` and last its `crc`: eight hex digits over the line without that field.

    Plain ASCII: what somebody has put on a target must not act on the terminal of whoever prints a journal.
    """
    body = json.dumps({**record, "n": number}, separators=(",", ":")).encode()
    return body[:-1] + b',"crc":"%08x"}' % zlib.crc32(body)


def unseal(line: bytes) -> dict[str, Json] | None:
    """The record in a line; None when it is damaged."""
    body = line[:-_SEAL] + b"}"
    if line[-_SEAL:] != b',"crc":"%08x"}' % zlib.crc32(body):
        return None
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def read(path: Path, skip: bytes = b"") -> Iterator[Line]:
    """The lines of a journal in their order, damaged ones included; those that contain `skip` are not looked into. OSError."""
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            line = raw.rstrip(b"\n")
            if skip and skip in line:
                yield Line(number)
            elif (record := unseal(line)) is not None:
                yield Line(number, record)
            elif line:
                torn = not raw.endswith(b"\n")
                yield Line(number, damaged=not torn, torn=torn)


def _lock(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:  # a file system without locks is no reason to fly without a journal
            raise


def _end(file: int) -> tuple[int, bool]:
    """The number of the last whole record, 0 without one, and whether the last line is not whole."""
    size = os.fstat(file).st_size
    tail = os.pread(file, _TAIL, max(0, size - _TAIL))
    for line in reversed(tail.split(b"\n")):
        record = unseal(line) if line else None
        number = record.get("n") if record else None
        if isinstance(number, int):
            return number, not tail.endswith(b"\n")
    return 0, bool(tail) and not tail.endswith(b"\n")
