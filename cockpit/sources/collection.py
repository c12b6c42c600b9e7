"""What of a Kubernetes API is listed and watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from cockpit.model.snapshot import SourceName

T = TypeVar("T", bytes, msgspec.Raw)

SLICE_BYTES = 64 << 10
"""So much JSON is decoded in one go, 1 ms of work: several lists may come at once, and a key is to be answered in time."""
STREAMED: Mapping[str, str] = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
"""What makes a watch begin with all that there is, and say when that has been told."""


class Decoder(Protocol):
    """Bytes to model objects; msgspec.DecodeError when they are none."""

    def one(self, raw: bytes | msgspec.Raw) -> Any:
        """One object."""
        ...

    def changed(self, line: bytes) -> tuple[str, str, Any] | None:
        """What a line of a watch says happened, the object's version, and the object; None for any other line."""
        ...


@dataclass(frozen=True, slots=True)
class Collection:
    """What to list and watch, how to decode it, and the key of each object. A `big` one is streamed where that is best."""

    source: SourceName
    path: str
    decoder: Decoder
    key: Callable[[Any], str]
    params: Mapping[str, str]
    big: bool = False


def by_name(value: Any) -> str:
    """The key of cluster-wide objects."""
    return str(value.name)


def by_namespace(value: Any) -> str:
    """The key of namespaced objects, `namespace/name`."""
    return f"{value.namespace}/{value.name}"


def sliced(objects: Sequence[T], size: int = SLICE_BYTES) -> Iterator[Sequence[T]]:
    """The objects in runs of about so many bytes, so that others have their turn between them."""
    begin, held = 0, 0
    for index, raw in enumerate(objects):
        held += len(memoryview(raw))
        if held >= size:
            yield objects[begin : index + 1]
            begin, held = index + 1, 0
    if begin < len(objects):
        yield objects[begin:]
