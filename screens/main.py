"""The main screen: six panels."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container

from screens.base import CockpitScreen
from screens.present.panels import PANELS
from screens.present.view import View
from screens.widgets.panel import PanelBox


class MainScreen(CockpitScreen):
    """Nodes, traffic, p99, agents, gates and events at a glance."""

    BINDINGS = [Binding("enter", "open_focused", "Open panel", show=False)]  # noqa: RUF012 (Textual's shape)

    def body(self) -> ComposeResult:
        """Two by three, or one below the other."""
        with Container(id="panels"):
            for panel in PANELS:
                yield PanelBox(panel)

    def show(self, view: View) -> None:
        """Draw a view, in boxes when there is room."""
        super().show(view)
        for box in self.bars:
            if isinstance(box, PanelBox):
                box.framed = self.has_class("-wide")

    def on_mount(self) -> None:
        """Paint first; whatever is slow begins after that."""
        super().on_mount()
        self.call_after_refresh(self.cockpit.begin)

    def action_open_focused(self) -> None:
        """Open the panel that Tab has reached."""
        if isinstance(self.focused, PanelBox):
            self.cockpit.action_perform(f"panel-{self.focused.panel.number}")
        else:
            self.cockpit.reply("Tab to a panel and press Enter, or press its number")
