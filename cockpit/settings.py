"""Where the cockpit keeps its files, and who is flying it."""

from __future__ import annotations

import getpass
import os
import re
import socket
from hashlib import sha256
from pathlib import Path

from cockpit import private
from cockpit.clock import CLOCK_VARIABLE, Clock, ScaledClock, WallClock
from cockpit.errors import UsageError
from cockpit.text import clean

LONGEST_NAME = 120
"""Characters of a folder's name: file systems take 255 bytes, and a file's name comes after it in some."""


def home() -> Path:
    """The state folder: `$COCKPIT_HOME`, else the XDG state folder. Made when first used, mode 0700."""
    chosen = os.environ.get("COCKPIT_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path("cutover-cockpit")


def run_folder(run: str) -> Path:
    """The folder of a run's journal, made with mode 0700; the run's name is made safe for a file name."""
    return private.folder(home() / "runs" / safe_name(run))


def safe_name(run: str) -> str:
    """A run's name as its folder is called: never empty, hidden, a way up, or longer than file systems take."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", run)
    plain = re.sub(r"^[.-]|[.]$", "_", plain) or "_"
    if len(plain) <= LONGEST_NAME:
        return plain
    return f"{plain[: LONGEST_NAME - 13]}-{sha256(run.encode(errors='surrogatepass')).hexdigest()[:12]}"


def config_file() -> Path:
    """The settings file: `$COCKPIT_CONFIG`, else `settings.yaml` in the XDG configuration folder. It need not exist."""
    chosen = os.environ.get("COCKPIT_CONFIG")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path("cutover-cockpit") / "settings.yaml"


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
    return f"{clean(user, 64)}@{clean(socket.gethostname().partition('.')[0], 64)}"
