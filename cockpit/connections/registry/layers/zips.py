"""The members of a zip file (a jar, a wheel), read forward only, by their local headers: the directory at its end comes too late.

Source: PKWARE's APPNOTE.TXT, sections 4.3 (local headers, data descriptors) and 4.5.3 (zip64).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack, unpack_from

from cockpit.connections.registry.layers.source import PIECE, Budget, Part, Source, Unreadable
from cockpit.connections.registry.layers.unpack import inflated

LOCAL = b"PK\x03\x04"
_FOLLOWING = (LOCAL, b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08")
_DESCRIPTORS = (16, 24, 12, 20)
"""Lengths of a data descriptor: with or without its signature, sizes of 32 or 64 bits."""
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_FOLLOW = 0x01, 0x08


@dataclass(slots=True)
class Member:
    """One file. `body` is good until the next member is asked for."""

    name: str
    body: Source


def members(source: Source, budget: Budget) -> Iterator[Member]:
    """Every member in turn. Unreadable for what is no zip file, and where one cannot be read on."""
    begins(source)
    while source.peek(4) == LOCAL:
        budget.file()
        _, flags, method, _, _, packed, _, name_size, extra_size = unpack("<HHHIIIIHH", source.exactly(30)[4:])
        name = source.exactly(name_size).decode(errors="surrogateescape")
        packed = _long(source.exactly(extra_size), packed)
        body = _body(source, budget, flags, method, packed)
        yield Member(name, body)
        body.drain()
        if flags & _SIZES_FOLLOW:
            _past_descriptor(source)
    if source.peek(4) not in _FOLLOWING:
        raise Unreadable("it is no zip file, or a damaged one")


def begins(source: Source) -> bool:
    """Go to where a zip file begins; False at the end when there is none.

    Anything may come before it, as the script of a jar that can be executed: whoever opens one looks from its end.
    """
    if source.peek(2) == b"PK":
        return True
    while len(piece := source.peek(PIECE)) >= len(LOCAL):
        if (at := piece.find(LOCAL)) >= 0:
            source.skip(at)
            return True
        source.skip(len(piece) - len(LOCAL) + 1)
    return False


def _body(source: Source, budget: Budget, flags: int, method: int, packed: int) -> Source:
    if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
        raise Unreadable("a file in it is encrypted, or packed in an unusual way")
    if method == _DEFLATED:
        return inflated(source, budget)
    if flags & _SIZES_FOLLOW and not packed and not _empty(source):
        raise Unreadable("a file in it does not say where it ends")
    return Part(source, packed)


def _empty(source: Source) -> bool:
    """A directory, whose descriptor follows at once."""
    head = source.peek(28)
    return any(head[size : size + 4] in _FOLLOWING and not head[size - 8 : size].strip(b"\0") for size in _DESCRIPTORS)


def _long(extra: bytes, packed: int) -> int:
    """The size of packed bytes, which zip64 writes into an extra field."""
    at = 0
    while packed == 0xFFFFFFFF and at + 4 <= len(extra):
        kind, size = unpack_from("<HH", extra, at)
        if kind == 1 and size >= 16 and at + 20 <= len(extra):
            return int(unpack_from("<Q", extra, at + 12)[0])
        at += 4 + size
    return packed


def _past_descriptor(source: Source) -> None:
    head = source.peek(28)
    for size in _DESCRIPTORS:
        if head[size : size + 4] in _FOLLOWING:
            source.skip(size)
            return
    raise Unreadable("it is a damaged zip file")
