"""The log screen: every event of the run."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.event import Event
from screens.listing import Listing
from screens.present.events import log_rows
from screens.present.view import View
from screens.present.words import Line

MOST = 4_000
"""Rows that are kept."""


class LogScreen(Listing):
    """Time, who, type, phase and message of every event; the end stays in sight."""

    FOLLOW = True

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Line] = []
        self._last: Event | None = None
        self._cells = 0

    def heading(self) -> str:
        """The title's words."""
        return "Log"

    def rows(self, view: View, cells: int) -> Sequence[Line]:  # noqa: ARG002 (Listing's shape)
        """Only events that came since the last view are made into rows, unless the width has changed."""
        events = self.cockpit.flight.events() if self.cockpit.flight else ()
        if cells != self._cells:
            self._rows, self._last, self._cells = [], None, cells
        if fresh := events[self._told(events) :]:
            self._rows = [*self._rows, *(row for event in fresh for row in log_rows(event, cells))][-MOST:]
            self._last = fresh[-1]
        return self._rows

    def _told(self, events: Sequence[Event]) -> int:
        """How many of the events are rows already: all up to the last one seen, as the oldest are let go of in time."""
        return next((n for n in range(len(events), 0, -1) if events[n - 1] is self._last), 0)
