"""A long list of lines that scrolls: only the rows in sight are made and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.present.words import Line, Tone, fit
from screens.widgets.lines import changed, strip


class Browse(ScrollView, can_focus=True):
    """Rows to scroll through; with `follow` the newest stay in sight until somebody scrolls up."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{tone}" for tone in Tone}

    lines: reactive[Sequence[Line]] = reactive((), layout=False, repaint=False)

    def __init__(self, *, follow: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.follow = follow

    def watch_lines(self, old: Sequence[Line], new: Sequence[Line]) -> None:
        """Draw the rows in sight that differ, and follow the end when it was in sight."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        if len(old) != len(new):
            self.virtual_size = Size(0, len(new))
        top = self.scroll_offset.y
        for y in range(self.size.height):
            before, after = _row(old, top + y), _row(new, top + y)
            if changed(before, after):
                self.refresh(Region(0, y, self.size.width, 1))
        if self.follow and at_end:
            self.scroll_end(animate=False)

    def on_resize(self) -> None:
        """Keep the end in sight."""
        if self.follow:
            self.scroll_end(animate=False)

    def render_line(self, y: int) -> Strip:
        """One row in sight, for Textual's compositor."""
        return strip(self, fit(_row(self.lines, self.scroll_offset.y + y), self.size.width), self.size.width)


def _row(lines: Sequence[Line], y: int) -> Line:
    return lines[y] if y < len(lines) else ()
