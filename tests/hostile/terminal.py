"""A program on a pseudo-terminal, and every byte that it wrote there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from types import TracebackType

SILENT = 60.0
"""Wall seconds without a byte after which nothing more is expected."""


class Terminal:
    """Use as a context manager; `code` is the exit code once it has ended."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], columns: int = 120, rows: int = 40) -> None:
        self._seen = bytearray()
        self.code: int | None = None
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            whole = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
            os.execve(argv[0], list(argv), whole)  # noqa: S606 (no shell is the point)

    @property
    def seen(self) -> bytes:
        """All bytes so far."""
        return bytes(self._seen)

    def send(self, data: bytes) -> None:
        """Type."""
        os.write(self._fd, data)

    def until(self, text: bytes) -> bytes:
        """Read until `text` has come since the call before; all bytes so far."""
        start = len(self._seen)
        while self._seen.find(text, start) < 0:
            assert self._read(), f"{text!r} did not come; the end of what came: {bytes(self._seen[-800:])!r}"
        return self.seen

    def end(self) -> bytes:
        """Read until the program has ended; all bytes."""
        while self._read():
            pass
        _, status = os.waitpid(self._pid, 0)
        self.code, self._pid = os.waitstatus_to_exitcode(status), 0
        return self.seen

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGTERM)
        os.close(self._fd)
        if self._pid:
            os.waitpid(self._pid, 0)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], SILENT)
        assert ready, f"nothing comes any more; the end of what came: {bytes(self._seen[-800:])!r}"
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # how Linux says that the other end has gone
            return False
        self._seen += data
        return bool(data)
