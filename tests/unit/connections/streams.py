"""Bytes as a scan gets them, in chunks of any size."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.connections.registry.layers.chains import Seen
from cockpit.connections.registry.layers.scan import scan_layer
from cockpit.connections.registry.layers.source import Budget, Source

ROOM = 1 << 30


def budget(left: int = ROOM, files: int = 100_000) -> Budget:
    """Room for whatever a test has."""
    return Budget(left, files)


def source(data: bytes, step: int = 1 << 16) -> Source:
    """These bytes, so many at a time."""
    pieces: Iterator[bytes] = (data[at : at + step] for at in range(0, len(data), step))
    return Source(lambda: next(pieces, b""))


def seen(*layers: bytes, step: int = 1 << 16) -> Seen:
    """What is visible above these layers, the lowest first."""
    found = Seen()
    for packed in layers:
        found = scan_layer(source(packed, step), found, budget())
    return found


def arches(*layers: bytes) -> dict[str, str]:
    """The architecture of each native file above layers that can be read."""
    found = seen(*layers)
    assert not found.unread, found.unread
    return {native.path: native.arch for natives in found.files.values() for native in natives}
