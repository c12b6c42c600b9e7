"""One panel, full screen, with its detail."""

from __future__ import annotations

from collections.abc import Sequence

from screens.listing import Listing
from screens.present.detail import detail_rows
from screens.present.panels import PANELS, title
from screens.present.view import View
from screens.present.words import UNKNOWN, Line, dim, line


class DetailScreen(Listing):
    """Everything behind one panel."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def heading(self) -> str:
        """The panel's number and title."""
        return f"{self.number} {title(PANELS[self.number - 1], self.cockpit.view)}"

    def rows(self, view: View, cells: int) -> Sequence[Line]:
        """The detail's rows."""
        return detail_rows(self.number, view.frame, cells) if view.frame else [line(dim(UNKNOWN))]
