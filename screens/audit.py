"""The audit screen: the portability matrix, worst first. Up and down choose, Enter shows one whole, f filters, a audits again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.audit import Row
from screens import requests
from screens.listing import Listing
from screens.present import audit
from screens.present.audit import Picture
from screens.present.view import View
from screens.present.words import UNKNOWN, Line, dim, line, strong
from screens.widgets.browse import Browse


class AuditScreen(Listing):
    """Components of the newest audit; whoever is choosing is not moved by a newer one."""

    AUTO_FOCUS = ""
    """Up and down choose here instead of scrolling."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Up", show=False),
        Binding("down", "choose(1)", "Down", show=False),
        Binding("pageup", "scroll(-1)", "Page up", show=False),
        Binding("pagedown", "scroll(1)", "Page down", show=False),
        Binding("home", "choose(-100000)", "First", show=False),
        Binding("end", "choose(100000)", "Last", show=False),
        Binding("enter", "open", "Whole", show=False),
        Binding("f", "filter", "Filter", show=False),
        Binding("a", "again", "Audit again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._chosen = ""
        self._filter = audit.ALL
        self._opened = False

    def heading(self) -> str:
        """The title's words."""
        return "Audit"

    def keys(self) -> Sequence[Line]:
        """What can be done with components."""
        if (picture := self._picture()) is None:
            return super().keys()
        return [line(strong(key), dim(f" {words}")) for key, words in audit.keys(picture, self._filter, self._opened)]

    def rows(self, view: View, cells: int) -> Sequence[Line]:  # noqa: ARG002 (Listing's shape)
        """All components that the filter lets through, or the one that was opened."""
        picture = self._picture()
        if picture is None:
            return [line(dim(UNKNOWN))]
        if self._filter not in picture.filters():
            self._filter = audit.ALL
        shown = picture.shown(self._filter)
        # What was opened may have gone: then the list, never another component in its place.
        self._opened = self._opened and any(row.component == self._chosen for row in shown)
        if self._opened:
            return audit.whole(picture, shown[self._index(shown)], cells)
        return audit.overview(picture, self._index(shown), self._filter, cells)

    def action_choose(self, step: int) -> None:
        """The component above or below."""
        shown = self._shown()
        if shown and not self._opened:
            at = max(0, min(len(shown) - 1, self._index(shown) + step))
            self._chosen = shown[at].component
            self._redraw(at)

    def action_scroll(self, step: int) -> None:
        """A page up or down."""
        for browse in self.query(Browse):
            browse.scroll_relative(y=step * browse.size.height, animate=False)

    def action_open(self) -> None:
        """Show the chosen component whole."""
        if shown := self._shown():
            self._chosen, self._opened = shown[self._index(shown)].component, True
            self._redraw(0)

    def action_filter(self) -> None:
        """The next of: all, red, waived, each layer."""
        picture = self._picture()
        if picture and not self._opened:
            all_of = picture.filters()
            at = all_of.index(self._filter) if self._filter in all_of else -1
            self._filter, self._chosen = all_of[(at + 1) % len(all_of)], ""
            self._redraw(0)

    def action_again(self) -> None:
        """Audit again."""
        if self.cockpit.flight:
            self.cockpit.reply(requests.audit(self.cockpit.flight))

    def action_leave(self) -> None:
        """Back to all components, then to the main screen."""
        if self._opened:
            self._opened = False
            self._redraw(self._index(self._shown()))
        else:
            super().action_leave()

    def _redraw(self, at: int) -> None:
        """Draw, and keep the chosen component in sight with what is known of it."""
        self.show(self.cockpit.view)
        for browse in self.query(Browse):
            picture, cells = self._picture(), max(0, self.cockpit.view.size[0] - 4)
            top = audit.top(picture, at, browse.size.height, cells) if picture and not self._opened else 0
            browse.scroll_to(y=top, animate=False)

    def _picture(self) -> Picture | None:
        frame = self.cockpit.view.frame
        return audit.picture(frame) if frame else None

    def _shown(self) -> tuple[Row, ...]:
        picture = self._picture()
        return picture.shown(self._filter) if picture else ()

    def _index(self, shown: Sequence[Row]) -> int:
        """Where the chosen component is now; the first when it has gone."""
        return next((n for n, row in enumerate(shown) if row.component == self._chosen), 0)
