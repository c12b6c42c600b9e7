"""Writing to stdout: lines, flushed, so that whoever follows a pipe sees each at once."""

from __future__ import annotations

import sys


def line(text: str = "") -> None:
    """One line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
