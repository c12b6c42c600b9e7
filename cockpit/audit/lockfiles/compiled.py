"""Go, Rust and Java: what their lockfiles let be known of native code, which is little. Pure.

Sources: the Go modules reference, "go.mod files"; Cargo's "Cargo.lock"; Maven's POM; Gradle's "Locking dependency versions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from cockpit.audit.lockfiles import judging
from cockpit.audit.lockfiles.entries import Damaged, Place, most, name_of
from cockpit.audit.lockfiles.natives import CRATES_ELSEWHERE, CRATES_WITH_C, GO, JAVA
from cockpit.audit.lockfiles.tables import packages, toml
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Row

_GO = re.compile(r"(?:require\s+)?([a-zA-Z0-9][\w.~-]{0,100}(?:/[\w.~!-]{1,100}){0,10})\s+(v[0-9][\w.+-]{0,80})")
_GRADLE = re.compile(r"([\w.-]{1,150}):([\w.-]{1,150}):([\w.+-]{1,80})(?::([\w.-]{1,80}))?=")
_TRIPLE = {Arch.ARM64: "aarch64-unknown-linux-gnu", Arch.AMD64: "x86_64-unknown-linux-gnu"}
_JAR = {Arch.ARM64: ("aarch_64", "aarch64", "arm64"), Arch.AMD64: ("x86_64", "amd64")}


def go(text: str, file: str, arch: Arch) -> Iterator[Row]:
    """The rows of go.mod or go.sum: modules that are known to need cgo, and what the file cannot tell."""
    found: dict[tuple[str, str], Place] = {}
    block = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("//")[0].strip()
        if file.endswith("go.mod"):
            block = line.split("(")[0].strip() if line.endswith("(") else "" if line == ")" else block
            if line.startswith(("module", "replace", "exclude", "retract", "tool")) or block not in ("", "require"):
                continue
        if match := _GO.match(line):
            found.setdefault((match[1], match[2].removesuffix("/go.mod")), Place(file, number))
            most(len(found), Place(file, number))
    cgo = 0
    for (path, version), place in found.items():
        if hint := next((hint for head, hint in GO.items() if path.lower().startswith(head)), ""):
            cgo += 1
            yield judging.row("go", name_of(path), name_of(version), Mark.GATE, "it brings or links C code by cgo", hint, place)
    if cgo < len(found):
        others = judging.plural(len(found) - cgo, "other module" if cgo else "module")
        status = f"none of {others} is known to need cgo, and {file.rpartition('/')[2]} does not say"
        action = f"prove it: CGO_ENABLED={'1' if cgo else '0'} GOOS=linux GOARCH={arch} go build ./..."
        yield judging.rest("go", file, Mark.GATE, status, action)


def cargo(text: str, file: str, arch: Arch) -> Iterator[Row]:
    """The rows of Cargo.lock: crates that link or compile C, by their names."""
    count = native = 0
    for table, place in packages(toml(text, file), text, file):
        name, version = name_of(table.get("name", "")), name_of(table.get("version", ""))
        count += 1
        linked = name.endswith("-sys") and name not in CRATES_ELSEWHERE
        if not linked and name not in CRATES_WITH_C:
            continue
        native += 1
        hint = CRATES_WITH_C.get(name) or f"a C compiler, or the library's own build for {arch}, is needed where it is built"
        status = "it links or compiles native code"
        yield judging.row("cargo", name, version, Mark.GATE, status, f"{hint}: cargo build --target {_TRIPLE[arch]}", place)
    if count > native:
        others = judging.plural(count - native, "other crate" if native else "crate")
        status = f"none of {others} is known to bring C or assembly, and Cargo.lock does not say"
        yield judging.rest("cargo", file, Mark.GATE, status, f"prove it: cargo build --target {_TRIPLE[arch]}")


def gradle(text: str, file: str, arch: Arch) -> Iterator[Row]:
    """The rows of gradle.lockfile."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := _GRADLE.match(line.strip()):
            found.append((match[1], match[2], match[3], match[4] or "", Place(file, number)))
            most(len(found), Place(file, number))
    yield from _artifacts(found, file, arch, complete=True)


def pom(text: str, file: str, arch: Arch) -> Iterator[Row]:
    """The rows of pom.xml. It names direct dependencies only, so what it does not name is not known."""
    yield from _artifacts(_Pom(file).read(text), file, arch, complete=False)


Artifact = tuple[str, str, str, str, Place]
"""Group, name, version, classifier, place."""


def _artifacts(found: list[Artifact], file: str, arch: Arch, *, complete: bool) -> Iterator[Row]:
    theirs, mine = _JAR[arch.other], _JAR[arch]
    native = 0
    covered = {(group, name) for group, name, _, classifier, _ in found if any(word in classifier for word in mine)}
    for group, name, version, classifier, place in found:
        key = f"{group}:{name}"
        if verdict := _artifact(key, classifier, (group, name) in covered, theirs, mine):
            native += 1
            suffix = f":{classifier}" if classifier else ""
            yield judging.row("maven", name_of(key + suffix), name_of(version), *verdict, place)
    rest = len(found) - native
    if complete and rest:
        status = (
            f"none of {judging.plural(rest, 'other artifact')} is known to bring JNI libraries, and the lockfile does not say"
        )
        yield judging.rest("maven", file, Mark.GATE, status, "look into the image's jars: cockpit audit --deep")
    elif not complete:
        status = "a pom names direct dependencies only: what they bring is not known"
        yield judging.rest("maven", file, Mark.UNKNOWN, status, "look into the image's jars: cockpit audit --deep")


def _artifact(
    key: str, classifier: str, covered: bool, theirs: tuple[str, ...], mine: tuple[str, ...]
) -> tuple[Mark, str, str] | None:
    """Mark, status and action of an artifact that is more than bytecode; None for one that is not known to be."""
    hint = JAVA.get(key, "")
    if any(word in classifier for word in mine):
        return Mark.PASS, f"its classifier is {name_of(classifier)}", ""
    if "linux" in classifier and any(word in classifier for word in theirs):
        if covered:
            return Mark.PASS, f"its classifier {mine[0]} stands beside this one", ""
        return (
            Mark.FIX,
            f"its classifier {name_of(classifier)} is for the other architecture alone",
            hint or f"add the one for {mine[0]}",
        )
    return (Mark.GATE, "it brings JNI libraries", hint) if hint else None


class _Pom:
    """The dependencies of a pom with the lines they begin on, and `${properties}` that the pom itself sets filled in."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[str] = []
        self._text: list[str] = []
        self._dependency: dict[str, str] = {}
        self._line = 0
        self._properties: dict[str, str] = {}
        self._found: list[tuple[dict[str, str], int]] = []

    def read(self, text: str) -> list[Artifact]:
        """Every dependency. Damaged with its line for what is no XML, or holds a document type, which could swell it."""
        parser = expat.ParserCreate(namespace_separator=None)
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = lambda name, _: self._open(name, parser.CurrentLineNumber)
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(text, True)
        except expat.ExpatError as error:
            raise Damaged(Place(self._file, error.lineno), "this is no valid XML", "mend it") from None
        except (ValueError, UnicodeEncodeError):
            raise Damaged(Place(self._file), "this is no valid XML", "mend it") from None
        return [
            (
                one.get("groupId", ""),
                one.get("artifactId", ""),
                self._filled(one),
                one.get("classifier", ""),
                Place(self._file, line),
            )
            for one, line in self._found
        ]

    def _refuse(self, *_: object) -> None:
        raise Damaged(Place(self._file), "it holds a document type", "a pom needs none: remove it")

    def _open(self, name: str, line: int) -> None:
        self._stack.append(name)
        self._text.clear()
        if name == "dependency":
            self._dependency, self._line = {}, line

    def _close(self, name: str) -> None:
        text, parent = "".join(self._text).strip()[:200], self._stack[-2] if len(self._stack) > 1 else ""
        if parent == "dependency":
            self._dependency[name] = text
        elif parent == "properties":
            self._properties[name] = text
        if name == "dependency":
            self._found.append((self._dependency, self._line))
            most(len(self._found), Place(self._file, self._line))
        self._stack.pop()
        self._text.clear()

    def _filled(self, one: dict[str, str]) -> str:
        version = one.get("version", "")
        match = re.fullmatch(r"\$\{([\w.-]{1,100})\}", version)
        return self._properties.get(match[1], "managed") if match else version or "managed"
