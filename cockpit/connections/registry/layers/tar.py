"""The entries of a tar archive, read forward only. Headers of any size are bounded, which `tarfile` does not do.

Source: POSIX.1-2017, "pax Interchange Format" and "ustar Interchange Format"; GNU tar, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cockpit.connections.registry.layers.source import Budget, Part, Source, Unreadable

BLOCK = 512
LONGEST_HEADER = 1 << 20
_REGULAR = (b"0", b"\0", b"7", b"S")
_WITHOUT_BODY = (b"1", b"2", b"3", b"4", b"5", b"6")
HARD_LINK, DIRECTORY = b"1", b"5"


@dataclass(slots=True)
class Entry:
    """One file, link or directory. `path` and `link` are as written. `body` is good until the next entry is asked for."""

    path: str
    kind: bytes
    link: str
    size: int
    body: Source

    @property
    def regular(self) -> bool:
        """It is a file of its own."""
        return self.kind in _REGULAR


@dataclass(slots=True)
class _Next:
    """What headers before an entry say of it."""

    path: str = ""
    link: str = ""
    size: int | None = None


def entries(source: Source, budget: Budget) -> Iterator[Entry]:
    """Every entry in turn. Unreadable for what is no tar."""
    said = _Next()
    while (header := _header(source)) is not None:
        budget.file()
        kind, size = header[156:157], _number(header[124:136])
        if kind in b"xgLK" and kind:
            _said(said, kind, source, size)
            continue
        if kind == b"S":
            _sparse(source, header)
        size = 0 if kind in _WITHOUT_BODY else size if said.size is None else said.size
        body = Part(source, size)
        yield Entry(said.path or _path(header), kind, said.link or _text(header[157:257]), size, body)
        body.finish()
        source.skip(-size % BLOCK)
        said = _Next()


def _header(source: Source) -> bytes | None:
    """The next header; None at the end of the archive: two blocks of zeros, or nothing more."""
    header = source.read(BLOCK)
    if not header.strip(b"\0"):
        return None
    if len(header) < BLOCK:
        raise Unreadable("it ends in the middle")
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    if _number(header[148:156]) != total:
        raise Unreadable("it is no tar archive")
    return header


def _said(said: _Next, kind: bytes, source: Source, size: int) -> None:
    if size > LONGEST_HEADER:
        raise Unreadable("it has a header larger than any")
    body = source.exactly(size)
    source.skip(-size % BLOCK)
    if kind == b"L":
        said.path = _text(body)
    elif kind == b"K":
        said.link = _text(body)
    elif kind == b"x":
        _records(said, body)


def _records(said: _Next, body: bytes) -> None:
    """A pax header's `length key=value` records."""
    at = 0
    while at < len(body):
        space = body.find(b" ", at, at + 20)
        digits = body[at:space] if space > 0 else b""
        if not digits.isdigit() or not space < at + int(digits) <= len(body):
            raise Unreadable("it has a damaged header")
        key, _, value = body[space + 1 : at + int(digits)].removesuffix(b"\n").partition(b"=")
        if key in (b"path", b"GNU.sparse.name"):
            said.path = _text(value)
        elif key == b"linkpath":
            said.link = _text(value)
        elif key == b"size":
            said.size = _digits(value, 10)
        at += int(digits)


def _sparse(source: Source, header: bytes) -> None:
    """Pass over the blocks that go on with GNU's map of a sparse file."""
    more = header[482]
    while more:
        more = source.exactly(BLOCK)[504]


def _path(header: bytes) -> str:
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{_text(header[:100])}" if prefix else _text(header[:100])


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="surrogateescape")


def _number(field: bytes) -> int:
    """Octal digits, or GNU's binary form."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    return _digits(field.strip(b"\0 ") or b"0", 8)


def _digits(text: bytes, base: int) -> int:
    if not text.isdigit() or len(text) > 30:
        raise Unreadable("it has a damaged header")
    try:
        return int(text, base)
    except ValueError:
        raise Unreadable("it has a damaged header") from None
