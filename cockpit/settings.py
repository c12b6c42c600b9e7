"""Where the cockpit keeps its files, and who is flying it."""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path


def home() -> Path:
    """The state folder: `$COCKPIT_HOME`, else the XDG state folder. Made when first used, mode 0700."""
    chosen = os.environ.get("COCKPIT_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path("cutover-cockpit")


def run_folder(run: str) -> Path:
    """The folder of a run's journal, made with mode 0700; the run's name is made safe for a file name."""
    folder = home() / "runs" / re.sub(r"[^A-Za-z0-9._-]", "_", run)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def operator() -> str:
    """`user@host` of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no passwd entry, as in some containers
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname().partition('.')[0]}"
