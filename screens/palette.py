"""The command palette: every action by name, found by typing a part of it.

Textual's own is not used: it brings the app down when R takes its place, or when Enter comes twice, while it still searches.
"""

from __future__ import annotations

from collections.abc import Sequence

from screens.dialog import Dialog
from screens.present.keys import palette_foot, palette_head, palette_rows, searched
from screens.present.words import Line


class PaletteDialog(Dialog):
    """Letters narrow the list down, up and down choose, Enter does it; the action itself says when it cannot act."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.at = 0

    def head(self) -> Sequence[Line]:
        """What was typed."""
        return palette_head(self.text)

    def detail(self) -> Sequence[Line]:
        """What it finds."""
        return palette_rows(self.cockpit.view, self.text, self.at)

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        return palette_foot(self.text, self.warning)

    def typed(self, character: str) -> None:
        """One more character."""
        self.text, self.at, self.warning = (self.text + character)[:32], 0, ""

    def erased(self) -> None:
        """One character less."""
        self.text, self.at, self.warning = self.text[:-1], 0, ""

    def moved(self, key: str) -> None:
        """Up and down choose."""
        if key in ("up", "down"):
            self.at = max(0, min(len(searched(self.text)) - 1, self.at + (-1 if key == "up" else 1)))
        super().moved(key)

    def _enter(self) -> None:
        # Looking needs no large terminal, and what moves the run is judged by its own action.
        self.confirm()

    def confirm(self) -> None:
        """Do the chosen one."""
        found = searched(self.text)
        if not found:
            self.warning = "there is no such command"
            return
        self.cockpit.leave_dialog()
        self.cockpit.action_perform(found[self.at].id)
