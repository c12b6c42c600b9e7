"""The matrix screen: what is wrong now, and what to do. Up and down choose, Enter shows a finding whole, c copies its command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.finding import Finding
from screens.listing import Listing
from screens.present import matrix
from screens.present.view import View
from screens.present.words import UNKNOWN, Line, dim, line, strong
from screens.widgets.browse import Browse


class MatrixScreen(Listing):
    """Findings, the gravest first and chosen; whoever is choosing is not moved by a new one."""

    AUTO_FOCUS = ""
    """Up and down choose here instead of scrolling."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Up", show=False),
        Binding("down", "choose(1)", "Down", show=False),
        Binding("pageup", "scroll(-1)", "Page up", show=False),
        Binding("pagedown", "scroll(1)", "Page down", show=False),
        Binding("enter", "open", "Whole", show=False),
        Binding("c", "copy", "Copy the command", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._chosen: tuple[str, str] | None = None
        self._opened = False

    def heading(self) -> str:
        """The title's words."""
        frame = self.cockpit.view.frame
        return f"Matrix: {matrix.title(frame)}" if frame and frame.matrix.rows else "Matrix"

    def keys(self) -> Sequence[Line]:
        """What can be done with findings."""
        words = matrix.keys(len(self._findings()), self._opened)
        return [line(strong(key), dim(f" {text}")) for key, text in zip(words[::2], words[1::2], strict=True)]

    def rows(self, view: View, cells: int) -> Sequence[Line]:
        """All findings, or the one that was opened."""
        if view.frame is None:
            return [line(dim(UNKNOWN))]
        # What was opened may have gone: then the list, never another finding in its place.
        self._opened = self._opened and any(_key(found) == self._chosen for found in self._findings())
        draw = matrix.whole if self._opened else matrix.overview
        return draw(view.frame, self._index(), cells)

    def action_choose(self, step: int) -> None:
        """The finding above or below."""
        found = self._findings()
        if found:
            at = max(0, min(len(found) - 1, self._index() + step))
            self._chosen = _key(found[at])
            self._redraw()

    def action_scroll(self, step: int) -> None:
        """A page up or down."""
        for browse in self.query(Browse):
            browse.scroll_relative(y=step * browse.size.height, animate=False)

    def action_open(self) -> None:
        """Show the chosen finding whole."""
        if found := self._findings():
            self._chosen, self._opened = _key(found[self._index()]), True
            self._redraw()

    def action_copy(self) -> None:
        """Give the chosen finding's command to the terminal's clipboard."""
        frame = self.cockpit.view.frame
        if frame and frame.matrix.findings:
            self.cockpit.copy_to_clipboard(matrix.command(frame, frame.matrix.findings[self._index()]))
            self.cockpit.reply("the command was given to the terminal's clipboard")

    def action_leave(self) -> None:
        """Back to all findings, then to the main screen."""
        if self._opened:
            self._opened = False
            self._redraw()
        else:
            super().action_leave()

    def _redraw(self) -> None:
        for browse in self.query(Browse):
            browse.scroll_home(animate=False)
        self.show(self.cockpit.view)

    def _findings(self) -> tuple[Finding, ...]:
        frame = self.cockpit.view.frame
        return frame.matrix.findings if frame else ()

    def _index(self) -> int:
        """Where the chosen finding is now; the first when it has gone."""
        return next((n for n, found in enumerate(self._findings()) if _key(found) == self._chosen), 0)


def _key(of: Finding) -> tuple[str, str]:
    return of.kind, of.objects[0]
