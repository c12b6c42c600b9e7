"""What has happened, in the past tense: the only way in which the app speaks to its screens."""

from __future__ import annotations

from textual.message import Message

from screens.present.view import View


class FramePublished(Message, bubble=False):
    """There is a new picture to draw."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view


class LaunchProgressed(Message, bubble=False):
    """Starting has come so far."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
