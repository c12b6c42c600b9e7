"""Whether a version of a Python package can be installed on an architecture, by the names of its files alone. Pure.

Sources: the binary distribution format (PEP 427) and the platform compatibility tags (PEP 425, 600 manylinux, 656 musllinux).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.arch import Arch
from cockpit.rules.portability.versions import Key, version_key

_MACHINE = {Arch.ARM64: "aarch64", Arch.AMD64: "x86_64"}
_PLATFORM = re.compile(r"(?P<libc>manylinux|musllinux|linux)(?:1|2010|2014|_[0-9]{1,4}_[0-9]{1,4})?_(?P<machine>[a-z0-9_]{1,30})")
_CPYTHON = re.compile(r"cp([0-9])([0-9]{0,3})")
_GENERIC = re.compile(r"py([0-9])([0-9]{0,3})")
_SDIST = re.compile(r"(?P<stem>.+)\.(?:tar\.(?:gz|bz2|xz|z)|tgz|zip)", re.IGNORECASE)
_MOST_TAGS = 64
"""Combinations of tags in one name that are looked at; no real wheel has as many."""


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """One `python-abi-platform` of a wheel."""

    python: str
    abi: str
    platform: str

    def machine(self) -> str:
        """The machine of a Linux wheel, `any`, or empty for another system's."""
        if self.platform == "any":
            return "any"
        match = _PLATFORM.fullmatch(self.platform)
        return match["machine"] if match else ""

    @property
    def musl(self) -> bool:
        """Only for musl, the C library of Alpine."""
        return self.platform.startswith("musllinux")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel by its name: the package's name and version as they are written there, and every tag."""

    name: str
    version: str
    tags: frozenset[Tag]


def wheel(filename: str) -> Wheel | None:
    """The wheel that a file is by its name; None for anything else."""
    if not filename.lower().endswith(".whl") or len(filename) > 500:
        return None
    parts = filename[:-4].split("-")
    if len(parts) not in (5, 6) or not all(parts):
        return None
    name, version, (python, abi, platform) = parts[0], parts[1], parts[-3:]
    named = (t.lower().split(".") for t in (python, abi, platform))
    tags = {Tag(*one) for one, _ in zip(_product(*named), range(_MOST_TAGS), strict=False)}
    return Wheel(name, version, frozenset(tags))


def _product(pythons: list[str], abis: list[str], platforms: list[str]) -> Iterator[tuple[str, str, str]]:
    return ((p, a, m) for p in pythons for a in abis for m in platforms)


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sdist_version(filename: str, name: str) -> Key | None:
    """The version of the source distribution of `name` that a file is by its name; None for anything else."""
    match = _SDIST.fullmatch(filename) if len(filename) <= 500 else None
    if match is None:
        return None
    stem, dash = match["stem"], name.count("-")
    # A name may hold dashes as it is written, so the version begins after as many.
    for cut in (m.start() for m in re.finditer("-", stem)):
        if dash <= 50 and normal(stem[:cut]) == normal(name):
            return version_key(stem[cut + 1 :])
    return None


class Fit(StrEnum):
    """How a package's files fit an architecture."""

    PURE = "pure"
    """A wheel for every platform."""
    NATIVE = "native"
    """Wheels for the architecture, wherever there are some for the other one."""
    PARTLY = "partly"
    """Wheels for the architecture, but not for every Python or C library that the other one has some for."""
    FOREIGN = "foreign"
    """Linux wheels, none of them for the architecture."""
    SOURCE = "source"
    """Only a source distribution helps on Linux, whatever the architecture."""
    ELSEWHERE = "elsewhere"
    """Wheels for other systems than Linux alone, and no source: nothing of it is installed on Linux."""
    NOTHING = "nothing"
    """No file at all, or none for the Python that runs it."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """The verdict over a version's files. `native` and `missing` say for which Python (and C library), as in `cp311`."""

    fit: Fit
    native: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sdist: bool = False


def fitting(wheels: Iterable[Wheel], arch: Arch, *, sdist: bool, python: str = "", least: str = "") -> Fitting:
    """How a version fits `arch`: by its wheels, and whether there is a source distribution.

    `python` is the one that will run it, as `3.12`: then no other counts. `least` is the oldest that may. Without either a Python
    for which only the other architecture has a wheel is `missing`.
    """
    every = {tag for one in wheels for tag in one.tags}
    tags = {tag for tag in every if _may_run(tag, python, least)}
    if any(tag.machine() == "any" and _taken(tag, python) for tag in tags):
        return Fitting(Fit.PURE, sdist=sdist)
    mine = {tag for tag in tags if tag.machine() == _MACHINE[arch]}
    others = {tag for tag in tags if tag.machine() in _MACHINE.values()} - mine
    missing = sorted({_who(tag) for tag in others if _interprets(tag) and not any(_replaces(own, tag) for own in mine)})
    native = tuple(sorted({_who(tag) for tag in mine}))
    if mine:
        return Fitting(Fit.PARTLY if missing else Fit.NATIVE, native, tuple(missing), sdist)
    if others:
        return Fitting(Fit.FOREIGN, missing=tuple(missing or sorted({_who(tag) for tag in others})), sdist=sdist)
    if sdist:
        return Fitting(Fit.SOURCE, sdist=True)
    machines = {tag.machine() for tag in every}
    linux = bool(machines - {"", "any"})
    return Fitting(Fit.FOREIGN if linux else Fit.NOTHING if "any" in machines or not every else Fit.ELSEWHERE)


def _who(tag: Tag) -> str:
    """`cp311`, `cp39+ (abi3)`, `cp313t`, each with ` on musl` where that is what it is for."""
    free = "t" if _CPYTHON.match(tag.abi) and tag.abi.endswith("t") else ""
    name = f"{tag.python}+ (abi3)" if tag.abi == "abi3" else tag.python + free
    return f"{name} on musl" if tag.musl else name


def _interprets(tag: Tag) -> bool:
    """Of the interpreter that services run on: what other ones lack is of no concern."""
    return bool(_CPYTHON.fullmatch(tag.python) or _GENERIC.fullmatch(tag.python))


def _replaces(own: Tag, other: Tag) -> bool:
    """Wherever `other` would be installed on its architecture, `own` would be on its own."""
    if own.musl != other.musl:
        return False
    if own.abi == "none" and _GENERIC.fullmatch(own.python):
        return _generation(own.python) == _generation(other.python)
    if (own.python, own.abi) == (other.python, other.abi):
        return True
    mine, theirs = _python(own.python), _python(other.python)
    stable = own.abi == "abi3" and not other.abi.endswith("t") and bool(_CPYTHON.fullmatch(other.python))
    return stable and mine is not None and theirs is not None and mine[0] == theirs[0] and mine <= theirs


def _may_run(tag: Tag, python: str, least: str) -> bool:
    runs, named = _number(python), _python(tag.python)
    if named is None or (runs is None and not least):
        return runs is None  # another interpreter's, or of none that is known
    upwards = tag.abi in ("abi3", "none") and (tag.abi == "abi3" or bool(_GENERIC.fullmatch(tag.python)))
    if runs is not None:
        whole = _GENERIC.fullmatch(tag.python) is not None and len(tag.python) == len("py3")
        return named[0] == runs[0] and (whole or named == runs or (upwards and named <= runs)) and not tag.abi.endswith("t")
    oldest = _number(least)
    return oldest is None or (upwards and named[0] == oldest[0]) or named >= oldest


def _taken(tag: Tag, python: str) -> bool:
    """By the generation of CPython that runs it, which is 3 where nobody says: not PyPy's, nor for Python 2."""
    named, runs = _python(tag.python), _number(python)
    return named is not None and named[0] == (runs[0] if runs else 3)


def _number(text: str) -> tuple[int, int] | None:
    """`3.12`, `312` and `cp312` are (3, 12); None for anything else."""
    match = re.fullmatch(r"(?:cp|py)?([0-9])\.?([0-9]{1,3})(?:\.[0-9]{1,3})?", text.strip().lower())
    return (int(match[1]), int(match[2])) if match else None


def _python(tag: str) -> tuple[int, int] | None:
    match = _CPYTHON.fullmatch(tag) or _GENERIC.fullmatch(tag)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _generation(tag: str) -> str:
    found = _python(tag)
    return str(found[0]) if found else tag
