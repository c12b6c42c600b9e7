"""Lockfiles by their names: what each is, read whole but bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cockpit.audit.lockfiles import compiled, npm, npm_locks, requirements, tables
from cockpit.audit.lockfiles.entries import Damaged, Place, Python, most, name_of
from cockpit.audit.lockfiles.requirements import Unpinned
from cockpit.model.arch import Arch
from cockpit.model.audit import Row
from cockpit.text import clean

MOST_BYTES = 32 << 20
"""Of one file; the largest lockfiles that are met have a third of it."""
KNOWN = (
    "requirements*.txt, uv.lock, poetry.lock, pylock.toml, Pipfile.lock, package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml, "
    "yarn.lock, go.mod, go.sum, Cargo.lock, gradle.lockfile, pom.xml"
)


@dataclass(frozen=True, slots=True)
class Lockfile:
    """A lockfile as read: Python packages still to be judged, rows of everything else."""

    file: str
    python: tuple[Python, ...] = ()
    unpinned: tuple[Unpinned, ...] = ()
    rows: tuple[Row, ...] = ()


def read(path: Path, arch: Arch) -> Lockfile:
    """What a file holds. Damaged with file and line when it cannot be read, is too large, or is not known by its name."""
    file = clean(str(path), 300)
    for pattern, reader in _READERS:
        if re.fullmatch(pattern, path.name):
            return reader(_text(path, file), file, arch)
    raise Damaged(Place(file), "this is no lockfile that is known by its name", f"give one of {KNOWN}")


def _text(path: Path, file: str) -> str:
    try:
        with path.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise Damaged(
            Place(file), f"it cannot be read ({clean(error.strerror or 'unknown')})", "give a file that is there"
        ) from None
    if len(data) > MOST_BYTES:
        raise Damaged(Place(file), f"it is larger than {MOST_BYTES >> 20} MB", "give the lockfile of one service")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Damaged(Place(file, line), "this is no UTF-8 text", "save it as UTF-8") from None


def _python(parse: Callable[[str, str], Sequence[Python | Unpinned]]) -> Callable[[str, str, Arch], Lockfile]:
    def reader(text: str, file: str, _: Arch) -> Lockfile:
        found = parse(text, file)
        return Lockfile(
            file,
            python=tuple(one for one in found if isinstance(one, Python)),
            unpinned=tuple(one for one in found if isinstance(one, Unpinned)),
        )

    return reader


def _pipfile(text: str, file: str) -> list[Python | Unpinned]:
    """The packages of Pipfile.lock: versions and hashes, no file names. What is editable is the service's own code."""
    root = npm_locks.document(text, file)
    found: list[Python | Unpinned] = []
    lines = {line.strip().partition('"')[2].partition('"')[0]: n for n, line in reversed(list(enumerate(text.splitlines(), 1)))}
    for section in ("default", "develop"):
        entries = root.get(section)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if not (isinstance(entry, dict) and entry.get("editable") is True):
                found.append(_of_pipfile(name, entry if isinstance(entry, dict) else {}, Place(file, lines.get(name, 0))))
                most(len(found), found[-1].place)
    return found


def _of_pipfile(name: str, entry: dict[str, object], place: Place) -> Python | Unpinned:
    version, hashes, marker = entry.get("version"), entry.get("hashes"), entry.get("markers")
    if not isinstance(version, str):
        source = "a repository" if "git" in entry else "an archive" if "file" in entry else ""
        if source:
            return Python(name_of(name), "source", place, from_source=source)
        return Unpinned(name_of(name), "the lockfile names no version of it", place, "lock it again (pipenv lock)")
    digests = [one.removeprefix("sha256:") for one in hashes if isinstance(one, str)] if isinstance(hashes, list) else []
    return Python(
        name_of(name),
        name_of(version.removeprefix("==").removeprefix("=")),
        place,
        hashes=frozenset(digests),
        marker=marker if isinstance(marker, str) else "",
    )


def _npm(parse: Callable[[str, str], list[npm.Package]]) -> Callable[[str, str, Arch], Lockfile]:
    return lambda text, file, arch: Lockfile(file, rows=tuple(npm.judge(parse(text, file), arch, file)))


_READERS: tuple[tuple[str, Callable[[str, str, Arch], Lockfile]], ...] = (
    (r"(?i).*(?:requirements|constraints).*\.(?:txt|lock)", _python(requirements.read)),
    (r"uv\.lock", _python(tables.uv)),
    (r"poetry\.lock", _python(tables.poetry)),
    (r"pylock(?:\.[^.]+)?\.toml", _python(tables.pylock)),
    (r"Pipfile\.lock", _python(_pipfile)),
    (r"package-lock\.json|npm-shrinkwrap\.json", _npm(npm_locks.package_lock)),
    (r"pnpm-lock\.yaml", _npm(npm_locks.pnpm)),
    (r"yarn\.lock", _npm(npm_locks.yarn)),
    (r"go\.(?:mod|sum)", lambda text, file, arch: Lockfile(file, rows=tuple(compiled.go(text, file, arch)))),
    (r"Cargo\.lock", lambda text, file, arch: Lockfile(file, rows=tuple(compiled.cargo(text, file, arch)))),
    (r"gradle\.lockfile|.*\.lockfile", lambda text, file, arch: Lockfile(file, rows=tuple(compiled.gradle(text, file, arch)))),
    (r"pom\.xml|.*\.pom", lambda text, file, arch: Lockfile(file, rows=tuple(compiled.pom(text, file, arch)))),
)
