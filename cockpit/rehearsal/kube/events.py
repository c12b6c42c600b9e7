"""Events in their two shapes: core/v1 (as stored) and events.k8s.io/v1."""

from __future__ import annotations

from cockpit.rehearsal.kube.errors import Obj

_RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_BACK = {new: old for old, new in _RENAMED.items()}


def to_events_v1(event: Obj) -> Obj:
    """A core/v1 Event as events.k8s.io/v1."""
    return {**{_RENAMED.get(k, k): v for k, v in event.items()}, "apiVersion": "events.k8s.io/v1"}


def to_core(event: Obj) -> Obj:
    """An events.k8s.io/v1 Event as core/v1."""
    return {**{_BACK.get(k, k): v for k, v in event.items()}, "apiVersion": "v1"}
