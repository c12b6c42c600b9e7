"""The tools that people use today: kubectl from the PATH, and the AWS CLI, installed from a lock when it is first needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VENV = ROOT / ".venv-bench"
OWN_AWS = VENV / "bin" / "aws"
LOCK = HERE / "requirements.lock"


class Missing(Exception):
    """A peer is not here; the reason in one sentence."""


def kubectl() -> str:
    """The kubectl of the PATH. Missing."""
    found = shutil.which("kubectl")
    if found is None:
        raise Missing("no kubectl on the PATH")
    return found


def aws() -> str:
    """The AWS CLI of `.venv-bench`, installed there if need be; the PATH's where that cannot be done. Missing."""
    if not OWN_AWS.exists():
        try:
            _install()
        except (subprocess.CalledProcessError, OSError) as error:
            return _instead(getattr(error, "stderr", "") or str(error))
    return str(OWN_AWS)


def installed_aws() -> str:
    """The AWS CLI that there is, the locked one first. Missing."""
    return str(OWN_AWS) if OWN_AWS.exists() else _instead("it was not asked for")


def _instead(why: str) -> str:
    if found := shutil.which("aws"):
        return found
    last = next(reversed(why.strip().splitlines()), "no reason given")
    raise Missing(f"no AWS CLI on the PATH, and its locked version is not installed: {last}")


def version(command: str, *words: str) -> str:
    """The first line of what a tool says of itself."""
    done = subprocess.run([command, *words], capture_output=True, text=True, check=False)
    return next(iter((done.stdout or done.stderr).splitlines()), "unknown")


def _install() -> None:
    _quietly(sys.executable, "-m", "venv", "--without-pip", str(VENV))
    pip = (sys.executable, "-m", "pip", "--python", str(VENV / "bin" / "python"), "install", "--disable-pip-version-check")
    _quietly(*pip, "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK))


def _quietly(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
