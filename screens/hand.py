"""Is it a person who presses this key, meaning it? Held keys, pastes that come as keys and keys meant for what was there before
a dialog opened are not.
"""

from __future__ import annotations

OPENING = 0.3
"""Seconds after a dialog's opening in which nothing acts."""
REPEAT = 0.06
"""A key that comes again within this many seconds is held down: auto-repeat runs at 15 to 50 a second."""
BURST = 0.02
"""Nobody presses two keys within this many seconds; a paste without brackets does."""
RELEASE = 0.7
"""Auto-repeat starts 0.25 to 0.66 s after the press: a key that was not taken may be a held one for this long."""
PAINT = 2.0
"""The longest that keys wait for a dialog to be painted; then they act all the same, so that nothing can lock the keys."""
MOVES = frozenset({"up", "down", "left", "right", "pageup", "pagedown", "home", "end", "backspace", "tab", "shift+tab"})
"""Keys that may be held down: they only move."""


class Hand:
    """Judges keys by their arrival, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._key = ""
        self._at = float("-inf")
        self._blocked_until = float("-inf")
        self._shut: dict[str, float] = {}

    def dialog_opening(self) -> None:
        """A dialog was asked for: nothing acts until it is on the screen."""
        self._blocked_until = self._at + PAINT
        self._shut[self._key] = self._at + RELEASE

    def dialog_opened(self, at: float) -> None:
        """The dialog was painted at this moment."""
        self._blocked_until = at + OPENING

    def dialog_closed(self) -> None:
        """No dialog is left."""
        self._blocked_until = float("-inf")

    def takes(self, key: str, at: float) -> bool:
        """Whether the key that arrived at `at` is to be acted on."""
        gap, same = at - self._at, key == self._key
        self._key, self._at = key, at
        if key in MOVES:
            return True
        if at < self._blocked_until:
            self._shut[key] = at + RELEASE
            return False
        if at < self._shut.get(key, float("-inf")):
            if same and gap < REPEAT:
                self._shut[key] = max(self._shut[key], at + OPENING)
            return False
        self._shut.pop(key, None)
        if same and gap < REPEAT:
            # Held, and over a slow line its repeats come in clumps: it must be let go of for a while.
            self._shut[key] = at + OPENING
            return False
        return gap >= BURST
