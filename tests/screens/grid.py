"""A terminal of the tests' own: what the app writes, and the cells that a terminal would show by it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.cells import cell_len
from rich.color import ColorSystem
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

_SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")


POINTER = "\x1b]22;"
"""The shape of the mouse's pointer."""


class Recorder(HeadlessDriver):
    """Keeps what is written, as a terminal that may be far away would get it."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.written: list[str] = []

    @property
    def is_headless(self) -> bool:
        """Textual writes nothing to one that is."""
        return False

    def write(self, data: str) -> None:
        """Keep it."""
        self.written.append(data)


class Grid:
    """Understands what a picture is made of: moves, colours and text; anything else is a fault."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._pen = ""
        self._x = self._y = 0

    def feed(self, text: str) -> None:
        """Take what was written."""
        at = 0
        while at < len(text):
            if text[at] == "\x07":
                at += 1
            elif text.startswith(POINTER, at):
                at = text.index("\x07", at) + 1
            elif found := _SEQUENCE.match(text, at):
                self._act(*found.groups())
                at = found.end()
            else:
                assert text[at] >= " ", f"{text[at : at + 20]!r} is no text"
                self._put(text[at])
                at += 1

    def _act(self, private: str, codes: str, what: str) -> None:
        if private:
            assert (codes, what) in (("2026", "h"), ("2026", "l")), (codes, what)
        elif what == "H":
            self._y, self._x = (int(code) - 1 for code in codes.split(";"))
        elif what == "C":
            self._x += int(codes)
        else:
            assert what == "m", (codes, what)
            self._pen = codes

    def _put(self, char: str) -> None:
        size = cell_len(char)
        self.cells[self._y, self._x] = (char, self._pen)
        if size == 2:
            self.cells[self._y, self._x + 1] = ("", self._pen)
        self._x += size

    def rows(self, width: int, height: int) -> list[str]:
        """The text of every row."""
        return ["".join(self.cells.get((y, x), (" ", ""))[0] for x in range(width)) for y in range(height)]


def rows_of(app: App[int]) -> list[str]:
    """What Textual means to be on the screen."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


@asynccontextmanager
async def watched(app: App[int], size: tuple[int, int]) -> AsyncIterator[tuple[Pilot[int], Recorder]]:
    """The app on a terminal of so many colours that pens are as long as they get, with what it writes."""
    app.console._color_system = ColorSystem.TRUECOLOR
    app.driver_class = Recorder
    async with app.run_test(headless=False, size=size) as pilot:
        driver = app._driver
        assert isinstance(driver, Recorder)
        await drawn(pilot)
        yield pilot, driver


async def drawn(pilot: Pilot[int]) -> None:
    """Everything that was asked for has been drawn: the screen's own timer does it, so it is waited for."""
    for _ in range(200):
        await pilot.pause()
        screen = pilot.app.screen
        if not (screen._layout_required or screen._repaint_required or screen._dirty_widgets or screen._scroll_required):
            break
    await pilot.pause()


def taken(driver: Recorder) -> str:
    """What was written since the last time."""
    text = "".join(driver.written)
    driver.written.clear()
    return text
