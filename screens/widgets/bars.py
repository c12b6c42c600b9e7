"""The rows that every screen has: header, rail, notice and key bar. Each is fed by one property, the view."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from screens.present import header, keys, notice
from screens.present.view import View
from screens.present.words import Line, width
from screens.widgets.lines import Lines


class Bar(Lines):
    """Rows made from the view and the width."""

    _view = View()

    @property
    def view(self) -> View:
        """The picture that it shows. No reactive of Textual's: twelve of these are set on every tick."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        self._view = view
        self.redraw()

    def on_resize(self) -> None:
        """A new width."""
        self.redraw()

    def redraw(self) -> None:
        """Make the rows anew; what did not change is not drawn."""
        if self.size.width:
            self.lines = tuple(self.rows(self.view, self.size.width))

    def rows(self, view: View, cells: int) -> list[Line]:
        """The bar's rows."""
        raise NotImplementedError


class Where(Bar):
    """What flies where."""

    def rows(self, view: View, cells: int) -> list[Line]:
        """One row."""
        # The clock beside it may just have grown: its place is its own before the next layout gives it.
        room = view.size[0] - width(header.clock(view))
        return [header.where(view, min(cells, room) if room > 0 else cells)]


class Clock(Bar):
    """The time and the word for the whole picture. As wide as they are: a changed row is written from its widget's left on."""

    def redraw(self) -> None:
        """A new picture, perhaps of another width."""
        cells = width(header.clock(self.view))
        if cells != self.size.width:
            self.styles.width = cells
        super().redraw()

    def rows(self, view: View, cells: int) -> list[Line]:  # noqa: ARG002 (Bar's shape)
        """One row."""
        return [header.clock(view)]


class Header(Horizontal):
    """The top row."""

    def compose(self) -> ComposeResult:
        """Where on the left, the clock on the right."""
        yield Where()
        yield Clock()


class Rail(Bar):
    """The phases."""

    def rows(self, view: View, cells: int) -> list[Line]:
        """One row."""
        return [header.rail(view, cells)]


class Notice(Bar):
    """The most urgent sentence."""

    def rows(self, view: View, cells: int) -> list[Line]:
        """One row."""
        return [notice.notice(view, cells)]


class KeyBar(Bar):
    """What each key will do now."""

    def rows(self, view: View, cells: int) -> list[Line]:
        """Two rows."""
        return keys.key_bar(view, cells)


class TooSmall(Bar):
    """Stands in for everything on a terminal that cannot show enough."""

    def rows(self, view: View, cells: int) -> list[Line]:
        """A few rows."""
        return header.too_small(view, cells)
