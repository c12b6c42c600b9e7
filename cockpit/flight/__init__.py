"""A run being flown: sources into the store, one picture a tick, requests into the state machine, writes through the levers."""

from __future__ import annotations

from cockpit.flight.flight import Flight

__all__ = ["Flight"]
