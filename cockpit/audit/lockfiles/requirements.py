"""requirements.txt: one pinned package a line, with hashes where there are some, as pip-compile and `pip freeze` write it.

Source: pip's documentation, "Requirements File Format"; PEP 508 for names and markers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from cockpit.audit.lockfiles.entries import Damaged, Place, Python, most, name_of
from cockpit.rules.portability.wheels import wheel

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,100}[A-Za-z0-9])?"
_EXTRAS = r"\s*+(?:\[[^\]]{0,200}+\]\s*+)?+"
_PINNED = re.compile(rf"({_NAME}){_EXTRAS}===?\s*+([A-Za-z0-9][A-Za-z0-9.!+_*-]{{0,80}})")
_LOOSE = re.compile(rf"({_NAME}){_EXTRAS}((?:[<>!~=]=?|,).{{0,200}})?")
_AT = re.compile(rf"({_NAME}){_EXTRAS}@\s*+(\S{{1,2000}})")
_HASH = re.compile(r"--hash[=\s]sha256:([0-9a-fA-F]{64})\b")
_OTHER = re.compile(r"(?:-r|-c|--requirement|--constraint)[=\s]*(\S{1,500})")
_SCHEME = re.compile(r"(?:(?:git|hg|svn|bzr)\+|https?://|file:)\S*")
_LONGEST = 100_000
"""Characters of a line with those that go on with it: room for a thousand hashes."""


@dataclass(frozen=True, slots=True)
class Unpinned:
    """A line that names no exact version, or another file: what nobody can know from here."""

    what: str
    why: str
    place: Place
    action: str = "lock it"


def read(text: str, file: str) -> list[Python | Unpinned]:
    """Every package. Damaged for a line that pip would not take either."""
    found: list[Python | Unpinned] = []
    for number, line in _logical(text):
        most(len(found), Place(file, number))
        if len(line) > _LONGEST:
            raise Damaged(Place(file, number), f"this line has {len(line):,} characters", f"at most {_LONGEST:,} are read")
        if (one := _line(line, Place(file, number))) is not None:
            found.append(one)
    return found


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, continued ones joined, with the number of their first."""
    first, parts = 0, []
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        first = first or number
        parts.append(line.removesuffix("\\").strip())
        if line.endswith("\\"):
            continue
        if joined := " ".join(part for part in parts if part):
            yield first, joined
        first, parts = 0, []
    if joined := " ".join(part for part in parts if part):
        yield first, joined


def _line(line: str, place: Place) -> Python | Unpinned | None:
    hashes = frozenset(found.lower() for found in _HASH.findall(line))
    bare = re.sub(r"\s--[a-z-]+[=\s].*$", "", line)
    wanted, _, marker = bare.partition(";") if "@" not in bare else (*bare.partition(" ;")[:2], bare.partition(" ;")[2])
    wanted, marker = wanted.strip(), marker.strip()
    if match := _OTHER.match(line):
        return Unpinned(
            name_of(match[1]), "it is another file, which is not followed", place, "give that file with --lockfile too"
        )
    if wanted.startswith(("-e", "--editable")):
        return None  # the service's own code
    if wanted.startswith("-"):
        return None  # an option, as --index-url: who is asked is for the command line to say
    if match := _AT.fullmatch(wanted):
        return _from(match[1], match[2], place, marker)
    if match := _PINNED.fullmatch(wanted):
        if "*" in match[2]:
            return Unpinned(name_of(match[1]), f"=={name_of(match[2])} is no exact version: lock it", place)
        return Python(name_of(match[1]), name_of(match[2]), place, hashes=hashes, marker=marker)
    if wanted.startswith((".", "/")):
        return None
    if _SCHEME.fullmatch(wanted):
        return _from("", wanted, place, marker)
    if match := _LOOSE.fullmatch(wanted):
        return Unpinned(name_of(match[1]), "it is not pinned: lock it (pip-compile, uv pip compile) and give that file", place)
    raise Damaged(place, "this is no requirement", "write it like name==1.2.3")


def _from(name: str, address: str, place: Place, marker: str) -> Python | Unpinned:
    """A package by its address: a wheel tells what it is by its name, everything else is built."""
    file = urlsplit(address).path.rpartition("/")[2] if "://" in address else address.rpartition("/")[2]
    if found := wheel(file):
        return Python(name_of(name or found.name), name_of(found.version), place, files=(file,), marker=marker)
    shown = name or file.partition("@")[0].removesuffix(".git")
    return Python(name_of(shown), "source", place, from_source=_kind(address), marker=marker)


def _kind(address: str) -> str:
    return "a repository" if re.match(r"(?:git|hg|svn|bzr)\+", address) else "an archive"
