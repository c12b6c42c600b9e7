"""Where the cockpit keeps its files, and who is flying it."""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path

from cockpit.clock import CLOCK_VARIABLE, Clock, ScaledClock, WallClock
from cockpit.errors import UsageError


def home() -> Path:
    """The state folder: `$COCKPIT_HOME`, else the XDG state folder. Made when first used, mode 0700."""
    chosen = os.environ.get("COCKPIT_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path("cutover-cockpit")


def run_folder(run: str) -> Path:
    """The folder of a run's journal, made with mode 0700; the run's name is made safe for a file name."""
    folder = home() / "runs" / safe_name(run)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def safe_name(run: str) -> str:
    """A run's name as its folder is called."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", run)


def clock() -> Clock:
    """The machine's time, or the clock of the served rehearsal that `$COCKPIT_CLOCK` names. UsageError when that is none."""
    chosen = os.environ.get(CLOCK_VARIABLE)
    if not chosen:
        return WallClock()
    try:
        return ScaledClock.parse(chosen)
    except ValueError:
        raise UsageError(f"${CLOCK_VARIABLE} is no clock: unset it, or take it from serve-rehearsal's line") from None


def operator() -> str:
    """`user@host` of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no passwd entry, as in some containers
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname().partition('.')[0]}"
