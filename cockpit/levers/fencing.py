"""The epoch on a target: whoever finds a higher one there has lost the controls, however sure they are of them."""

from __future__ import annotations

from cockpit.errors import NotInControl
from cockpit.levers.base import Fence
from cockpit.text import clean

_DIGITS = 12
"""More than any epoch has."""


def demand_epoch(live: str | None, fence: Fence | None, target: str) -> str | None:
    """The epoch to leave on the target: the fence's, or what is there (`live`) for a write without one.

    NotInControl when the fence says so, or when what is there is higher or cannot be read: then nothing may be written but a
    rollback, which takes it away.
    """
    if fence is None:
        return live
    mine = fence()
    if live is not None and not (live.isascii() and live.isdigit() and len(live) < _DIGITS and int(live) <= mine):
        raise NotInControl(
            f"{target}: written under epoch {clean(live, 40)} of the controls, and this cockpit has epoch {mine}: somebody else "
            "took them; nothing was written"
        )
    return str(mine)
