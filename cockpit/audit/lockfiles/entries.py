"""What a lockfile says, before anything is judged: packages with where each is named."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.text import clean

MOST_PACKAGES = 20_000
"""In one file; a larger one is refused rather than read in part."""
_NAME = 160


@dataclass(frozen=True, slots=True)
class Place:
    """A file and the line in it, from 1; 0 where the line is not known."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Damaged(Exception):
    """A file is not what its name says: what is wrong there, and what would be right."""

    def __init__(self, place: Place, what: str, right: str) -> None:
        super().__init__(f"{place}: {what}; {right}")


@dataclass(frozen=True, slots=True)
class Python:
    """A pinned Python package.

    `files` are the names of the files that the lockfile lists, None when it lists none (then only an index knows). `hashes` are
    the sha256 digests of the only files that may be installed; empty: any. `from_source` says why it is built in any case (a
    repository, a folder), `marker` when it is installed at all.
    """

    name: str
    version: str
    place: Place
    files: tuple[str, ...] | None = None
    hashes: frozenset[str] = frozenset()
    from_source: str = ""
    marker: str = ""
    least: str = ""
    """The oldest Python that the project runs on, as `3.11`."""
    limited: bool = False
    """The lockfile was made for some platforms only, so that it lists the files of those alone."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the index: its name and, where the index tells it, its sha256 (else empty). Yanked files are chosen by nobody."""

    filename: str
    sha256: str = ""
    yanked: bool = False


def name_of(text: object) -> str:
    """A name or version from a file, for people and for keys: cleaned, without spaces."""
    return clean(str(text), _NAME).replace(" ", "")


def most(count: int, place: Place) -> None:
    """Damaged when there are more packages than anybody locks."""
    if count > MOST_PACKAGES:
        raise Damaged(place, f"it names more than {MOST_PACKAGES:,} packages", "give the lockfile of one service")
