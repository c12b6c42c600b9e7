"""The one question before a kubeconfig's credential plugin is run for the first time, asked while there is no screen yet.

The kubeconfig is read here without the `kubernetes` package, which costs half a second. Whatever this misses is refused where
the plugin would be run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from cockpit.commands.out import warn
from cockpit.connections.plugins import CONSENT, Plugin, of_user, remember
from cockpit.errors import CockpitError, Refused
from cockpit.redact import told
from cockpit.settings import config_file


def obtain(options: argparse.Namespace) -> None:
    """Ask about the plugin of the context that will be used, where that is needed and possible. Refused when the answer is no."""
    if not _asks_cluster(options):
        return
    if options.allow_exec_plugin:
        CONSENT.everything = True
        return
    named = _named()
    if not any(plugin and not CONSENT.allows(plugin) for _, plugin in named.values()) or not _somebody_is_there():
        return
    context, plugin = named.get(_context(options) or "", ("", None))
    if plugin is not None and not CONSENT.allows(plugin):
        _ask(context, plugin)


def _asks_cluster(options: argparse.Namespace) -> bool:
    """An audit may ask none: there is nothing to consent to then."""
    if getattr(options, "module", "") != "audit":
        return True
    from cockpit.commands.audit_asking import asks_cluster

    return asks_cluster(options)


def _ask(context: str, plugin: Plugin) -> None:
    warn(f"Context {told(context, 200)} of {told(plugin.source)} gets its credentials by running this command as you:")
    warn(f"  {plugin.words()}")
    if variables := plugin.variables():
        warn(f"  with {variables}")
    sys.stderr.write("Run it, now and from now on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused(
            "the credential plugin was not allowed, so nothing was run; "
            f"exec_plugins.allow in {told(str(config_file()))} names those that need no question"
        )
    CONSENT.grant(plugin)
    try:
        remember(plugin)
    except OSError as error:
        warn(f"cockpit: going on, but this answer cannot be kept ({error.strerror}): it will be asked again")


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _context(options: argparse.Namespace) -> str | None:
    """The context that will be used; None for the current one, or where a playbook cannot say."""
    if options.context:
        return str(options.context)
    from cockpit.commands.flying import playbook_path
    from cockpit.playbook.loader import load

    named = [getattr(options, "playbook", None), *getattr(options, "playbooks", ())]
    first = next(filter(None, named), None)
    try:
        return load(playbook_path(first)).target.context if first else None
    except CockpitError:
        return None  # the command itself says so, and runs nothing


def _named() -> dict[str, tuple[str, Plugin | None]]:
    """Each context's name and plugin, by context; the current one also by the empty name."""
    users: dict[str, Plugin | None] = {}
    contexts: dict[str, str] = {}
    current = ""
    for path, document in _documents():
        for name, user in _entries(document, "users", "user"):
            users.setdefault(name, None if _needs_none(user) else of_user(user, path))
        for name, context in _entries(document, "contexts", "context"):
            contexts.setdefault(name, str(context.get("user")))
        current = str(document.get("current-context") or current)
    found = {name: (name, users.get(user)) for name, user in contexts.items()}
    return found | ({"": found[current]} if current in found else {})


def _needs_none(user: Mapping[str, object]) -> bool:
    """A token at hand is taken before a plugin is asked."""
    return bool(user.get("token") or user.get("tokenFile"))


def _entries(document: Mapping[str, object], kind: str, what: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    found = document.get(kind)
    for entry in found if isinstance(found, list) else ():
        if isinstance(entry, Mapping) and isinstance(inner := entry.get(what), Mapping):
            yield str(entry.get("name")), inner


def _documents() -> Iterator[tuple[str, Mapping[str, object]]]:
    """The kubeconfigs that kubectl would read, in the order in which the first one wins."""
    for part in (os.environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep):
        try:
            path = Path(part).expanduser()
            text = path.read_text() if part else ""
        except (OSError, RuntimeError, UnicodeDecodeError):
            continue
        if (document := _parsed(text)) is not None:
            yield str(path), document


def _parsed(text: str) -> Mapping[str, object] | None:
    import yaml

    from cockpit.playbook.events import values

    try:
        document = values(text)
    except yaml.YAMLError:
        return None
    return document if isinstance(document, Mapping) else None
