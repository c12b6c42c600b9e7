"""The log screen: every event of the run."""

from __future__ import annotations

from collections.abc import Sequence

from screens.listing import Listing
from screens.present.events import log_rows
from screens.present.view import View
from screens.present.words import Line


class LogScreen(Listing):
    """Time, who, type, phase and message of every event; the end stays in sight."""

    FOLLOW = True

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Line] = []
        self._told, self._cells = 0, 0

    def heading(self) -> str:
        """The title's words."""
        return "Log"

    def rows(self, view: View, cells: int) -> Sequence[Line]:  # noqa: ARG002 (Listing's shape)
        """Only events that came since the last view are made into rows, unless the width has changed."""
        events = self.cockpit.flight.events() if self.cockpit.flight else ()
        if cells != self._cells:
            self._rows, self._told, self._cells = [], 0, cells
        self._rows = [*self._rows, *(row for event in events[self._told :] for row in log_rows(event, cells))]
        self._told = len(events)
        return self._rows
