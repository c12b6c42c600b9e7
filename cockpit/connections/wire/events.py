"""Events."""

from __future__ import annotations

from datetime import datetime

from cockpit.connections.wire.meta import Meta, Part


class Regarding(Part):
    """What an Event is about."""

    kind: str | None = ""
    name: str | None = ""


class EventSeries(Part):
    """A repeated Event, as events.k8s.io writes it."""

    count: int | None = None
    last_observed_time: datetime | None = None


class Event(Part):
    """A core/v1 Event."""

    metadata: Meta
    involved_object: Regarding | None = None
    type: str | None = ""
    reason: str | None = ""
    message: str | None = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None
