"""Random hands: keys, pastes and mouse events as people, cats and scripts make them, from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from textual import events

SINGLE = (
    "p", "R", "t", "space", "enter", "escape", "tab", "shift+tab", "up", "down", "pageup", "pagedown", "home", "end", "backspace",
    "delete", "d", "m", "l", "question_mark", "q", "ctrl+p", "ctrl+q", "ctrl+c", "ctrl+z", "ctrl+v", "f1", "f12", "percent_sign",
    *"0123456789", *"abcxyzRPT", "ctrl+space", "ctrl+r", "alt+r", "ctrl+shift+p", "left", "right", "insert", "minus", "slash",
)  # fmt: skip
CHARACTERS = {"space": " ", "enter": "\r", "tab": "\t", "percent_sign": "%", "minus": "-", "slash": "/", "question_mark": "?"}
ODD = "é漢\u202e\x1b\x07\u0000🙂[@click=app.quit]"
SCRIPTS: tuple[Sequence[str], ...] = (
    ("R", "enter"), ("p", "5", "percent_sign", "enter"), ("p", "2", "5", "enter"), ("p", *"complete", "enter"),
    ("p", *"require", "minus", *"arm64", "enter"), ("t", "enter"), ("t", "down", "enter"), ("t", *"root", "enter"),
    ("space",), ("q", "escape"), ("ctrl+p", *"roll", "enter", "enter"), ("ctrl+p", *"promote", "enter"),
    ("ctrl+p", *"controls", "enter", "enter"), ("d", "R", "enter"), ("l", "R", "enter"), ("6", "escape"), ("q", "enter"),
)  # fmt: skip
PASTES = ("R\r", "\r\n", "5%\r", "p5%\r", "root\r", "x" * 5000, "\x1b[200~R\r\x1b[201~", "\u202eR\r", "t\r", "[bold]R[/]\r")
MOUSE = (events.MouseDown, events.MouseUp, events.MouseMove, events.MouseScrollDown, events.MouseScrollUp)


class Hands:
    """Events without end. `now` is the clock that they arrive by: mostly a person's, at times a burst."""

    def __init__(self, seed: int, size: tuple[int, int], without: frozenset[str] = frozenset()) -> None:
        self.made: Counter[str] = Counter()
        self._random = Random(seed)
        self._size = size
        self._single = [key for key in SINGLE if key not in without]
        self._scripts = [script for script in SCRIPTS if not without & set(script)]
        self._at = 100.0
        self._gap = 1.0

    def now(self) -> float:
        """The moment at which an event arrives."""
        self._at += self._gap
        return self._at

    def rest(self) -> None:
        """From here on every key is a person's."""
        self._gap = 5.0

    def endless(self) -> Iterator[events.Event]:
        """One after the other."""
        while True:
            # Whole scripts are typed by a person, or nothing of what they ask for would ever be reached.
            self._gap = self._random.choices((1.0, 0.05, 0.001), (8, 1, 1))[0]
            kind = self._random.choices(("script", "key", "odd", "paste", "mouse"), (4, 6, 1, 1, 2))[0]
            for event in getattr(self, f"_{kind}")():
                self.made[type(event).__name__] += 1
                yield event

    def _script(self) -> Iterator[events.Event]:
        yield from (key(name) for name in self._random.choice(self._scripts))

    def _key(self) -> Iterator[events.Event]:
        yield key(self._random.choice(self._single))

    def _odd(self) -> Iterator[events.Event]:
        character = self._random.choice(ODD)
        yield events.Key(character, character)

    def _paste(self) -> Iterator[events.Event]:
        yield events.Paste(self._random.choice(PASTES))

    def _mouse(self) -> Iterator[events.Event]:
        x, y = self._random.randrange(self._size[0]), self._random.randrange(self._size[1])
        button, held = self._random.choice((0, 1, 2, 3)), self._random.random() < 0.1
        yield self._random.choice(MOUSE)(None, x, y, 0, 0, button, held, held, held, x, y)


def key(name: str) -> events.Key:
    """A key as a terminal's driver makes it."""
    return events.Key(name, CHARACTERS.get(name, name if len(name) == 1 else None))
