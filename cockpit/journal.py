"""The flight recorder: one JSON object a line, appended; what must not be lost is on the disk before `write` returns."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType

from cockpit.model.json import Json


class Journal:
    """An append-only file of JSON lines, mode 0600. OSError when the disk refuses: then nothing may be written to the world."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, record: dict[str, Json], *, durable: bool = False) -> None:
        """Append one record; with `durable` it has reached the disk (fsync) when this returns."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self._file, data) :]
        if durable:
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
