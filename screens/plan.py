"""The plan screen: the exact writes of the next phase and of the rollback."""

from __future__ import annotations

from collections.abc import Sequence

from screens.listing import Listing
from screens.present.plan import plan_screen
from screens.present.view import View
from screens.present.words import UNKNOWN, Line, dim, line


class PlanScreen(Listing):
    """Diffs of what would be written; opening it writes nothing."""

    def heading(self) -> str:
        """The title's words."""
        return "Plan"

    def rows(self, view: View, cells: int) -> Sequence[Line]:
        """The next phase's writes, then the rollback's."""
        return plan_screen(view.frame, cells) if view.frame else [line(dim(UNKNOWN))]
