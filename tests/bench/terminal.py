"""A program in a pseudo-terminal of 120x40, watched from outside: what stands on its screen, and how many bytes it wrote."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from tests.bench.screen import Screen

COLUMNS, ROWS = 120, 40
PATIENCE = 60.0
"""Wall seconds for what a screen is expected to show."""
_QUIT = 10.0


class Terminal:
    """Starts the program; ends it on leaving. All moments are of the machine's monotonic clock, in seconds."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.screen = Screen(COLUMNS, ROWS)
        self.written = 0
        """Bytes that the program has written so far."""
        self._file, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True, close_fds=True
        )
        os.close(inner)

    def press(self, keys: bytes) -> float:
        """Send keys; the moment at which that was begun."""
        moment = time.monotonic()
        os.write(self._file, keys)
        return moment

    def read(self, seconds: float) -> None:
        """Take what the program writes within so many seconds, and count it."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def until(self, holds: Callable[[str], bool], patience: float = PATIENCE) -> float:
        """Read until the screen is as wanted: the moment at which it was. RuntimeError, with the screen, after `patience`."""
        end = time.monotonic() + patience
        while (now := time.monotonic()) < end:
            if self._read(end - now) and holds(self.screen.text):
                return time.monotonic()
        raise RuntimeError(f"what was waited for never came; the screen shows:\n{self.screen.text}")

    def until_shown(self, *words: str, patience: float = PATIENCE) -> float:
        """Read until the screen shows all of the words."""
        return self.until(lambda text: all(word in text for word in words), patience)

    def _read(self, patience: float) -> bool:
        if not select.select([self._file], [], [], patience)[0]:
            return False
        try:
            data = os.read(self._file, 1 << 16)
        except OSError:  # what Linux says when the other side has gone
            data = b""
        if not data:
            raise RuntimeError(f"the program ended ({self._process.wait()}); its screen shows:\n{self.screen.text}")
        self.written += len(data)
        self.screen.feed(data)
        return True

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_QUIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._file)
