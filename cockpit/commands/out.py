"""Writing to stdout: lines, flushed, so that whoever follows a pipe sees each at once."""

from __future__ import annotations

import sys

from cockpit.text import clean


def line(text: str = "") -> None:
    """One line on stdout, of any length; nothing in it reaches a terminal raw, wherever it came from."""
    sys.stdout.write(clean(text, sys.maxsize) + "\n")
    sys.stdout.flush()
