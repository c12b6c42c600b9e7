"""What the screens are given to draw: the newest frame, and what the app itself has to say beside it."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.run.frame import Frame

LEAST = (80, 24)
"""The smallest terminal, columns and rows, on which target, phase, verdicts and keys can all be read."""
FROZEN_AFTER = 5.0
"""Seconds of wall time without a new frame from which on the whole picture is called frozen."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`frame` is None while starting (`starting` says how far), `reply` answers the last key, `size` is the terminal's.

    `frozen` is how many seconds ago the last frame came, 0 when that was just now.
    """

    title: str = ""
    frame: Frame | None = None
    starting: str = ""
    reply: str = ""
    size: tuple[int, int] = LEAST
    frozen: float = 0.0
    slow: bool = False
    """The line to the terminal is slow: what changes all the time for little use is left out."""

    @property
    def armed(self) -> bool:
        """Large enough to show target, action and state: keys that change the world may act."""
        return self.size[0] >= LEAST[0] and self.size[1] >= LEAST[1]

    @property
    def is_frozen(self) -> bool:
        """No new frame came for so long that nothing shown may be taken for now."""
        return self.frame is not None and self.frozen > FROZEN_AFTER
