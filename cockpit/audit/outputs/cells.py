"""Text on a grid of terminal cells: how wide it is, and how it is wrapped. Source of widths: Unicode Standard Annex 11."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_JOINTS = re.compile(r"(?<=[/@,:=])")
"""Where a word that is too long is broken first: image references and paths."""


def width(text: str) -> int:
    """The cells that `text` takes; it holds no control characters."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def wrap(text: str, cells: int) -> list[str]:
    """`text` in rows of at most `cells` (2 or more) each; words that are longer are broken, at a joint where there is one."""
    rows = [""]
    for word in text.split():
        for number, piece in enumerate(_pieces(word, cells)):
            joined = f"{rows[-1]} {piece}" if rows[-1] and number == 0 else rows[-1] + piece
            if width(joined) <= cells:
                rows[-1] = joined
            else:
                rows.append(piece)
    return rows


def pad(text: str, cells: int) -> str:
    """`text` filled up with spaces to `cells`."""
    return text + " " * (cells - width(text))


def _pieces(word: str, cells: int) -> Iterator[str]:
    if width(word) <= cells:
        yield word
        return
    for part in filter(None, _JOINTS.split(word)):
        yield from _cut(part, cells)


def _cut(part: str, cells: int) -> Iterator[str]:
    piece, used = "", 0
    for character in part:
        size = _cell(character)
        if used + size > cells:
            yield piece
            piece, used = "", 0
        piece, used = piece + character, used + size
    yield piece


def _cell(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
