"""What every screen of the cockpit has: header, rail, notice and key bar around its body, and a stand-in when too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.screen import Screen

from screens.messages import FramePublished
from screens.present.view import View
from screens.widgets.bars import Bar, Header, KeyBar, Notice, Rail, TooSmall

if TYPE_CHECKING:
    from screens.app import CockpitApp

WIDE = (100, 28)
"""Columns and rows from which on the panels stand in boxes, two by three."""


class CockpitScreen(Screen[None]):
    """A screen that is fed views."""

    AUTO_FOCUS = ""

    @property
    def cockpit(self) -> CockpitApp:
        """The app, by its own type."""
        return cast("CockpitApp", self.app)

    def compose(self) -> ComposeResult:
        """Bars around the body."""
        yield Header()
        yield Rail()
        yield from self.body()
        yield Notice()
        yield KeyBar()
        yield TooSmall()

    def body(self) -> ComposeResult:
        """What this screen is for."""
        yield from ()

    def __init__(self) -> None:
        super().__init__()
        self.bars: tuple[Bar, ...] = ()

    def show(self, view: View) -> None:
        """Draw a view."""
        self.set_class(not view.armed, "-small")
        self.set_class(view.size[0] >= WIDE[0] and view.size[1] >= WIDE[1], "-wide")
        for bar in self.bars:
            bar.view = view

    def on_mount(self) -> None:
        """Draw what is there already."""
        self.bars = tuple(self.query(Bar))
        self.show(self.cockpit.view)

    def on_screen_resume(self) -> None:
        """Catch up with what was published while another screen was up."""
        self.show(self.cockpit.view)

    def on_frame_published(self, event: FramePublished) -> None:
        """Draw the new picture."""
        self.show(event.view)
