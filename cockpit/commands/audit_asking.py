"""The command line of `cockpit audit` as a question to the audit; whatever cannot be asked is said before anything is."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from cockpit.audit.ask import STDIN, Ask, Scope
from cockpit.commands.flying import playbook_path
from cockpit.errors import UsageError
from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.redact import know_url, told

_WHAT = "a PLAYBOOK, --image, --manifest or --lockfile, or --namespace or --all-namespaces of a cluster"
_YAML = (".yaml", ".yml")
_MOST_BYTES = 8 << 20
"""Of a file that is read only to point at lines of it."""


def asks_cluster(options: argparse.Namespace) -> bool:
    """A cluster is asked for a playbook or for namespaces; not for images and files alone."""
    return not options.no_cluster and bool(options.playbook or options.all_namespaces or options.namespace)


def plain(options: argparse.Namespace) -> bool:
    """All of a playbook is looked at, and nothing else: what such an audit comes to is the playbook's own colour."""
    more = options.all_namespaces or options.namespace or options.image or options.manifest or options.lockfile
    return bool(options.playbook) and not (more or options.no_cluster or options.no_aws)


def asked(options: argparse.Namespace, today: date) -> tuple[Ask, bytes]:
    """The question, and what is on standard input where a manifest is there. UsageError, or PlaybookInvalid."""
    _sensible(options)
    playbook = _playbook(options.playbook)
    manifests, lockfiles = _paths(options.manifest), _paths(options.lockfile)
    _not_an_input(options.output, [*manifests, *lockfiles, *([Path(playbook.source)] if playbook else [])])
    stdin = sys.stdin.buffer.read(_limit() + 1) if STDIN in manifests else b""
    _readable(manifests, lockfiles, stdin, playbook.target.to_arch if playbook else Arch.ARM64)
    everything = Scope.EVERYTHING if options.all_namespaces else Scope.TARGET
    know_url(options.index_url)
    ask = Ask(
        today=today,
        playbook=playbook,
        scope=everything if asks_cluster(options) else Scope.NONE,
        more_namespaces=tuple(options.namespace),
        images=tuple(dict.fromkeys(options.image)),
        manifests=manifests,
        lockfiles=lockfiles,
        index_url=options.index_url or "",
        python=options.python or "",
        deep=options.deep,
        aws=not options.no_aws,
    )
    return ask, stdin


def content(path: Path) -> str:
    """The text of a file; empty for one that cannot be read or is too large to be worth it."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return ""
    return data.decode(errors="replace") if len(data) <= _MOST_BYTES else ""


def _playbook(name: str | None) -> Playbook | None:
    if name is None:
        return None
    from cockpit.playbook.loader import load

    return load(playbook_path(name))


def _sensible(options: argparse.Namespace) -> None:
    named = options.playbook or options.image or options.manifest or options.lockfile
    if not named and (options.no_cluster or not asks_cluster(options)):
        raise UsageError(f"there is nothing to audit; name {_WHAT}")
    if options.no_cluster and (options.all_namespaces or options.namespace or options.context):
        raise UsageError("--no-cluster asks none; leave it out, or leave out --namespace, --all-namespaces and --context")
    if options.context and not asks_cluster(options):
        raise UsageError("--context names a cluster, and none is asked; add a PLAYBOOK, --namespace or --all-namespaces")
    if options.index_url and not options.lockfile:
        raise UsageError("--index-url is for the packages of lockfiles; add --lockfile FILE")
    if options.index_url and not _is_web(options.index_url):
        raise UsageError("--index-url: this is no address of an index; write one that begins with https://")
    if options.python and not options.lockfile:
        raise UsageError("--python is for the packages of lockfiles; add --lockfile FILE")
    if options.python and not re.fullmatch(r"[23]\.[0-9]{1,2}", options.python):
        raise UsageError(f"{told(options.python, 60)} is no version of Python; write it like 3.12")
    for image in options.image:
        if image.endswith(_YAML) and Path(image).is_file():
            raise UsageError(f"{told(image, 200)} is a file, and --image takes references; write PLAYBOOK before --image")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _paths(names: Sequence[str]) -> tuple[Path, ...]:
    """Each once, and relative to this folder where it is inside: that is what code review knows."""
    return tuple(dict.fromkeys(near(Path(name)) for name in names))


def near(path: Path) -> Path:
    """A path relative to this folder where it is inside."""
    try:
        return path.relative_to(Path.cwd()) if path.is_absolute() else path
    except (ValueError, OSError):
        return path


def _not_an_input(output: str | None, inputs: Iterable[Path]) -> None:
    if output is None:
        return
    target = Path(output).absolute()
    for path in inputs:
        if path != STDIN and target.resolve() == path.absolute().resolve():
            raise UsageError(f"--output would overwrite {told(str(path), 200)}, which is audited; name another file")


def _limit() -> int:
    from cockpit.audit.documents import MAX_BYTES

    return MAX_BYTES


def _readable(manifests: Sequence[Path], lockfiles: Sequence[Path], stdin: bytes, arch: Arch) -> None:
    """What is no manifest and no lockfile is a mistake of the command line, not a finding: all are named at once."""
    if wrong := [*_wrong_manifests(manifests, stdin), *_wrong_lockfiles(lockfiles, arch)]:
        raise UsageError("\n".join(wrong))


def _wrong_manifests(manifests: Sequence[Path], stdin: bytes) -> Iterator[str]:
    if manifests:
        from cockpit.audit.manifests import Manifests, read

        seen = Manifests()
        for path in manifests:
            read(path, stdin, seen)
        yield from seen.faults


def _wrong_lockfiles(lockfiles: Sequence[Path], arch: Arch) -> Iterator[str]:
    if lockfiles:
        from cockpit.audit.lockfiles.entries import Damaged
        from cockpit.audit.lockfiles.reading import read

        for path in lockfiles:
            try:
                read(path, arch)
            except Damaged as error:
                yield str(error)
