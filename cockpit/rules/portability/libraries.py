"""Rows of the portability matrix that follow from the native code in an image's layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from cockpit.model.arch import Arch
from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.layers import Native, NativeKind, Scan

MOST_ROWS = 5
"""Foreign files of one image with rows of their own; more are summed in one."""
MOST_SHOWN = 3
_ARCHES = (
    r"x86[-_]?64|amd64|x64|x86|i[3-6]86|linux(?:32|64)|aarch[-_]?64|arm64|armv[5-9]\w*|armhf|armel|arm|ppc64(?:le|el)?"
    r"|s390x|riscv64|loong(?:arch)?64|mips(?:64)?(?:el|le)?"
)
_ARCH = re.compile(rf"(?<![a-z0-9])(?:{_ARCHES})(?![a-z0-9])")
"""Names of architectures in paths."""
_ARCH_WORD = re.compile(rf"(?<![a-z0-9])(?:{_ARCHES}|musl|glibc|gnueabihf|gnu|linux)(?![a-z0-9])")
"""Those, and the names of systems and C libraries that come with them in the names of bundles."""
_BETWEEN = re.compile(r"[-_.]+")
_ACTIONS = {
    NativeKind.PROGRAM: "build or download it for linux/{arch} (TARGETARCH in the Dockerfile), and build the image anew",
    NativeKind.LIBRARY: "rebuild it with an {arch} toolchain or get its vendor's {arch} build; else keep the tier where it is",
    NativeKind.PYTHON: "install {arch} wheels, or from source, in the {arch} build of the image: copy no virtual environment",
    NativeKind.NODE: "run npm rebuild (or npm ci) in the {arch} build of the image: copy no node_modules",
    NativeKind.JNI: "take a version of the jar that has linux-aarch64 in it, or rebuild the library with an {arch} toolchain",
    NativeKind.MODULE: "get the vendor's module for {arch}, or its eBPF mode",
}


def rows_of_scan(scan: Scan, arch: Arch, *, used_by: tuple[str, ...] = (), owner: str = "") -> tuple[Row, ...]:
    """The rows of a layer scan, at least one.

    A row for each foreign file (`library/<reference>//<path>`), or one for the image (`library/<reference>`) that sums them, or
    that says that all is well, or what is not known. A foreign file is no blocker where the same one for `arch` is beside it, as
    in bundles for several architectures: see `twins`.
    """
    key = f"{Layer.LIBRARY}/{scan.reference}"

    def row(component: str, mark: Mark, status: str, action: str = "", notes: tuple[str, ...] = ()) -> Row:
        return Row(component, Layer.LIBRARY, mark, status, action, owner, used_by, notes)

    if scan.why:
        return (row(key, Mark.UNKNOWN, scan.why, "scan it again when its layers can be read"),)
    blockers, bundled = twins(scan.natives, arch)
    notes = _notes(bundled, arch)
    unread = _unread(scan.unread)
    if len(blockers) > MOST_ROWS:
        status = "; ".join(filter(None, (_summed(scan, blockers, arch), unread)))
        return (row(key, Mark.FIX, status, _action(blockers, arch), notes),)
    rows = [row(f"{key}//{n.path.lstrip('/')}", Mark.FIX, _status(n, arch), _action([n], arch)) for n in blockers]
    if unread:
        rows.append(row(key, Mark.UNKNOWN, unread, "look at these by hand, then waive or mend them", notes))
    elif not rows:
        rows.append(row(key, Mark.PASS, _passing(scan, bundled, arch), "", notes))
    return tuple(rows)


def twins(natives: Iterable[Native], arch: Arch) -> tuple[list[Native], list[Native]]:
    """The files that are not for `arch`: those without a twin, and those with one.

    A twin is the same file for `arch` at the place where bundles have it: its path is the same but for names of architectures
    (`prebuilds/linux-x64/a.node`, `prebuilds/linux-arm64/a.node`), or it is in the same archive under such a name. The same name
    somewhere else proves nothing: a copied virtual environment has a `python` of its own. Nor is one excused whose path names no
    architecture that its twin's does not, as `bin/agent` beside `bin/agent-arm64`: by that name it is what is loaded.
    """
    ours: dict[str, frozenset[str]] = {}
    foreign: list[Native] = []
    for native in natives:
        if _loads(native, arch):
            words = _words(native.path)
            ours |= {place: ours.get(place, words) & words for place in _places(native.path)}
        else:
            foreign.append(native)
    foreign.sort(key=lambda n: n.path)
    bundled = [n for n in foreign if _has_twin(n.path, ours)]
    return [n for n in foreign if not _has_twin(n.path, ours)], bundled


def _has_twin(path: str, ours: Mapping[str, frozenset[str]]) -> bool:
    """`ours`: by place, the names of architectures that are in every path of the target's files there."""
    words = _words(path)
    return any(place in ours and not words <= ours[place] for place in _places(path))


def _loads(native: Native, arch: Arch) -> bool:
    return native.arch == arch and native.named in ("", arch)


def _places(path: str) -> set[str]:
    """The path without names of architectures; and in an archive that, with the file's name."""
    archive, inside, inner = path.rpartition("!")
    places = {_plain(path)}
    return places | {f"{archive}!{_plain(inner.rpartition('/')[2])}"} if inside else places


def _words(path: str) -> frozenset[str]:
    return frozenset(_ARCH.findall(path.lower()))


def _plain(path: str) -> str:
    parts = (_BETWEEN.sub("-", _ARCH_WORD.sub("", part)).strip("-") for part in path.lower().split("/"))
    return "/".join(filter(None, parts))


def _status(native: Native, arch: Arch) -> str:
    if native.arch == arch:
        return f"{native.kind} for {arch} that is named for {native.named}: Python there does not load it"
    return f"{native.kind} for {native.arch}, with none for {arch} beside it"


def _action(blockers: list[Native], arch: Arch) -> str:
    kind, _ = Counter(n.kind for n in blockers).most_common(1)[0]
    return _ACTIONS[kind].format(arch=arch)


def _summed(scan: Scan, blockers: list[Native], arch: Arch) -> str:
    shown = ", ".join(n.path for n in blockers[:MOST_SHOWN])
    arches = ", ".join(f"{count} {name}" for name, count in Counter(n.arch for n in blockers).most_common(MOST_SHOWN))
    if any(_loads(n, arch) for n in scan.natives):
        return f"{len(blockers)} of {len(scan.natives)} native files are not for {arch} ({arches}): {shown}, …"
    return f"its configuration says {arch}, and none of its {len(scan.natives)} native files is ({arches}): {shown}, …"


def _passing(scan: Scan, bundled: list[Native], arch: Arch) -> str:
    if not scan.natives:
        return f"no native files in {scan.layers} layer{'s' * (scan.layers != 1)}"
    count = len(scan.natives) - len(bundled)
    return f"{count} native file{'s' * (count != 1)} for {arch} in {scan.layers} layer{'s' * (scan.layers != 1)}"


def _notes(bundled: list[Native], arch: Arch) -> tuple[str, ...]:
    if not bundled:
        return ()
    shown = ", ".join(n.path for n in bundled[:MOST_SHOWN]) + (", …" if len(bundled) > MOST_SHOWN else "")
    return (f"{len(bundled)} for other architectures, each with its twin for {arch}: {shown}",)


def _unread(unread: tuple[str, ...]) -> str:
    if not unread:
        return ""
    more = f" and {len(unread) - MOST_SHOWN} more" if len(unread) > MOST_SHOWN else ""
    return f"could not be read: {'; '.join(unread[:MOST_SHOWN])}{more}"
