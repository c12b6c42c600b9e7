"""What every object and list carries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Part(msgspec.Struct, rename="camel", gc=False):
    """Base of all: camelCase on the wire, unknown fields ignored."""


class ListMeta(Part):
    """A list's version, and where it goes on."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class List(Part, Generic[T]):
    """A page of a list."""

    metadata: ListMeta
    items: list[T] | None = None


class Owner(Part):
    """An owner reference."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class Meta(Part):
    """Object metadata. `labels` stays raw: pods of one revision share the same text, which makes a cheap key to intern by."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: str | None = None
    labels: msgspec.Raw = msgspec.Raw(b"")
    owner_references: list[Owner] | None = None


class AnnotatedMeta(Meta):
    """Metadata with its annotations, for what the cockpit writes back."""

    annotations: dict[str, str] | None = None


class ManagedEntry(Part):
    """One entry of managedFields."""

    manager: str | None = ""
    time: datetime | None = None
    subresource: str | None = ""
    fields_v1: Any = msgspec.field(default=None, name="fieldsV1")


class ManagedMeta(AnnotatedMeta):
    """Metadata that tells who wrote which field."""

    managed_fields: list[ManagedEntry] | None = None


class StatusCondition(Part):
    """A status condition of any object."""

    type: str = ""
    status: str = ""
    reason: str | None = ""
    message: str | None = ""


class DatedCondition(StatusCondition):
    """A status condition of which it matters since when; those of nodes and pods are too many to read their times."""

    last_transition_time: datetime | None = None


class Quantities(Part):
    """Requests of a container; numbers are tolerated as well as text."""

    requests: dict[str, str | int | float] | None = None
