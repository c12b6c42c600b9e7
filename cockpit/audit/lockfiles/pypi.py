"""The rows of Python packages: by the files that a lockfile lists, else by those that an index has. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.audit.lockfiles import judging
from cockpit.audit.lockfiles.entries import Listed, Python
from cockpit.audit.lockfiles.natives import PYTHON
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row
from cockpit.rules.portability.versions import is_final, version_key
from cockpit.rules.portability.wheels import Fit, Fitting, Wheel, fitting, normal, sdist_version, wheel

ECOSYSTEM = "pypi"
_MACHINE = {Arch.ARM64: "aarch64", Arch.AMD64: "x86_64"}
_ELSEWHERE = re.compile(
    r"""(?:sys_platform|platform_system|os_name)\s*==\s*["'](?:win32|cygwin|darwin|Windows|Darwin|nt|emscripten)["']"""
)
_MACHINES = re.compile(r"""platform_machine\s*==\s*["']([A-Za-z0-9_]{1,20})["']""")
_NAMED = {"aarch64": Arch.ARM64, "arm64": Arch.ARM64, "x86_64": Arch.AMD64, "amd64": Arch.AMD64}


@dataclass(frozen=True, slots=True)
class Known:
    """What an index has of a package; `why` is why it could not be asked, empty when it could."""

    files: tuple[Listed, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A package's verdict: its row, or none for one that is pure Python, of which there is one row a file."""

    row: Row | None
    fit: Fit | None = None


def wants_index(package: Python, arch: Arch, python: str = "") -> bool:
    """An index could say more: the lockfile lists no files, or none that fits."""
    if package.from_source or keeps_off(package.marker, arch):
        return False
    if package.files is None:
        return True
    return _of_names(package.files, package, arch, python).fit in (Fit.FOREIGN, Fit.PARTLY)


def judge(package: Python, arch: Arch, known: Known | None, python: str = "") -> Judged:
    """The verdict over one package; `known` is None where no index was given."""
    if why := keeps_off(package.marker, arch):
        mark, status = why
        action = f"make sure that the service does without it on {arch}" if mark is Mark.GATE else ""
        return Judged(_row(package, mark, status, action))
    if package.from_source:
        status = f"it comes from {package.from_source}, so it is built on installation"
        return Judged(_row(package, Mark.GATE, status, f"build it on {arch} once, and test it there"))
    if package.files is None:
        return _by_index(package, arch, known, python)
    found = _of_names(package.files, package, arch, python)
    return _judged(package, arch, found, known, python, "the lockfile")


def keeps_off(marker: str, arch: Arch) -> tuple[Mark, str] | None:
    """What a marker says by itself of Linux on `arch`: (PASS, why) when the package is not meant for Linux, (GATE, why) when
    it is not for the architecture; None when it says neither. Only comparisons joined by `and` are understood.
    """
    if not marker or len(marker) > 1000 or re.search(r"\bor\b|\(", marker):
        return None
    if _ELSEWHERE.search(marker):
        return Mark.PASS, "its marker keeps it off Linux"
    machines = [_NAMED.get(name.lower()) for name in _MACHINES.findall(marker)]
    if machines and arch not in machines:
        return Mark.GATE, f"its marker keeps it off {arch}"
    return None


def pure_row(file: str, pure: int, total: int) -> Row:
    """One row for all packages of a file that are pure Python."""
    status = f"{pure:,} of {judging.plural(total, 'package')} have a wheel for every platform"
    return judging.rest(ECOSYSTEM, file, Mark.PASS, status)


def _row(package: Python, mark: Mark, status: str, action: str = "", notes: tuple[str, ...] = ()) -> Row:
    return judging.row(ECOSYSTEM, normal(package.name), package.version, mark, status, action, package.place, notes)


def _of_names(names: Sequence[str], package: Python, arch: Arch, python: str) -> Fitting:
    wheels = [found for name in names if (found := wheel(name))]
    sdist = any(sdist_version(name, package.name) is not None for name in names)
    return fitting(wheels, arch, sdist=sdist, python=python, least=package.least)


def _by_index(package: Python, arch: Arch, known: Known | None, python: str) -> Judged:
    if known is None or known.why:
        why = "the lockfile does not list its files" + (f", and {known.why}" if known else "")
        action = "name the package index with --index-url" if known is None else "ask again when the index answers"
        return Judged(_row(package, Mark.UNKNOWN, why, action))
    files = files_of(known.files, package.name, package.version)
    if not files:
        status = f"the index has no file of {package.version}"
        return Judged(_row(package, Mark.UNKNOWN, status, "name the index that it comes from with --index-url"))
    usable = [f for f in files if not package.hashes or not f.sha256 or f.sha256 in package.hashes]
    found = _of_names([f.filename for f in usable], package, arch, python)
    every = _of_names([f.filename for f in files], package, arch, python)
    if found.fit is not every.fit and every.fit in (Fit.NATIVE, Fit.PARTLY) and found.fit not in (Fit.PURE, Fit.PARTLY):
        status = f"{_wheels(arch, every)}, but the lockfile does not hold their hashes: it cannot be installed there"
        action = f"lock it again with the hashes of all platforms (pip-compile --generate-hashes), {_MACHINE[arch]} included"
        return Judged(_row(package, Mark.FIX, status, action), every.fit)
    return _judged(package, arch, found, known, python, "the index")


def files_of(files: Sequence[Listed], name: str, version: str) -> list[Listed]:
    """The files of one version among all of a package's."""
    key = version_key(version)
    return [one for one in files if key is not None and _version(one.filename, name) == key]


def _version(filename: str, name: str) -> object:
    found = wheel(filename)
    return version_key(found.version) if found else sdist_version(filename, name)


def _judged(package: Python, arch: Arch, found: Fitting, known: Known | None, python: str, who: str) -> Judged:
    known_names = PYTHON.get(normal(package.name), "")
    source = f"a native build on {arch} from source may do instead" if found.sdist else ""
    match found.fit:
        case Fit.PURE:
            return Judged(None, found.fit)
        case Fit.NATIVE:
            return Judged(_row(package, Mark.PASS, _wheels(arch, found), notes=_libc(found)), found.fit)
        case Fit.PARTLY:
            missing = ", ".join(found.missing[:8])
            status = f"{_wheels(arch, found)}, none for {missing}"
            action = f"say which Python runs it (--python), or take {newer(package, arch, known, python) or 'a newer version'}"
            return Judged(_row(package, Mark.GATE, status, action), found.fit)
        case Fit.FOREIGN:
            return Judged(_row(package, Mark.FIX, *_foreign(package, arch, found, known, python, who)), found.fit)
        case Fit.SOURCE:
            status = "no wheel for Linux, only its source: it is compiled or packed on installation"
            action = known_names or f"build it on {arch} once, and test it there"
            return Judged(_row(package, Mark.GATE, status, action), found.fit)
        case Fit.ELSEWHERE:
            return Judged(_row(package, Mark.PASS, "it has files for other systems alone: not installed on Linux"), found.fit)
        case _:
            return Judged(
                _row(
                    package,
                    Mark.UNKNOWN,
                    f"{who} lists no file of it for the Python that runs it",
                    source or "look at it by hand",
                ),
                found.fit,
            )


def _foreign(package: Python, arch: Arch, found: Fitting, known: Known | None, python: str, who: str) -> tuple[str, str]:
    """Status and action of a package whose wheels are all for the other architecture."""
    machine = _MACHINE[arch]
    status = f"{who} has wheels for Linux, none of them {machine}" + (f" for Python {python}" if python else "")
    ways = []
    if package.limited and who == "the lockfile":
        status += "; it was locked for some platforms only"
        ways.append(f"lock it for {machine} as well")
    if later := newer(package, arch, known, python):
        ways.append(f"take {later}")
    elif known and not known.why:
        ways.append(f"no newer version has an {machine} wheel")
    if found.sdist:
        ways.append(f"build it from source on {arch}")
    if hint := PYTHON.get(normal(package.name)):
        ways.append(hint)
    return status, "; ".join(dict.fromkeys(ways)) or "replace it, or ask its makers for a build"


def newer(package: Python, arch: Arch, known: Known | None, python: str = "") -> str:
    """The nearest newer version that fits `arch`, as `1.60.0, the first with an aarch64 wheel`; empty when nobody knows one."""
    base = version_key(package.version)
    if known is None or known.why or base is None:
        return ""
    wheels: dict[str, list[Wheel]] = {}
    for one in known.files:
        if not one.yanked and (found := wheel(one.filename)) and is_final(found.version):
            wheels.setdefault(found.version, []).append(found)
    order = sorted((key, version) for version in wheels if (key := version_key(version)) and key > base)
    for _, version in order:
        verdict = fitting(wheels[version], arch, sdist=False, python=python, least=package.least)
        if verdict.fit in (Fit.PURE, Fit.NATIVE):
            what = "a wheel for every platform" if verdict.fit is Fit.PURE else f"{_MACHINE[arch]} wheels"
            return f"{version}, the next with {what}"
    return ""


def _wheels(arch: Arch, found: Fitting) -> str:
    return f"{_MACHINE[arch]} wheels for {', '.join(found.native[:8])}"


def _libc(found: Fitting) -> tuple[str, ...]:
    """With which C library it is not covered, when only one is."""
    musl = {name.endswith(" on musl") for name in found.native}
    if len(musl) == 1:
        return ("for musl (Alpine) only" if True in musl else "for glibc only: on Alpine (musl) it is built from source",)
    return ()
