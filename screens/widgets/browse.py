"""A long list of lines that scrolls: only the rows in sight are made and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.present.blocks import Blocks
from screens.present.words import Line, Tone, fit
from screens.widgets.lines import changed, strip


class Browse(ScrollView, can_focus=True):
    """Rows to scroll through; with `follow` the newest stay in sight until somebody scrolls up.

    Somebody who has scrolled stays on the row they look at: rows of `Blocks` are known again wherever they stand.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{tone}" for tone in Tone}

    lines: reactive[Sequence[Line]] = reactive((), layout=False, repaint=False)

    class Scrolled(Message):
        """Other rows are in sight."""

    def __init__(self, *, follow: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.follow = follow
        self._made: dict[int, Line] = {}

    @property
    def sight(self) -> tuple[int, int]:
        """The first row in sight, and how many there is room for."""
        return self.scroll_offset.y, self.size.height

    def watch_lines(self, old: Sequence[Line], new: Sequence[Line]) -> None:
        """Draw the rows in sight that differ, and follow the end when it was in sight."""
        top = self.scroll_offset.y
        at_end = top >= self.max_scroll_y
        before, self._made = self._made, {}
        if len(old) != len(new):
            self.virtual_size = Size(0, len(new))
        if self._stay(old, new, top):
            return
        for y in range(self.size.height):
            if changed(before.get(top + y, ()), self._row(top + y)):
                self.refresh(Region(0, y, self.size.width, 1))
        if self.follow and at_end:
            self.scroll_end(animate=False)

    def _stay(self, old: Sequence[Line], new: Sequence[Line], top: int) -> bool:
        """Follow the row at the top to where it stands now; whether it has moved. Above all rows one stays at the top."""
        if not top or not isinstance(old, Blocks) or not isinstance(new, Blocks):
            return False
        key = old.key(top)
        if new.key(top) == key or (at := new.find(key)) is None:
            return False
        self.scroll_to(y=at, animate=False, immediate=True)
        self.refresh()
        return True

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Other rows are in sight now."""
        super().watch_scroll_y(old, new)
        self.post_message(self.Scrolled())

    def on_resize(self) -> None:
        """Keep the end in sight."""
        if self.follow:
            self.scroll_end(animate=False)
        self.post_message(self.Scrolled())

    def render_line(self, y: int) -> Strip:
        """One row in sight, for Textual's compositor."""
        return strip(self, fit(self._row(self.scroll_offset.y + y), self.size.width), self.size.width)

    def _row(self, y: int) -> Line:
        """A row, made once until the rows change; those that went out of sight are let go of."""
        if y not in self._made:
            if len(self._made) > 4 * max(1, self.size.height):
                self._made.clear()
            self._made[y] = self.lines[y] if y < len(self.lines) else ()
        return self._made[y]
