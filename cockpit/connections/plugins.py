"""Credential plugins of a kubeconfig: a command that somebody else may have written into it, so nobody runs it unasked.

Allowed is what the settings name, what was answered with yes before (kept by a hash in the state folder), and what this process
was told to allow. The rules for names are those of kubectl's plugin allowlist: a bare name is looked up on the PATH, a path is
taken as it is written.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cockpit import private
from cockpit.errors import Refused, UsageError
from cockpit.preferences import load
from cockpit.redact import HIDDEN, know_named, redact, told
from cockpit.settings import config_file, home

STORE = "exec-plugins.json"
_SHOWN = 4096


@dataclass(frozen=True, slots=True)
class Plugin:
    """A command with what it is given. `source` is the kubeconfig that names it; `environment` what that adds."""

    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    source: str

    @property
    def key(self) -> str:
        """A hash of everything that decides what is run; values of plain variables are left out, as they may be secrets."""
        steered = sorted((name, value if _steers(name) else "") for name, value in self.environment.items())
        whole = json.dumps([self.command, list(self.arguments), steered, str(Path(self.source).expanduser().absolute())])
        return sha256(whole.encode(errors="surrogatepass")).hexdigest()

    def words(self) -> str:
        """The whole command as a shell would take it, cleaned, without secrets."""
        for name, value in self.environment.items():
            know_named(name, value)
        return told(shlex.join([self.command, *_hidden(self.arguments)]), _SHOWN)

    def variables(self) -> str:
        """The variables it is given: names alone, but for those that steer what is run."""
        return told(", ".join(f"{n}={v}" if _steers(n) else n for n, v in sorted(self.environment.items())), _SHOWN)


def of_user(user: object, source: str) -> Plugin | None:
    """The plugin of a kubeconfig's user entry, which is plain data; None without one."""
    found = user.get("exec") if isinstance(user, Mapping) else None
    if not isinstance(found, Mapping) or not found.get("command"):
        return None
    arguments = found.get("args")
    texts = tuple(map(str, arguments)) if isinstance(arguments, list) else ()
    pairs = [e for e in found.get("env") or () if isinstance(e, Mapping)]
    return Plugin(str(found["command"]), texts, {str(e.get("name")): str(e.get("value")) for e in pairs}, source)


class Consent:
    """What this process may run. One for the whole process: whoever typed the command line said yes for all of it."""

    def __init__(self) -> None:
        self.everything = False
        self._granted: set[str] = set()

    def grant(self, plugin: Plugin) -> None:
        """Allow it in this process."""
        self._granted.add(plugin.key)

    def allows(self, plugin: Plugin) -> bool:
        """It may run: by word of this process, by the settings, or because it was allowed before."""
        if self.everything or plugin.key in self._granted:
            return True
        named = plugin.command in _named() and not any(_steers(name) for name in plugin.environment)
        if named or plugin.key in _remembered():
            self.grant(plugin)
            return True
        return False


CONSENT = Consent()


def check(plugin: Plugin) -> None:
    """Refused, with every way out, unless the plugin may run."""
    if not CONSENT.allows(plugin):
        raise Refused(
            f"the kubeconfig {told(plugin.source)} wants to run `{plugin.words()}` for credentials, "
            f"which nobody has allowed yet: run this once in a terminal and answer y, or give --allow-exec-plugin, "
            f"or name {told(plugin.command)} in exec_plugins.allow of {told(str(config_file()))}"
        )


def remember(plugin: Plugin) -> None:
    """Allow it from now on, on this machine for this user. OSError when that cannot be kept."""
    private.write(home() / STORE, json.dumps(sorted({*_remembered(), plugin.key}), indent=1) + "\n")


def _named() -> tuple[str, ...]:
    """What the settings allow: nothing where they cannot be read, which is for others to say."""
    try:
        return load().allowed_plugins
    except UsageError:
        return ()


def _remembered() -> frozenset[str]:
    try:
        found = json.loads((home() / STORE).read_text())
    except (OSError, ValueError):
        return frozenset()
    return frozenset(one for one in found if isinstance(one, str)) if isinstance(found, list) else frozenset()


def _steers(name: str) -> bool:
    """The variable decides which program a name stands for, or what is loaded into it."""
    return name.upper() in ("PATH", "ENV", "BASH_ENV", "NODE_OPTIONS") or name.upper().startswith(("LD_", "DYLD_", "PYTHON"))


def _hidden(arguments: Sequence[str]) -> list[str]:
    """The arguments without secrets: also the one after `--token` and its like."""
    shown: list[str] = []
    before = ""
    for argument in arguments:
        secret = before.startswith("-") and "=" not in before and redact(f"{before.lstrip('-')}={argument}").endswith(HIDDEN)
        shown.append(HIDDEN if secret else redact(argument))
        before = argument
    return shown
