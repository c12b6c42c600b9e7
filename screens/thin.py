"""What the terminal shows, cell by cell, so that only cells that differ are written: a thin line carries nothing twice.

Textual writes a changed row from its widget's left on, a new screen whole, and the colours anew with every piece of text. This
keeps what was written last (as curses does) and compares at the last door, whatever made the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeAlias, cast

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.style import Style
from textual import events, on
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App, ReturnType
from textual.driver import Driver
from textual.geometry import Size
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from textual.screen import Screen

Pen: TypeAlias = tuple[str, str, str]
"""Attributes, foreground and background as SGR codes, each empty where it is the terminal's own."""
Cell: TypeAlias = tuple[str, Pen]
"""One character; empty in the right half of a wide one."""

NONE: Pen = ("", "", "")
NEAR = 4
"""Unchanged cells between two changed ones that are written again, as moving over them takes as many bytes."""
BACKLOG = 6
"""Writes that wait for the line from which on no picture is sent: the next one has everything in it, and keys are served."""
OWED_SECONDS = 0.1


class Written(CompositorUpdate):
    """A picture that is text for the terminal already."""

    def __init__(self, text: str) -> None:
        self.text = text

    def render_segments(self, console: Console) -> str:  # noqa: ARG002 (Textual's shape)
        """The text."""
        return self.text


class Shown:
    """The cells that the terminal shows; what it shows is not known at first and once `forget` was called."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell | None]] = {}

    def forget(self) -> None:
        """Anything may stand there now."""
        self._rows.clear()

    def text(self, update: ChopsUpdate | LayoutUpdate, system: ColorSystem) -> str:
        """What turns the cells that stand there into those of the update; empty when they are the same."""
        out: list[str] = []
        pen: Pen | None = None
        at: tuple[int, int] | None = None
        for y, x, strip in _pieces(update):
            cells = _cells(strip, system)
            for start, run in self._differing(y, x, cells):
                out.append(_move(at, (y, start)))
                sure = True
                for char, wanted in run:
                    if wanted != pen and not (char == " " and pen and _blank(pen) == wanted):
                        out.append(_change(pen, wanted))
                        pen = wanted
                    out.append(char)
                    sure = sure and len(char) == 1
                # Terminals do not agree on the width of everything: after what is not one cell for certain, say where.
                at = (y, start + len(run)) if sure else None
        return "".join([*out, "\x1b[m"]) if out else ""

    def _differing(self, y: int, x: int, cells: list[Cell]) -> Iterator[tuple[int, list[Cell]]]:
        """Runs of cells to be written, each with its column; they count as written."""
        row = self._rows.setdefault(y, [])
        if len(row) < x + len(cells):
            row.extend([None] * (x + len(cells) - len(row)))
        old = row[x : x + len(cells)]
        if old == cells:
            return
        row[x : x + len(cells)] = cells
        differ = [n for n, (before, after) in enumerate(zip(old, cells, strict=True)) if before != after]
        first = last = differ[0]
        for n in differ[1:]:
            pens = {cells[last][1], _blank(cells[last][1])}
            if n - last > NEAR or any(pen not in pens for _, pen in cells[last + 1 : n]):
                yield x + first, cells[first : last + 1]
                first = n
            last = n
        yield x + first, cells[first : last + 1]


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Row, column and content of everything that the update may have changed."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield y, x, strip
                x += strip.cell_length
        return
    for y, x1, x2 in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x < x2 and end > x1:
                left = max(0, x1 - x)
                yield y, x + left, chop.crop(left, min(end, x2) - x)


def _cells(strip: Strip, system: ColorSystem) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, _ in strip:
        pen = _pen(style, system) if style else NONE
        space = (" ", _blank(pen))
        if text.isascii() and text.isprintable():
            cells += [space if char == " " else (char, pen) for char in text]
            continue
        for char in text:
            size = get_character_cell_size(char)
            if size > 0:
                cells += [(char, pen) if char.isprintable() and char != " " else space, ("", pen)][:size]
            elif cells and char.isprintable():  # what is not would act on the terminal, and was to be cleaned before
                cells[-1] = (cells[-1][0] + char, cells[-1][1])
    return cells


@lru_cache(maxsize=256)
def _pen(style: Style, system: ColorSystem) -> Pen:
    """A style without what cannot be seen, such as the actions of a mouse click."""
    plain = Style(color=style.color, bgcolor=style.bgcolor)
    fore = Strip.render_ansi(Style(color=plain.color), system)
    back = Strip.render_ansi(Style(bgcolor=plain.bgcolor), system)
    both = Strip.render_ansi(style, system)
    colours = ";".join(filter(None, (fore, back)))
    return both.removesuffix(colours).rstrip(";"), fore, back


@lru_cache(maxsize=256)
def _blank(pen: Pen) -> Pen:
    """What of a pen is seen on a space: of a plain one the background alone."""
    return ("", "", pen[2]) if set(pen[0].split(";")) <= _UNSEEN else pen


_UNSEEN = frozenset({"", "1", "2", "3"})
"""Attributes that a space does not show: bold, dim, italic."""


def _move(at: tuple[int, int] | None, to: tuple[int, int]) -> str:
    if at == to:
        return ""
    if at and at[0] == to[0] and at[1] < to[1]:
        return f"\x1b[{to[1] - at[1]}C"
    return f"\x1b[{to[0] + 1};{to[1] + 1}H"


def _change(pen: Pen | None, to: Pen) -> str:
    """From one pen to another, by what differs; attributes can only be taken away all at once."""
    if pen is None or pen[0] != to[0]:
        return f"\x1b[{';'.join(['0', *filter(None, to)])}m"
    codes = [new or none for old, new, none in zip(pen[1:], to[1:], ("39", "49"), strict=True) if old != new]
    return f"\x1b[{';'.join(codes)}m"


class ThinApp(App[ReturnType], Generic[ReturnType]):
    """An app that writes only cells that differ, and no picture at all while the line has not taken the ones before."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = Shown()
        self._owes = False
        self._of_size = Size(0, 0)

    @on(Driver.SignalResume)
    def _back_again(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Write everything again, as something else may have written on the terminal."""
        self._shown.forget()
        self.refresh(layout=True)

    @on(events.Resize)
    def _resized(self, event: events.Resize) -> None:
        """A terminal of another size may have moved what stood there."""
        if event.size != self._of_size:
            self._of_size = event.size
            self._shown.forget()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Textual's last step before the terminal."""
        writes = self._running and not (self._closed or self._batch_count or self.is_headless) and self._driver is not None
        if not writes or not isinstance(renderable, ChopsUpdate | LayoutUpdate):
            super()._display(screen, renderable)
        elif self._backlog() > BACKLOG:
            self._owe()
        elif (text := self._text(renderable)) is None:
            super()._display(screen, renderable)
        elif text:
            super()._display(screen, cast("RenderableType", Written(text)))
            self.displayed()
        else:
            self.post_display_hook()

    def _text(self, update: ChopsUpdate | LayoutUpdate) -> str | None:
        """What differs; None when it cannot be told: no fault here may take the picture, or the keys, away."""
        try:
            return self._shown.text(update, self.console._color_system or ColorSystem.TRUECOLOR)
        except Exception as error:  # whatever it is, Textual's own way of writing is still there
            self.log.error(error)
            self._shown.forget()
            return None

    def displayed(self) -> None:
        """Something was written."""

    def _backlog(self) -> int:
        """How many writes wait for the line."""
        writer = getattr(self._driver, "_writer_thread", None)
        return writer._queue.qsize() if writer else 0

    def _owe(self) -> None:
        """Draw once the line has taken what was written: what changed meanwhile is in that picture."""
        if not self._owes:
            self._owes = True
            self.set_timer(OWED_SECONDS, self._pay)

    def _pay(self) -> None:
        self._owes = False
        self.refresh()
