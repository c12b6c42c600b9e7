"""Credentials for registries: Docker's configuration and its helper programs, and ECR through boto3. All of it blocks.

Nothing is written; no error holds what a file, a helper or AWS gave. Source: docker/cli's configuration file and
docker-credential-helpers' protocol.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit.connections.registry.auth import Login
from cockpit.errors import Unauthorized
from cockpit.model.image import DOCKER_HUB
from cockpit.text import clean

HELPER_SECONDS = 20.0
"""A helper that takes longer (wall time) has failed."""
LASTS_SECONDS = 600.0
"""Wall seconds after which a login is looked up again."""
CONFIG_BYTES = 1 << 20
ECR = re.compile(r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HUB_KEY = "https://index.docker.io/v1/"
_IDENTITY = "<token>"


class Credentials:
    """Logins by registry, kept for a while. Safe to call from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, Login] = {}
        self._lock = threading.Lock()

    def login(self, registry: str, *, again: bool = False) -> Login:
        """The login for a registry; an empty one where nobody is logged in. Unauthorized when it cannot be had."""
        with self._lock:
            known = self._known.get(registry)
            if known is None or again or time.monotonic() >= known.until:
                known = self._known[registry] = _login(registry)
            return known


def _login(registry: str) -> Login:
    found = _configured(registry)
    if found is None and (match := ECR.fullmatch(registry)):
        from cockpit.connections.registry.ecr import ecr_login  # boto3, only for those who need it

        return ecr_login(match[1], match[2])
    return found or Login(until=time.monotonic() + LASTS_SECONDS)


def _configured(registry: str) -> Login | None:
    config = _config()
    helpers = config.get("credHelpers")
    helper = (helpers.get(registry) if isinstance(helpers, dict) else None) or config.get("credsStore")
    key = _HUB_KEY if registry == DOCKER_HUB else registry
    if isinstance(helper, str) and helper and (found := _helped(helper, key)):
        return found
    auths = config.get("auths")
    for name, entry in auths.items() if isinstance(auths, dict) else ():
        if isinstance(entry, dict) and _host(name) == _host(key) and (login := _written(entry)):
            return login
    return None


def _config() -> dict[str, Any]:
    path = Path(os.environ.get("DOCKER_CONFIG") or "~/.docker") / "config.json"
    try:
        path = path.expanduser()
    except RuntimeError:  # whoever has no home has no file in it
        return {}
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(CONFIG_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise Unauthorized(f"{clean(str(path))} cannot be read ({type(error).__name__})") from None
    return found if isinstance(found, dict) else {}


def _host(key: str) -> str:
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0]


def _written(entry: dict[str, Any]) -> Login | None:
    """A login as `docker login` writes it into the file."""
    user, password = entry.get("username"), entry.get("password")
    auth, identity, bearer = (entry.get(key) for key in ("auth", "identitytoken", "registrytoken"))
    if isinstance(auth, str) and auth:
        with suppress(ValueError):
            user, _, password = b64decode(auth, validate=False).decode().partition(":")
    until = time.monotonic() + LASTS_SECONDS
    texts = {"user": user, "password": password, "identity_token": identity, "bearer": bearer}
    login = Login(**{key: text.strip("\x00") for key, text in texts.items() if isinstance(text, str)}, until=until)
    return None if login.empty else login


def _helped(helper: str, key: str) -> Login | None:
    """What a helper program holds; None when it says that it holds nothing."""
    if not _HELPER.fullmatch(helper):
        raise Unauthorized(f"Docker's configuration names a credential helper that is no program: {clean(helper, 80)}")
    program = f"docker-credential-{helper}"
    code, output = _run(program, key)
    if code:
        if b"credentials not found" in output or b"no credentials" in output:
            return None
        raise Unauthorized(f"{program} ended with exit code {code}: run `echo {clean(key, 200)} | {program} get` to see why")
    try:
        said = json.loads(output)
        user, secret = str(said["Username"]), str(said["Secret"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unauthorized(f"{program} printed no credentials") from None
    until = time.monotonic() + LASTS_SECONDS
    if not secret:
        return None
    return Login(identity_token=secret, until=until) if user == _IDENTITY else Login(user, secret, until=until)


def _run(program: str, key: str) -> tuple[int, bytes]:
    try:
        process = subprocess.Popen(
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a terminal of its own it has not: the screen is on ours
        )
    except OSError as error:
        what = "is not installed or not on the PATH" if isinstance(error, FileNotFoundError) else "could not be run"
        raise Unauthorized(f"credential helper {program} {what}") from None
    with process:
        try:
            output, _ = process.communicate(key.encode(), HELPER_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise Unauthorized(f"{program} did not answer within {HELPER_SECONDS:.0f} s") from None
    return process.returncode, output[:CONFIG_BYTES]
