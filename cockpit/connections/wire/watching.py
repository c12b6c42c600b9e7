"""The lines of a watch, and the head of a list."""

from __future__ import annotations

import msgspec

from cockpit.connections.wire.meta import ListMeta, Part


class ListHead(Part):
    """A page without its items."""

    metadata: ListMeta


class WatchEvent(Part):
    """A line of a watch; the object is decoded by its kind in a second step."""

    type: str
    object: msgspec.Raw


class Versioned(Part):
    """The version in a bookmark or any object."""

    metadata: ListMeta


_head = msgspec.json.Decoder(ListHead)


watch_event = msgspec.json.Decoder(WatchEvent).decode


versioned = msgspec.json.Decoder(Versioned).decode


def list_meta(page: bytes) -> ListMeta:
    """The metadata of a page. API servers write it before the items: then these need not be scanned. DecodeError."""
    cut = page.find(b'"items"', 0, 8192)
    if cut > 0:
        try:
            return _head.decode(page[:cut] + b'"items":[]}').metadata
        except msgspec.DecodeError:
            pass
    return _head.decode(page).metadata
