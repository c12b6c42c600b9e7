"""One layer's native code, upon what is below it: files, jars in it, links, and what the layer takes away.

Source: OCI image-spec, "Image Layer Filesystem Changeset" (whiteouts); ELF headers decide, names never do.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from dataclasses import replace

from cockpit.connections.registry.layers.chains import Seen
from cockpit.connections.registry.layers.elf import HEADER, kind_of, machine, named
from cockpit.connections.registry.layers.source import Budget, Source, TooMuch, Unreadable
from cockpit.connections.registry.layers.tar import DIRECTORY, HARD_LINK, Entry, entries
from cockpit.connections.registry.layers.unpack import unpacked
from cockpit.connections.registry.layers.zips import begins, members
from cockpit.model.layers import Native
from cockpit.text import clean

ARCHIVES = (".jar", ".war", ".ear", ".par", ".whl", ".egg")
DEEPEST = 2
"""A jar in a jar (a fat one), and in a war of an ear."""
MOST_NATIVES = 20_000
MOST_UNREAD = 20
_AFTER_SLASH = chr(ord("/") + 1)
_WHITEOUT, _OPAQUE, _AUFS = ".wh.", ".wh..wh..opq", ".wh..wh."


def scan_layer(source: Source, below: Seen, budget: Budget) -> Seen:
    """What is visible above a layer whose bytes are `source`. What cannot be read of it is said, not raised."""
    layer = _Layer(below, budget)
    try:
        for entry in entries(unpacked(source, budget), budget):
            layer.see(entry)
    except Unreadable as error:
        layer.could_not("a layer", error)
    return layer.seen()


class _Layer:
    def __init__(self, below: Seen, budget: Budget) -> None:
        self._below = dict(below.files)
        self._here: dict[str, tuple[Native, ...]] = {}
        self._sorted = sorted(self._below)
        self._unread = list(below.unread)
        self._budget = budget
        self._room = MOST_NATIVES - sum(map(len, self._below.values()))

    def seen(self) -> Seen:
        return Seen(self._below | self._here, tuple(self._unread))

    def could_not(self, what: str, error: Unreadable) -> None:
        if len(self._unread) < MOST_UNREAD:
            self._unread.append(f"{what}: {error}")

    def see(self, entry: Entry) -> None:
        path = _normal(entry.path)
        folder, _, name = path.rpartition("/")
        if name.startswith(_WHITEOUT):
            self._take_away(folder, name)
            return
        if entry.kind == DIRECTORY:
            self._below.pop(path, None)
            return
        self._below_gone(path)
        found = self._linked(entry, path) if entry.kind == HARD_LINK else self._read(entry, path) if entry.regular else []
        self._here.pop(path, None)
        if found:
            self._here[path] = tuple(found)

    def _take_away(self, folder: str, name: str) -> None:
        if name == _OPAQUE:
            self._under_gone(folder)
        elif not name.startswith(_AUFS):
            self._below_gone(f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))

    def _below_gone(self, path: str) -> None:
        if path:
            self._below.pop(path, None)
            self._under_gone(path)

    def _under_gone(self, folder: str) -> None:
        """Take away what is in a folder of the layers below: neighbours in their order, so that many whiteouts cost little."""
        start = bisect_left(self._sorted, f"{folder}/") if folder else 0
        end = bisect_left(self._sorted, f"{folder}{_AFTER_SLASH}") if folder else len(self._sorted)
        for path in self._sorted[start:end]:
            self._below.pop(path, None)
        del self._sorted[start:end]

    def _linked(self, entry: Entry, path: str) -> list[Native]:
        """Another name of what a name stands for already."""
        target = _normal(entry.link)
        known = self._here.get(target) or self._below.get(target) or ()
        before = _shown(target)
        return [self._one(replace(n, path=_shown(path) + n.path.removeprefix(before))) for n in known]

    def _read(self, entry: Entry, path: str) -> list[Native]:
        shown = _shown(path)
        if not path.lower().endswith(ARCHIVES):
            return self._native(entry.body, path, shown)
        return self._archive(entry.body, path, shown, 0)

    def _native(self, body: Source, name: str, shown: str, *, archived: bool = False) -> list[Native]:
        arch = machine(body.peek(HEADER), name)
        return [self._one(Native(shown, arch, kind_of(name, archived=archived), named(name)))] if arch else []

    def _archive(self, body: Source, name: str, shown: str, depth: int) -> list[Native]:
        """What is in a file that is named like an archive: it may be an ELF file all the same, or neither."""
        found = self._native(body, name, shown, archived=depth > 0)
        try:
            if not begins(body):
                return found
            if depth > DEEPEST:
                raise Unreadable("it is an archive deeper in others than is read")
            for member in members(body, self._budget):
                inner = f"{shown}!/{clean(member.name.lstrip('/'), 300)}"
                if member.name.lower().endswith(ARCHIVES):
                    found += self._archive(member.body, member.name, inner, depth + 1)
                else:
                    found += self._native(member.body, member.name, inner, archived=True)
        except TooMuch:
            raise
        except Unreadable as error:
            self.could_not(shown, error)
        return found

    def _one(self, native: Native) -> Native:
        self._room -= 1
        if self._room < 0:
            raise TooMuch(f"the image holds more than {MOST_NATIVES} native files")
        return native


def _normal(path: str) -> str:
    """A path as files are looked up by: relative to the root, without dots."""
    return posixpath.normpath("/" + path).lstrip("/")


def _shown(path: str) -> str:
    return "/" + clean(path, 600)
