"""What the dialogs share: a box over the screen that reads its own keys, and acts only on a key that a person means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from screens.messages import FramePublished
from screens.present.header import standing
from screens.present.words import Line, dim, fit, line, plural
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines

if TYPE_CHECKING:
    from screens.app import CockpitApp

_CHROME = 4
_MARGIN = 2
WIDEST = 100
BLOCKS = ("head", "body", "foot")


class Dialog(ModalScreen[None]):
    """Head, a body that scrolls, foot. Enter acts, Esc leaves; keys reach it only through the app's `Hand`."""

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.warning = ""

    @property
    def cockpit(self) -> CockpitApp:
        """The app, by its own type."""
        return cast("CockpitApp", self.app)

    @property
    def whole(self) -> bool:
        """Its blocks are all there: one that is left while it is being put up, or was left, has none."""
        return len(self.query("#box > *")) == len(BLOCKS)

    @property
    def cells(self) -> int:
        """The width of its text."""
        return min(WIDEST, self.cockpit.size.width - _MARGIN * 2) - 6

    def compose(self) -> ComposeResult:
        """A box of three blocks."""
        with Vertical(id="box"):
            yield Lines(id="head")
            yield Browse(id="body")
            yield Lines(id="foot")

    def head(self) -> Sequence[Line]:
        """What would happen."""
        return ()

    def detail(self) -> Sequence[Line]:
        """The writes; may be long."""
        return ()

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        return ()

    def confirm(self) -> None:
        """Enter."""

    def typed(self, character: str) -> None:
        """A printable key."""

    def erased(self) -> None:
        """Backspace."""

    def on_mount(self) -> None:
        """Lay out; keys count from the moment this is painted on."""
        self.draw()
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        if self.is_current:
            self.cockpit.dialog_opened()

    def on_resize(self) -> None:
        """Lay out anew."""
        self.draw()

    def on_frame_published(self, event: FramePublished) -> None:  # noqa: ARG002 (Textual's shape)
        """Draw what has changed."""
        self.draw()

    def draw(self) -> None:
        """Fill the blocks, and give the body the rows that are left."""
        if not self.whole:
            return
        blocks = {"head": list(self.head()), "body": list(self.detail()), "foot": [*self.foot(), (), standing(self.cockpit.view)]}
        room = self.cockpit.size.height - _CHROME - len(blocks["head"]) - len(blocks["foot"]) - 2
        heights = {name: len(rows) for name, rows in blocks.items()}
        heights["body"] = min(heights["body"], max(3, room))
        if hidden := len(blocks["body"]) - heights["body"]:
            blocks["foot"][-2] = line(dim(f"{plural(hidden, 'more row')}: ↑ ↓ PgUp PgDn"))
        for name, rows in blocks.items():
            block: Browse | Lines = self.query_one("#body", Browse) if name == "body" else self.query_one(f"#{name}", Lines)
            if block.styles.height is None or block.styles.height.value != heights[name]:
                block.styles.height = heights[name]
            block.lines = tuple(fit(row, self.cells) for row in rows)
        self.query_one("#body").set_class(not heights["body"], "-empty")

    def on_key(self, event: events.Key) -> None:
        """Every key ends here."""
        event.stop()
        event.prevent_default()
        if not self.is_current:
            return  # left by the key before: what was meant for it then is meant no more
        if event.key == "enter":
            self._enter()
        elif event.key == "escape":
            self.cockpit.leave_dialog()
        elif event.key == "backspace":
            self.erased()
        elif event.key in ("up", "down", "pageup", "pagedown"):
            self.moved(event.key)
        elif event.is_printable and event.character:
            self.typed(event.character)
        self.draw()

    def _enter(self) -> None:
        if self.cockpit.view.armed:
            self.confirm()
        else:
            self.warning = "disarmed: the terminal is too small"

    def moved(self, key: str) -> None:
        """Up, down or a page: the body scrolls."""
        for body in self.query(Browse):
            step = {"up": -1, "down": 1, "pageup": -body.size.height, "pagedown": body.size.height}[key]
            body.scroll_relative(y=step, animate=False)
