"""Toned lines on the screen: compared before they are drawn, so that only the cells that changed are written."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from cockpit.text import clean
from screens.present.words import Line, Tone, plain


def changed(old: Line, new: Line) -> tuple[int, int] | None:
    """The first cell that differs and the one after the last, None when nothing does; None's opposite, all, is (0, 9999)."""
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    # Beyond one cell a character, positions in the text are no columns any more.
    if before is None or after is None:
        return 0, 9999
    size = max(len(before), len(after))
    before += [(" ", Tone.PLAIN)] * (size - len(before))
    after += [(" ", Tone.PLAIN)] * (size - len(after))
    differ = [n for n in range(size) if before[n] != after[n]]
    return (differ[0], differ[-1] + 1) if differ else None


def _cells(of: Line) -> list[tuple[str, Tone]] | None:
    text = plain(of)
    return None if Strip([Segment(text)]).cell_length != len(text) else [(c, tone) for part, tone in of for c in part]


def strip(widget: Widget, of: Line, cells: int) -> Strip:
    """A line as Textual draws it, exactly `cells` wide, with the theme's style for each tone.

    Sources have cleaned their text; this is the last door before the terminal, so it lets no control character through either.
    """
    style = {tone: widget.get_component_rich_style(f"lines--{tone}") for tone in {tone for _, tone in of} | {Tone.PLAIN}}
    segments = [Segment(clean(text), style[tone]) for text, tone in of]
    return Strip(segments).adjust_cell_length(cells, style[Tone.PLAIN])


class Lines(Widget):
    """A block of lines that is fed by one reactive."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{tone}" for tone in Tone}

    lines: reactive[tuple[Line, ...]] = reactive((), layout=False, repaint=False)

    def watch_lines(self, old: tuple[Line, ...], new: tuple[Line, ...]) -> None:
        """Ask for the cells that differ to be drawn again."""
        for y in range(max(len(old), len(new))):
            span = changed(old[y] if y < len(old) else (), new[y] if y < len(new) else ())
            if span and y < self.size.height:
                self.refresh(Region(span[0], y, min(span[1], self.size.width) - span[0], 1))

    def render_line(self, y: int) -> Strip:
        """One row, for Textual's compositor."""
        return strip(self, self.lines[y] if y < len(self.lines) else (), self.size.width)
