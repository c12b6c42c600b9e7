"""A screen that is one long list: the plan, the log, help, a panel's detail. Esc leaves it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding

from screens.base import CockpitScreen
from screens.present.view import View
from screens.present.words import Line, dim, join, line, strong
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines


class Listing(CockpitScreen):
    """Rows under a title."""

    BINDINGS = [Binding("escape", "leave", "Back", show=False)]  # noqa: RUF012 (Textual's shape)
    AUTO_FOCUS = "Browse"
    FOLLOW = False

    def body(self) -> ComposeResult:
        """Title and list."""
        yield Lines(id="title")
        yield Browse(follow=self.FOLLOW, id="list")

    def heading(self) -> str:
        """The title's words."""
        raise NotImplementedError

    def rows(self, view: View, cells: int) -> Sequence[Line]:
        """The list's rows."""
        raise NotImplementedError

    def keys(self) -> Sequence[Line]:
        """What stands beside the heading: the screen's own keys."""
        return [line(strong("Esc"), dim(" back   "), strong("↑ ↓ PgUp PgDn"), dim(" scroll"))]

    def show(self, view: View) -> None:
        """Draw the list, without touching rows that did not change."""
        super().show(view)
        # By queries that may find nothing: a screen that is left while it is being put up has no widgets.
        if cells := max(0, view.size[0] - 4):
            for browse in self.query(Browse):
                browse.lines = self.rows(view, cells)
        for title in self.query("#title").results(Lines):
            title.lines = (self.title_line(),)

    def title_line(self) -> Line:
        """The heading with the screen's own keys."""
        return join([line(" ", strong(self.heading())), *self.keys()], "   ")

    def action_leave(self) -> None:
        """Back to the main screen."""
        self.cockpit.home()
