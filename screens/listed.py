"""A panel's detail that is a long list: `s` sorts it, `/` filters it, and it says which of its rows are in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType

from cockpit.run.frame import Frame
from cockpit.text import clean
from screens.detail import DetailScreen
from screens.present import agent_detail, node_detail
from screens.present.blocks import Blocks
from screens.present.detail import under
from screens.present.picking import ALL, LONGEST, Pick, Sort, position
from screens.present.view import View
from screens.present.words import UNKNOWN, Line, dim, fit, line, strong
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines


class Draws(Protocol):
    """What makes the rows, and remembers what it sorted."""

    def rows(self, frame: Frame, cells: int, pick: Pick = ...) -> Blocks:
        """The rows of a frame as they were picked."""
        ...


class ListedScreen(DetailScreen):
    """While a filter is typed every letter is text, but for R: from every screen and state it shows what a rollback does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False),
        Binding("slash", "filter", "Filter", show=False),
    ]

    def __init__(self, number: int, draws: Draws, sorts: Sequence[Sort]) -> None:
        super().__init__(number)
        self.pick = ALL
        self.typing = False
        self._draws, self._sorts = draws, sorts

    def rows(self, view: View, cells: int) -> Sequence[Line]:
        """The rows that were picked, in their order."""
        if view.frame is None:
            return [line(dim(UNKNOWN))]
        return under(self.number, view.frame, self._draws.rows(view.frame, cells, self.pick))

    def keys(self) -> Sequence[Line]:
        """The screen's own keys."""
        return [line(strong(key), dim(f" {text}")) for key, text in (_TYPING if self.typing else _LOOKING)]

    def show(self, view: View) -> None:
        """Draw the list and where in it one is."""
        super().show(view)
        self._say()

    def on_browse_scrolled(self) -> None:
        """Say which rows are in sight now."""
        self._say()

    def _say(self) -> None:
        for browse in self.query(Browse):
            if isinstance(rows := browse.lines, Blocks):
                where = position(rows, self.pick, *browse.sight, typing=self.typing)
                for title in self.query("#title").results(Lines):
                    title.lines = (self.title_line(), fit(where, title.size.width))

    # Keys

    def action_sort(self) -> None:
        """The next order."""
        at = self._sorts.index(self.pick.sort)
        self._take(replace(self.pick, sort=self._sorts[(at + 1) % len(self._sorts)]))

    def action_filter(self) -> None:
        """Type a filter."""
        self.typing = True
        self._say()

    def action_leave(self) -> None:
        """Take the filter away, then leave."""
        if self.pick.text:
            self._take(replace(self.pick, text=""))
        else:
            super().action_leave()

    def reads(self, event: events.Key, *, meant: bool) -> bool:
        """A key while a filter is typed; whether it was one for the filter. `meant`: a person pressed it by itself.

        Text may come in clumps, pasted or over a slow line; what ends the typing may not.
        """
        if not self.typing or (event.key not in _EDITS and not (event.is_printable and event.character)):
            return False
        if event.key in ("enter", "escape"):
            if meant:
                self.typing = False
                self._take(self.pick if event.key == "enter" else replace(self.pick, text=""))
        elif event.key == "backspace":
            self._take(replace(self.pick, text=self.pick.text[:-1]))
        else:
            self.typed(event.character or "")
        return True

    def typed(self, text: str) -> None:
        """More of the filter."""
        self._take(replace(self.pick, text=(self.pick.text + clean(text))[:LONGEST]))

    def _take(self, pick: Pick) -> None:
        """Show what was picked, from its beginning."""
        moved, self.pick = pick != self.pick, pick
        if moved:
            for browse in self.query(Browse):
                browse.scroll_home(animate=False, immediate=True)
        self.show(self.cockpit.view)


_LOOKING = (("Esc", "back"), ("s", "sort"), ("/", "filter"), ("↑ ↓ PgUp PgDn Home End", "scroll"))
_TYPING = (("Enter", "keeps the filter"), ("Esc", "clears it"), ("R", "rolls back"))
_EDITS = frozenset({"enter", "escape", "backspace"})


def panel(number: int) -> DetailScreen:
    """The screen behind a panel."""
    if number == 1:
        return ListedScreen(number, node_detail.NodeDetail(), node_detail.SORTS)
    if number == 4:
        return ListedScreen(number, agent_detail.AgentDetail(), agent_detail.SORTS)
    return DetailScreen(number)
