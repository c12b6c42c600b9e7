"""The settings file: which contexts are only looked at, and which credential plugins may run without being asked about.

read_only_contexts: [prod-*]
exec_plugins:
  allow: [aws, gke-gcloud-auth-plugin, /usr/local/bin/kubelogin]
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import PlaybookInvalid, UsageError
from cockpit.settings import config_file
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.model.json import Json
    from cockpit.playbook.issue import Issue
    from cockpit.playbook.issue import Path as Place
    from cockpit.playbook.text import Document

_KEYS = ("read_only_contexts", "exec_plugins")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the settings file says. Globs are matched against a context's whole name, upper and lower case told apart."""

    read_only_contexts: tuple[str, ...] = ()
    allowed_plugins: tuple[str, ...] = ()

    def read_only(self, context: str) -> str:
        """The pattern by which the context is only looked at; empty when it may be written to."""
        return next((glob for glob in self.read_only_contexts if fnmatchcase(context, glob)), "")


def load(path: Path | None = None) -> Preferences:
    """The settings in the file; the defaults when there is none. UsageError with every fault as `file:line:col: ...`."""
    path = path or config_file()
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Preferences()
    except OSError as error:
        # Settings that forbid must not be passed over because they cannot be read.
        raise UsageError(f"the settings {clean(str(path))} cannot be read ({error.strerror}); mend or remove the file") from None
    return loads(data, str(path)) if data.strip() else Preferences()


def loads(data: bytes, name: str) -> Preferences:
    """The settings in a text; `name` stands for the file in messages. UsageError."""
    from cockpit.playbook.issue import render
    from cockpit.playbook.text import read

    name = clean(name)
    try:
        document = read(data, name)
    except PlaybookInvalid as error:
        raise UsageError("\n".join(error.lines)) from None
    if issues := [*document.issues, *_faults(document)]:
        raise UsageError("\n".join(render(issues, name)))
    root = document.root if isinstance(document.root, dict) else {}
    plugins = root.get("exec_plugins")
    allowed = plugins.get("allow") if isinstance(plugins, dict) else None
    return Preferences(tuple(_texts(root.get("read_only_contexts"))), tuple(_texts(allowed)))


def _texts(value: Json) -> Iterator[str]:
    yield from (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _faults(document: Document) -> Iterator[Issue]:
    root = document.root
    if not isinstance(root, dict):
        yield document.issue((), "settings are a mapping", f"write keys such as {_KEYS[0]}: [prod-*]")
        return
    yield from _unknown(document, (), root, _KEYS)
    yield from _list(document, ("read_only_contexts",), root.get("read_only_contexts", []), "prod-*")
    plugins = root.get("exec_plugins", {})
    if not isinstance(plugins, dict):
        yield document.issue(("exec_plugins",), "this is no mapping", "write exec_plugins: {allow: [aws]}")
        return
    yield from _unknown(document, ("exec_plugins",), plugins, ("allow",))
    yield from _list(document, ("exec_plugins", "allow"), plugins.get("allow", []), "aws")


def _unknown(document: Document, place: Place, found: dict[str, Json], known: Iterable[str]) -> Iterator[Issue]:
    known = list(known)
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            right = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            yield document.issue((*place, key), "there is no such setting", right, on_key=True)


def _list(document: Document, place: Place, value: Json, example: str) -> Iterator[Issue]:
    if not isinstance(value, list):
        yield document.issue(place, "this is no list", f"write [{example}]")
        return
    for index, one in enumerate(value):
        if not isinstance(one, str) or not one.strip():
            yield document.issue((*place, index), "this is no text", f"write {example}")
