"""The lines of a watch, and the head of a list."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from cockpit.connections.wire.meta import ListMeta, Part

T = TypeVar("T")


class ListHead(Part):
    """A page without its items."""

    metadata: ListMeta


class WatchEvent(Part):
    """A line of a watch; the object is decoded by its kind in a second step."""

    type: str
    object: msgspec.Raw


class TypedEvent(Part, Generic[T]):
    """A line of a watch with an object of the kind that is watched: most are, and then once through it is enough."""

    type: str
    object: T


class Marks(Part):
    """The one annotation of bookmarks that is read."""

    initial_end: str | None = msgspec.field(default=None, name="k8s.io/initial-events-end")


class VersionedMeta(Part):
    """The version of an object or a bookmark, and whether the bookmark ends a watch-list."""

    resource_version: str = ""
    annotations: Marks | None = None


class Versioned(Part):
    """A bookmark or any object."""

    metadata: VersionedMeta

    @property
    def ends_list(self) -> bool:
        """All objects of a watch-list have come."""
        return self.metadata.annotations is not None and self.metadata.annotations.initial_end == "true"


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
