"""A panel of the main screen."""

from __future__ import annotations

from textual.reactive import reactive

from screens.present.panels import Panel, boxed, ruled
from screens.present.view import View
from screens.present.words import Line, Tone, line
from screens.widgets.bars import Bar


class PanelBox(Bar, can_focus=True):
    """One panel, in a box or, on low terminals, under a rule."""

    framed: reactive[bool] = reactive(True, layout=False, repaint=False)

    def __init__(self, panel: Panel) -> None:
        super().__init__(id=f"panel-{panel.number}")
        self.panel = panel

    def rows(self, view: View, cells: int) -> list[Line]:
        """As many rows as the panel is high."""
        draw = boxed if self.framed else ruled
        try:
            return draw(self.panel, view, cells, self.size.height, self.has_focus)
        except Exception as error:  # a panel that cannot be drawn must not take the rollback key with it
            self.log.error(error)
            return [line((f" ✗ {self.panel.title} cannot be drawn: {type(error).__name__}", Tone.ALARM))]

    def watch_framed(self) -> None:
        """The form changed."""
        self.redraw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show where Enter would act. By the state itself: Textual sets it after a handler of the event here has run."""
        super().watch_has_focus(_has_focus)
        self.redraw()
