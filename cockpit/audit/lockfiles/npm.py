"""The rows of npm packages: install scripts, and prebuilt binaries that are packages of their own for each platform. Pure.

Source: npm's documentation, "package-lock.json" (lockfileVersion 2 and 3: `packages`), and package.json's `os`, `cpu` and `libc`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.audit.lockfiles import judging
from cockpit.audit.lockfiles.entries import Place
from cockpit.audit.lockfiles.natives import NPM
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row

ECOSYSTEM = "npm"
_CPU = {Arch.ARM64: "arm64", Arch.AMD64: "x64"}
_PLATFORM_NAME = re.compile(r"(?:^|[-/_.])(?:linux|darwin|win32|freebsd|android|openbsd|netbsd|sunos|aix)(?:[-_.]|$)")


@dataclass(frozen=True, slots=True)
class Package:
    """A package as a lockfile has it. Empty `cpu` and `os` are for all; `scripts` is None where the lockfile does not tell."""

    name: str
    version: str
    place: Place
    scripts: bool | None = None
    cpu: tuple[str, ...] = ()
    os: tuple[str, ...] = ()
    optional: bool = False
    dev: bool = False
    prebuilt: tuple[str, ...] = field(default=())
    """The names of its optional dependencies, among which its prebuilt binaries are."""

    def runs(self, arch: Arch) -> bool:
        """npm would install it on Linux on `arch`."""
        return _allows(self.os, "linux") and _allows(self.cpu, _CPU[arch])

    @property
    def for_linux(self) -> bool:
        """It is for some processor's Linux only."""
        return bool(self.cpu) and _allows(self.os, "linux")


def _allows(words: Sequence[str], word: str) -> bool:
    """As npm reads `os` and `cpu`: a list of what is allowed, or of what is not (`!arm`)."""
    if f"!{word}" in words:
        return False
    wanted = [one for one in words if not one.startswith("!")]
    return not wanted or word in wanted or "any" in wanted


def judge(packages: Sequence[Package], arch: Arch, file: str) -> Iterator[Row]:
    """One row for each package that is more than text, and one for all the others."""
    by_name: dict[str, list[Package]] = {}
    for one in packages:
        by_name.setdefault(one.name, []).append(one)
    wanted = {name for one in packages for name in one.prebuilt if _is_platform(name, by_name)}
    judged = [(one, _row(one, arch, by_name)) for one in packages if one.name not in wanted or not one.optional]
    yield from (found for _, found in judged if found)
    yield from _others([one for one, found in judged if found is None], file)


def _is_platform(name: str, known: Mapping[str, Sequence[Package]]) -> bool:
    """A package that is another one's binary for one platform."""
    return any(one.cpu or one.os for one in known.get(name, ())) or bool(_PLATFORM_NAME.search(name))


def _row(one: Package, arch: Arch, known: Mapping[str, Sequence[Package]]) -> Row | None:
    notes = ("a development dependency: it matters where the image is built",) if one.dev else ()
    binaries = [name for name in one.prebuilt if _is_platform(name, known)]
    if verdict := _prebuilt(one, binaries, arch, known) or _alone(one, arch):
        mark, status, action = verdict
        return judging.row(ECOSYSTEM, one.name, one.version, mark, status, action, one.place, notes)
    return None


def _prebuilt(
    one: Package, binaries: Sequence[str], arch: Arch, known: Mapping[str, Sequence[Package]]
) -> tuple[Mark, str, str] | None:
    """The verdict over a package that brings its binaries as packages; None when it does not."""
    locked = [package for name in binaries for package in known.get(name, ())]
    mine = [package for package in locked if package.cpu and package.runs(arch)]
    if mine:
        names = ", ".join(sorted({package.name for package in mine})[:3])
        return Mark.PASS, f"its prebuilt for {_CPU[arch]} is locked: {names}", ""
    others = [package for package in locked if package.for_linux and package.runs(arch.other)]
    if not others:
        return None
    offered = [name for name in binaries if "linux" in name and _CPU[arch] in name]
    if offered:
        status = f"the lockfile has its Linux binaries, but not {offered[0]}: it was written on another platform"
        return Mark.FIX, status, "delete node_modules and the lockfile, and run npm install again: all platforms are locked then"
    status = f"it has a prebuilt for {_CPU[arch.other]} Linux ({others[0].name}), none for {_CPU[arch]}"
    if one.scripts:
        return Mark.GATE, f"{status}; its install script may build it", NPM.get(one.name) or f"npm rebuild on an {arch} runner"
    return Mark.FIX, status, NPM.get(one.name) or "take a newer version, or another package"


def _alone(one: Package, arch: Arch) -> tuple[Mark, str, str] | None:
    """The verdict over a package by itself; None when there is nothing to say of it."""
    hint = NPM.get(one.name)
    if one.cpu and not one.runs(arch) and one.runs(arch.other):
        if one.optional:
            return (
                Mark.GATE,
                f"it is optional and for {', '.join(one.cpu)} only",
                f"make sure that the service does without it on {arch}",
            )
        return Mark.FIX, f"it is for {', '.join(one.cpu)} only: npm refuses to install it", hint or "replace it"
    if one.scripts:
        what = "it has an install script, which may build or download a binary"
        return Mark.GATE, what, hint or f"npm rebuild on an {arch} runner, and test it there"
    if one.scripts is None and hint:
        return Mark.GATE, "it is known to bring native code", hint
    return None


def _others(quiet: Iterable[Package], file: str) -> Iterator[Row]:
    told = list(quiet)
    if not told:
        return
    if all(one.scripts is False for one in told):
        status = f"{judging.plural(len(told), 'package')} with no install script and nothing for another processor alone"
        yield judging.rest(ECOSYSTEM, file, Mark.PASS, status)
        return
    status = f"this lockfile does not tell which of {judging.plural(len(told), 'package')} have install scripts"
    action = "give a package-lock.json of npm 7 or newer (npm install --package-lock-only), or scan the image with --deep"
    yield judging.rest(ECOSYSTEM, file, Mark.UNKNOWN, status, action)
