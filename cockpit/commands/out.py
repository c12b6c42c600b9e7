"""Writing to stdout: lines, flushed, so that whoever follows a pipe sees each at once."""

from __future__ import annotations

import sys

from cockpit.redact import shown, without_known
from cockpit.text import clean


def line(text: str = "") -> None:
    """One line on stdout, of any length; nothing in it reaches a terminal raw or holds a known secret, wherever it came from."""
    sys.stdout.write(clean(without_known(text), sys.maxsize) + "\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """Lines on stderr, as safe as those on stdout."""
    sys.stderr.write(shown(text) + "\n")
