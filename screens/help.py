"""The help screen, made from the registry of actions."""

from __future__ import annotations

from collections.abc import Sequence

from screens.listing import Listing
from screens.present.keys import help_rows
from screens.present.view import View
from screens.present.words import Line


class HelpScreen(Listing):
    """Every key, what it does, and why it cannot act now."""

    def heading(self) -> str:
        """The title's words."""
        return "Help"

    def rows(self, view: View, cells: int) -> Sequence[Line]:
        """One action after the other."""
        return help_rows(view, cells)
