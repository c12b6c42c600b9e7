"""How far an audit is, as one line on stderr that is drawn over itself; nothing where stderr is no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cockpit.audit.outputs.cells import wrap
from cockpit.model.audit import Progress
from cockpit.redact import told

BAR = 20
_CLEAR = "\r\x1b[2K"
"""Carriage return, and ECMA-48 8.3.41 (erase in line)."""


@contextmanager
def meter() -> Iterator[Callable[[Progress], None]]:
    """Inside, what is given is drawn; afterwards the line is as it was before."""
    if not sys.stderr.isatty() or os.environ.get("TERM") in (None, "", "dumb"):
        yield lambda _: None
        return
    drawn = ""

    def say(progress: Progress) -> None:
        nonlocal drawn
        if (text := drawing(progress, _columns())) != drawn:
            drawn = text
            sys.stderr.write(_CLEAR + text)
            sys.stderr.flush()

    try:
        yield say
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()


def drawing(progress: Progress, cells: int) -> str:
    """`[██████──────] 12/40 image registry.example.com/a`, in less than `cells` so that no terminal wraps it."""
    share = progress.done / progress.total if progress.total > 0 else 0.0
    full = round(BAR * min(1.0, max(0.0, share)))
    text = f"[{'█' * full}{'─' * (BAR - full)}] {progress.done}/{progress.total} {told(progress.doing, 200)}"
    return wrap(text, max(2, cells - 1))[0]


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80
