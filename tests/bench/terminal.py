"""A program in a pseudo-terminal of 120x40, watched from outside: what stands on its screen, and how many bytes it wrote."""

from __future__ import annotations

import fcntl
import os
import pty
import re
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
ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R"}
"""Whether a picture can be taken at once (it can), and where the cursor stands."""
_QUESTION = re.compile(b"|".join(map(re.escape, ANSWERS)))


class Terminal:
    """Starts the program; ends it on leaving. All moments are of the machine's monotonic clock, in seconds."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.screen = Screen(COLUMNS, ROWS)
        self.written = 0
        """Bytes that the program has written so far."""
        self._last, self._came, self._asked = b"", 0.0, b""
        self._file, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True, close_fds=True
        )
        os.close(inner)

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._process.pid

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

    def until_bytes(self, mark: bytes, patience: float = PATIENCE) -> float:
        """Read until what is written from here on has the mark in it: the moment at which that came.

        For short times: a screen is drawn only after the moment was taken. RuntimeError, with the screen, after `patience`.
        """
        end, seen = time.monotonic() + patience, b""
        while (left := end - time.monotonic()) > 0:
            if not self._read(left):
                continue
            seen = seen[-len(mark) :] + self._last
            if mark in seen:
                return self._came
        raise RuntimeError(f"{mark!r} was never written; the screen shows:\n{self.screen.text}")

    def _read(self, patience: float) -> bool:
        if not select.select([self._file], [], [], patience)[0]:
            return False
        try:
            data = os.read(self._file, 1 << 16)
        except OSError:  # what Linux says when the other side has gone
            data = b""
        if not data:
            raise RuntimeError(f"the program ended ({self._process.wait()}); its screen shows:\n{self.screen.text}")
        self._last, self._came = data, time.monotonic()
        self.written += len(data)
        self._reply(data)
        self.screen.feed(data)
        return True

    def _reply(self, data: bytes) -> None:
        """Answer what programs ask terminals, as those do; a question may come in two pieces."""
        self._asked = (self._asked + data)[-64:] if len(data) < 64 else data
        while found := _QUESTION.search(self._asked):
            self._asked = self._asked[found.end() :]
            os.write(self._file, ANSWERS[found[0]])

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
