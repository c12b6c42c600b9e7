"""The bytes that reach a terminal, read from a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CHILD = """
import asyncio
import sys
from dataclasses import replace
from cockpit.model.cluster import KubeEvent
from screens.app import run
from tests.screens import factories as make, world
from tests.screens.fakes import FakeFlight

HOSTILE = "\\x1b]52;c;UFdORUQ=\\x07\\x9b31m\\x1b[?1049hEVIL\\x85\\u202e[@click=app.quit]x[/foo]"

def frame():
    event = KubeEvent("payments", "e", world.NOW, "Warning", HOSTILE, HOSTILE, "Pod/" + HOSTILE)
    base = world.snapshot(25, events=(event,))
    pods = dict(base.pods)
    key = next(iter(pods))
    pods[key] = replace(pods[key], name=HOSTILE, ready=False)
    return make.make(make.at(1), replace(base, pods=pods), events=(make.event(1, "held", HOSTILE),))

async def launch(say):
    say(HOSTILE)
    return FakeFlight(frame())

sys.exit(asyncio.run(run(launch, HOSTILE)))
"""


@contextmanager
def terminal(columns: int, rows: int, before: str = "") -> Iterator[tuple[int, Callable[[bytes], bytes]]]:
    """A child with the app on a pseudo-terminal, after `before`; the callable reads until a text has come."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TEXTUAL_ANIMATIONS="none")
        os.execv(sys.executable, [sys.executable, "-c", before + CHILD])  # noqa: S606 (no shell is the point)
    seen = b""

    def until(text: bytes) -> bytes:
        nonlocal seen
        start = len(seen)
        while text not in seen[start:]:
            ready, _, _ = select.select([fd], [], [], 10)
            assert ready, f"{text!r} did not come; the end of what came: {seen[-500:]!r}"
            seen += os.read(fd, 65536)
        return seen

    try:
        yield fd, until
    finally:
        os.kill(pid, signal.SIGTERM)
        os.close(fd)
        os.waitpid(pid, 0)


def test_nothing_that_the_cluster_says_acts_on_the_terminal() -> None:
    with terminal(120, 40) as (fd, until):
        until(b"fluent-bit")
        # Each text stands on that screen only: keys that come too fast would count as a paste.
        for key, text in ((b"6", b"6 Events"), (b"1", b"1 Nodes"), (b"l", b"mLog"), (b"q", b"Quit the cockpit")):
            os.write(fd, key)
            seen = until(text)
    assert b"]52;c;" in seen  # shown as text
    assert b"\x1b]52" not in seen
    assert b"\xc2\x9b" not in seen
    assert b"\xc2\x85" not in seen
    assert b"\xe2\x80\xae" not in seen
    assert b"\x1b[?1049hEVIL" not in seen
    assert b"[@click=app.quit]" in seen
