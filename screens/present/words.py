"""Lines of toned text, and how they are padded, joined and cut. Text from outside is only ever data here: there is no markup.

Dark-cockpit rule (ISA-101): what is normal is PLAIN or DIM; a colour asks for attention. Colour never says anything alone: a
glyph and a word stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

UNKNOWN = "…"
"""Stands for a figure that is not known. Never 0."""


_IMAGE = re.compile(r"(?:[^\s/]+/)+([^\s/@]+)@sha256:([0-9a-f]{7})[0-9a-f]+")


class Tone(StrEnum):
    """What a piece of text is, from which the theme makes its colour."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    RULE = "rule"
    ADVISORY = "advisory"
    """Something is under way or may be done now."""
    CAUTION = "caution"
    ALARM = "alarm"
    CAUTION_BANNER = "caution-banner"
    ALARM_BANNER = "alarm-banner"


Part: TypeAlias = tuple[str, Tone]
Line: TypeAlias = tuple[Part, ...]
BLANK: Line = ()


def line(*parts: str | Part) -> Line:
    """A line of parts; bare text is PLAIN, empty parts are left out, neighbours of one tone become one."""
    found: list[Part] = []
    for part in parts:
        text, tone = part if isinstance(part, tuple) else (part, Tone.PLAIN)
        if found and found[-1][1] is tone:
            found[-1] = (found[-1][0] + text, tone)
        elif text:
            found.append((text, tone))
    return tuple(found)


def dim(text: str) -> Part:
    """Text of labels and of what is of no concern now."""
    return text, Tone.DIM


def strong(text: str) -> Part:
    """Text that the eye should find first."""
    return text, Tone.STRONG


def plain(of: Line) -> str:
    """A line's text without tones."""
    return "".join(text for text, _ in of)


def width(of: Line) -> int:
    """A line's width in terminal cells."""
    return sum(cell_len(text) for text, _ in of)


def pad(of: Line, cells: int) -> Line:
    """The line with spaces after it, `cells` wide; a longer one stays as it is."""
    return line(*of, " " * max(0, cells - width(of)))


def join(items: Iterable[Line], gap: str | Part) -> Line:
    """The items side by side with `gap` between them."""
    parts: list[str | Part] = []
    for item in items:
        parts += [gap, *item] if parts else item
    return line(*parts)


def clip(text: str, cells: int) -> str:
    """`text` in at most `cells` cells: cut after a word where one ends in its second half, with `…`."""
    if cell_len(text) <= cells:
        return text
    if cells < 2:
        return UNKNOWN[:cells]
    cut = set_cell_size(text, cells - 1).rstrip()
    space = cut.rfind(" ")
    if space >= cells // 2 and not text[len(cut) : len(cut) + 1].isspace():
        return cut[:space].rstrip(" ,;:") + " …"
    return cut + "…"


def tail(text: str, cells: int) -> str:
    """`text` in at most `cells` cells, keeping its end: what tells long names of clusters and ARNs apart."""
    if cell_len(text) <= cells:
        return text
    text = text[-4 * cells :]  # taking one off at a time costs the square of a length that others choose
    while text and cell_len(text) > cells - 1:
        text = text[1:]
    return f"…{text}"[:cells]


def fit(of: Line, cells: int) -> Line:
    """The line in at most `cells` cells."""
    if width(of) <= cells:
        return of
    parts: list[Part] = []
    room = cells
    for text, tone in of:
        size = cell_len(text)
        if size > room or (size == room and len(parts) + 1 < len(of)):
            parts.append((clip(text + " " * (room + 1 - size) if size <= room else text, room), tone))
            break
        parts.append((text, tone))
        room -= size
    return line(*parts)


def flow(items: Sequence[Line], cells: int, gap: str = "   ") -> list[Line]:
    """The items side by side, as many to a row as fit; no item is broken unless it alone is too wide."""
    rows: list[list[Line]] = [[]]
    for item in items:
        if rows[-1] and width(join([*rows[-1], item], gap)) > cells:
            rows.append([])
        rows[-1].append(item)
    return [fit(join(row, gap), cells) for row in rows if row]


def wrap(text: str, cells: int) -> list[str]:
    """`text` broken between words into rows of at most `cells`; a word that is longer is cut."""
    rows = [""]
    for word in text.split():
        if rows[-1] and cell_len(rows[-1]) + 1 + cell_len(word) > cells:
            rows.append("")
        rows[-1] += (" " if rows[-1] else "") + clip(word, cells)
    return rows


def shorten(rows: Sequence[Line], height: int, more: str) -> list[Line]:
    """The rows in at most `height`; when some are left out the last row says how many and `more` where they are."""
    if len(rows) <= height:
        return list(rows)
    left_out = len(rows) - height + 1
    return [*rows[: max(0, height - 1)], line(dim(f"… {left_out} more: {more}"))][:height]


def ago(seconds: float) -> str:
    """An age: `75 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 0 to 1 as percent without idle zeros: `25%`, `12.5%`."""
    if share is None:
        return UNKNOWN
    text = f"{share * 100:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def hang(head: Line, text: str, cells: int, tone: Tone) -> list[Line]:
    """`text` beside `head`, its further rows under its first."""
    indent = width(head)
    first, *rest = wrap(text, max(8, cells - indent))
    return [line(*head, (first, tone)), *(line(" " * indent, (more, tone)) for more in rest)]


def field(label: str, text: str, cells: int, tone: Tone = Tone.PLAIN) -> list[Line]:
    """A labelled sentence of a dialog: the label in a column of its own, the text beside it."""
    return hang(line(dim(label.ljust(11))), text, cells, tone)


def host(name: str) -> str:
    """A node's name without its domain, which is the same for all."""
    return name.partition(".")[0]


def images(text: str) -> str:
    """`text` with its images by name and the head of their digests, which is what there is room for in one row."""
    return _IMAGE.sub(r"\1@\2…", text)


def plural(count: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
