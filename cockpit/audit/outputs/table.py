"""The matrix as a table for terminals: it fits 80 cells, and takes more columns where there is room for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cockpit.audit.outputs import words
from cockpit.audit.outputs.cells import pad, width, wrap
from cockpit.audit.outputs.report import Report
from cockpit.model.audit import Mark, Row
from cockpit.rules.portability.gate import Colour

NARROWEST = 40
GAP = 2
MARK = 2 + max(map(len, Mark))
"""Cells of a glyph and its word."""
OWNER = 20
"""The most that owners get."""
COMPONENT = 64
"""The most that components get beside a status and an action."""
SENTENCE = 28
"""The least for a status or an action to have a column of its own."""


class Tone(StrEnum):
    """What a piece of text is, for whoever gives it colour."""

    PLAIN = "plain"
    STRONG = "strong"
    QUIET = "quiet"
    FIX = "fix"
    GATE = "gate"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASS = "pass"  # noqa: S105 (a verdict)


Line = tuple[tuple[str, Tone], ...]
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])")
TONES = {mark: Tone(mark.lower()) for mark in Mark}
_COLOURS = {Colour.RED: Mark.FIX, Colour.WAIVED: Mark.WAIVED, Colour.GREEN: Mark.PASS}


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column. Without a `sentence` column, status and action stand below their component."""

    component: int
    sentence: int
    owner: int
    whole: int


def table(report: Report, cells: int) -> Iterator[Line]:
    """The rows of the report, none wider than `cells` (at least NARROWEST are taken)."""
    cells = max(NARROWEST, cells)
    yield from _head(report, cells)
    columns = _columns(report.rows, cells)
    if report.rows:
        yield ()
        yield _titles(columns)
    for row in report.rows:
        yield from _row(row, report, columns)
    if report.audit.faults:
        yield ()
        yield (("NOT LOOKED AT", Tone.STRONG),)
        for fault in report.audit.faults:
            yield from _hang(fault, 0, cells, Tone.FIX, f"{words.GLYPHS[Mark.UNKNOWN]} ")
    if report.audit.notes:
        yield ()
    for note in report.audit.notes:
        yield from _hang(note, 0, cells, Tone.QUIET, "note: ")


def _head(report: Report, cells: int) -> Iterator[Line]:
    what = " ".join(filter(None, [report.playbook or ", ".join(report.files), f"on {report.cluster}" if report.cluster else ""]))
    yield from _hang(f"portability to {report.arch}{f', {what}' if what else ''}, {report.stamp}", 0, cells, Tone.STRONG)
    mark = _COLOURS[report.colour]
    yield from _hang(f"{report.colour.upper()}: {report.why}", 0, cells, TONES[mark], f"{words.GLYPHS[mark]} ")


def _columns(rows: tuple[Row, ...], cells: int) -> Columns:
    owner = min(OWNER, max((width(row.owner) for row in rows), default=0))
    owner = max(owner, len("OWNER")) if owner else 0
    room = cells - MARK - GAP - (owner + GAP if owner else 0)
    component = min(COMPONENT, max((width(_name(row)) for row in rows), default=0))
    component = max(component, len("COMPONENT"))
    sentence = (room - component - 2 * GAP) // 2
    if sentence >= SENTENCE:
        return Columns(component, sentence, owner, cells)
    return Columns(room, 0, owner, cells)


def _titles(columns: Columns) -> Line:
    between = " " * GAP
    titles = [pad("MARK", MARK), pad("COMPONENT", columns.component)]
    titles += [pad(name, columns.sentence) for name in ("STATUS", "ACTION") if columns.sentence]
    titles += ["OWNER"] if columns.owner else []
    return ((between.join(titles).rstrip(), Tone.STRONG),)


def _row(row: Row, report: Report, columns: Columns) -> Iterator[Line]:
    tone = TONES[row.mark]
    quiet = Tone.QUIET if row.mark is Mark.PASS else Tone.PLAIN
    texts = [(f"{words.GLYPHS[row.mark]} {row.mark}", MARK, tone), (_name(row), columns.component, quiet)]
    if columns.sentence:
        texts += [(row.status, columns.sentence, quiet), (row.action, columns.sentence, quiet)]
    texts += [(row.owner, columns.owner, quiet)] if columns.owner else []
    yield from _side_by_side(texts)
    indent = MARK + GAP
    if not columns.sentence:
        yield from _hang(row.status, indent, columns.whole, quiet)
        yield from _hang(row.action, indent, columns.whole, quiet, "→ ")
    if row.mark is not Mark.PASS:
        yield from _hang(words.users(row), indent, columns.whole, Tone.QUIET, "used by ")
    yield from _hang("; ".join(row.notes), indent, columns.whole, Tone.QUIET, "note: ")
    if row.mark is Mark.WAIVED:  # of an expired waiver the status tells
        yield from _hang(words.excepted(row, report.audit.day), indent, columns.whole, Tone.WAIVED)


def _name(row: Row) -> str:
    """The component with twelve characters of a digest, which tell one from another; whole it takes rows of its own."""
    return _DIGEST.sub(r"\1…", row.component)


def _side_by_side(texts: list[tuple[str, int, Tone]]) -> Iterator[Line]:
    cells = [wrap(text, size) for text, size, _ in texts]
    for number in range(max(map(len, cells))):
        line: list[tuple[str, Tone]] = []
        for rows, (_, size, tone) in zip(cells, texts, strict=True):
            text = rows[number] if number < len(rows) else ""
            line.append((pad(text, size + GAP), tone if text else Tone.PLAIN))
        yield _trimmed(line)


def _trimmed(line: list[tuple[str, Tone]]) -> Line:
    while line and not line[-1][0].strip():
        line.pop()
    return (*line[:-1], (line[-1][0].rstrip(), line[-1][1])) if line else ()


def _hang(text: str, indent: int, cells: int, tone: Tone, lead: str = "") -> Iterator[Line]:
    """`lead` and `text` from `indent` on; further rows below the text. No row for no text."""
    if text.strip():
        for number, row in enumerate(wrap(text, cells - indent - len(lead))):
            yield ((" " * indent + (lead if number == 0 else " " * len(lead)) + row, tone),)
