"""Decompression in bounded steps: gzip by zlib, zstd where this Python has it.

Source: RFC 1952 (several members, as estargz and pigz write them), RFC 8878 (magic numbers); PEP 784 for `compression.zstd`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from cockpit.connections.registry.layers.source import PIECE, Budget, Source, Unreadable

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
UNPACKED = 1 << 18
"""Bytes that one step unpacks at most."""


def unpacked(source: Source, budget: Budget) -> Source:
    """A layer's tar, whatever it is packed with: its own first bytes say it, as media types lie. Unreadable."""
    head = source.peek(6)
    if head.startswith(GZIP):
        return Source(_gunzip(source, budget))
    if head.startswith(ZSTD) or (head[1:4] == b"\x2a\x4d\x18" and head[:1] and 0x50 <= head[0] <= 0x5F):
        return Source(_unzstd(source, budget))
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            raise Unreadable(f"it is packed with {name}")
    return Source(_plain(source, budget))


def inflated(source: Source, budget: Budget) -> Source:
    """One raw deflate stream, as in zip files. What follows it is left in `source` once it has been read to its end."""
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)

    def fill() -> bytes:
        found = b"" if unpack.eof else _step(unpack, source)
        budget.spend(len(found))
        return found

    return Source(fill)


def _plain(source: Source, budget: Budget) -> Callable[[], bytes]:
    def fill() -> bytes:
        found = source.some()
        budget.spend(len(found))
        return found

    return fill


def _gunzip(source: Source, budget: Budget) -> Callable[[], bytes]:
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def fill() -> bytes:
        nonlocal unpack
        while True:
            if unpack.eof:
                _zeros(source)
                if source.peek(2) != GZIP:
                    return b""
                unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
            if found := _step(unpack, source):
                budget.spend(len(found))
                return found

    return fill


def _zeros(source: Source) -> None:
    """Pass over the padding that may follow a member."""
    while found := source.some():
        if rest := found.lstrip(b"\0"):
            source.unread(rest)
            return


def _step(unpack: Any, source: Source) -> bytes:
    """The next unpacked bytes; b"" only at the end of the stream. `unpack` is one of zlib's."""
    while not unpack.eof:
        packed = unpack.unconsumed_tail or source.some(PIECE)
        try:
            found: bytes = unpack.decompress(packed, UNPACKED)
        except zlib.error:
            raise Unreadable("its compressed bytes are damaged") from None
        if unpack.eof:
            source.unread(unpack.unused_data)
        elif not packed and not found:
            raise Unreadable("it ends in the middle")
        if found:
            return found
    return b""


def _unzstd(source: Source, budget: Budget) -> Callable[[], bytes]:
    try:
        zstd = import_module("compression.zstd")
    except ImportError:
        raise Unreadable("it is packed with zstd, which this Python cannot unpack (3.14 and later can)") from None
    unpack: Any = zstd.ZstdDecompressor()

    def fill() -> bytes:
        nonlocal unpack
        while True:
            if unpack.eof:
                source.unread(unpack.unused_data)
                if not source.peek(1):
                    return b""
                unpack = zstd.ZstdDecompressor()
            packed = source.some(PIECE) if unpack.needs_input else b""
            if unpack.needs_input and not packed:
                raise Unreadable("it ends in the middle")
            try:
                found: bytes = unpack.decompress(packed, UNPACKED)
            except zstd.ZstdError:
                raise Unreadable("its compressed bytes are damaged") from None
            if found:
                budget.spend(len(found))
                return found

    return fill
