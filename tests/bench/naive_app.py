"""A dashboard as it is usually written: eight bordered panels, each of them written anew every second."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Grid
from textual.widgets import Static

PANELS, ROWS = 8, 7


class NaiveApp(App[None]):
    """Counts the seconds in every panel."""

    CSS = """
    Grid { grid-size: 2 4; }
    Static { border: solid green; height: 100%; }
    """

    def compose(self) -> ComposeResult:
        with Grid():
            for number in range(PANELS):
                yield Static(id=f"panel-{number}")

    def on_mount(self) -> None:
        self.seconds = 0
        self.tick()
        self.set_interval(1.0, self.tick)

    def tick(self) -> None:
        self.seconds += 1
        for number in range(PANELS):
            rows = [f"signal {number}.{row:02}   {self.seconds + row:5} of 1000   ready   12 / 12" for row in range(ROWS)]
            self.query_one(f"#panel-{number}", Static).update("\n".join(rows))


if __name__ == "__main__":
    NaiveApp().run()
