"""What a process says on stderr when nobody foresaw it, and what it does not say."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import logging, warnings
from cockpit.crash import guard
guard()
warnings.warn("optional dependency is missing")
logging.getLogger("library").warning("a pool is full")
"""


def said(*flags: str) -> str:
    return subprocess.run([sys.executable, *flags, "-c", SCRIPT], capture_output=True, text=True, check=True).stderr


def test_what_libraries_warn_programmers_of_is_kept_from_the_user() -> None:
    assert said() == "cockpit: library: a pool is full\n"


def test_it_is_said_to_who_asks_the_interpreter_for_it() -> None:
    assert "optional dependency is missing" in said("-W", "default")
