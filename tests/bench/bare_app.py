"""The least that Textual can show: what the cockpit's first frame is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        yield Static("a bare screen")


if __name__ == "__main__":
    BareApp().run()
