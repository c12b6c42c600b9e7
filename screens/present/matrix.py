"""The matrix as rows: what was found first, the chosen finding with everything that is known, the rest quietly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cockpit.model.finding import Finding
from cockpit.model.verdict import Outcome
from cockpit.rules.matrix import Matrix, Row, State
from cockpit.rules.matrix.commands import within
from cockpit.rules.matrix.home import mending
from cockpit.run.frame import Frame
from screens.present.words import UNKNOWN, Line, Tone, ago, clip, dim, line, plural, strong, wrap

INDENT = 7
ELSEWHERE = "cockpit diagnose prints it whole"
"""Of the commands that no key copies."""
NAMED = 2
"""Objects that are named in a row; the others are counted."""


def headline(matrix: Matrix) -> str:
    """`2 findings`, `nothing found`, with `3 detectors blind` where some are: blind is never clear."""
    count = len(matrix.findings)
    found = plural(count, "finding") if count else "nothing found"
    return f"{found}, {plural(len(matrix.blind), 'detector')} blind" if matrix.blind else found


def title(frame: Frame) -> str:
    """The headline, after a way back that is not ready: nobody should read "nothing found" then."""
    found = headline(frame.matrix)
    if frame.readiness.verdict.outcome is not Outcome.FAIL:
        return found
    return f"the way back is NOT ready, {found}" if frame.matrix.findings else "the way back is NOT ready"


def objects(of: Finding, named: int = NAMED) -> str:
    """`Pod/a, Pod/b and 3 more`."""
    more = len(of.objects) - named
    return ", ".join(of.objects[:named]) + (f" and {more} more" if more > 0 else "")


def command(frame: Frame, of: Finding) -> str:
    """The command that confirms a finding, in this cockpit's context."""
    return within(of.confirm, frame.identity.context)


def overview(frame: Frame, chosen: int, cells: int) -> list[Line]:
    """Every finding; the chosen one with cause, command and move, so that nobody must scroll for them."""
    matrix = frame.matrix
    if not matrix.rows:
        return [line(dim(UNKNOWN))]
    rows: list[Line] = []
    for number, found in enumerate(matrix.findings):
        rows.append(_title(found, cells, frame.snapshot.time, chosen=number == chosen))
        rows += [*_body(frame, found, cells), line()] if number == chosen else []
    rows += _way_back(frame, cells)
    if not rows:
        rows += [line(strong("nothing found") if not matrix.blind else dim("nothing found among what can be seen")), line()]
    return [*rows, *_others(matrix, cells)]


def _way_back(frame: Frame, cells: int) -> list[Line]:
    """Not a symptom, but nobody should read "nothing found" while there is no way back."""
    verdict, context = frame.readiness.verdict, frame.identity.context
    if verdict.outcome is not Outcome.FAIL:
        return []
    way = mending(frame.snapshot, frame.playbook)
    return [
        line((" ! ", Tone.CAUTION), strong("The way back is NOT ready")),
        *_field("seen", verdict.reason, cells),
        *_field("cause", way.cause, cells),
        *_command(within(way.confirm, context), cells),
        *_field("fix", way.fix, cells),
        *(row for text in way.mend for row in _command(within(text, context), cells, ELSEWHERE, label="fix by")),
        line(),
    ]


def whole(frame: Frame, chosen: int, cells: int) -> list[Line]:
    """One finding with all its objects."""
    found = frame.matrix.findings[chosen]
    names = [line(dim(" " * INDENT), name) for name in found.objects]
    head = _title(found, cells, frame.snapshot.time, chosen=True)
    return [head, line(), *_body(frame, found, cells, whole=True), line(), line(dim("objects")), *names]


def _title(of: Finding, cells: int, now: datetime, *, chosen: bool) -> Line:
    since = f", {ago(max(0.0, (now - of.since).total_seconds()))}" if of.since else ""
    glyph = (f"{'▸' if chosen else ' '}✗ ", Tone.ALARM)
    room = cells - 5 - len(of.title)
    facts = f"  {of.certainty}, {objects(of, 1)}{since}"
    name = clip(of.title, cells - 5)
    return line(glyph, strong(name) if chosen else name, dim(clip(facts, max(0, room))))


def _body(frame: Frame, of: Finding, cells: int, *, whole: bool = False) -> list[Line]:
    """Seen, cause, command, fix and way back; then the commands that mend it or begin the way back, which c does not copy."""
    mend, first = (within(text, frame.identity.context) for text in (of.mend, of.first))
    return [
        *_field("seen", of.message, cells, 0 if whole else 2),
        *_field("cause", of.cause, cells),
        *_command(command(frame, of), cells, key="press c to copy it"),
        *_field("fix", of.fix, cells),
        *_field("safe", of.rollback, cells),
        *(_command(mend, cells, ELSEWHERE, label="fix by") if mend else []),
        *(_command(first, cells, ELSEWHERE, label="1st by") if first else []),
    ]


def _field(label: str, text: str, cells: int, most: int = 0) -> list[Line]:
    room = max(20, cells - INDENT)
    rows = wrap(text, room)
    if most and len(rows) > most:
        rows = [*rows[: most - 1], clip(" ".join(rows[most - 1 :]), room)]
    return [line(dim(f"{label if n == 0 else '':<{INDENT}}"), row) for n, row in enumerate(rows)]


def _command(text: str, cells: int, key: str = "", label: str = "run") -> list[Line]:
    """The command, continued with backslashes where it does not fit, so that what is copied still runs.

    One with a word that had to be broken would not: that is said there, with the `key` that copies it, if there is one.
    """
    rows = continued(text, max(20, cells - INDENT))
    shown = [line(dim(f"{label if n == 0 else '':<{INDENT}}"), strong(row)) for n, row in enumerate(rows)]
    if all(row.endswith(" \\") for row in rows[:-1]):
        return shown
    return [*shown, line(dim(" " * INDENT), ("; ".join(filter(None, ["one word is broken here", key])), Tone.CAUTION))]


def continued(text: str, cells: int) -> list[str]:
    r"""A shell command in rows of at most `cells` cells, each but the last ended by ` \`.

    Only a word that alone is too long is broken, as a terminal would break it, without a backslash.
    """
    rows, room = [""], cells - 2
    for word in _words(text):
        if rows[-1] and len(rows[-1]) + 1 + len(word) > room:
            rows[-1] += " \\"
            rows.append("")
        rows[-1] += f" {word}" if rows[-1] else word
        while len(rows[-1]) > room:
            rows[-1:] = [rows[-1][:room], rows[-1][room:]]
    return rows


def _words(text: str) -> list[str]:
    """The words of a command as they are written, quotes included."""
    words, quote = [""], ""
    for char in text:
        if char == " " and not quote:
            words.append("")
            continue
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        words[-1] += char
    return [word for word in words if word]


def _others(matrix: Matrix, cells: int) -> list[Line]:
    """What was looked for and not found, and what could not be looked for."""
    rows = [_blind(row, cells) for row in matrix.blind]
    for state, words in ((State.CLEAR, "not found"), (State.ABSENT, "nothing to look at")):
        names = ", ".join(_short(row) for row in matrix.rows if row.state is state)
        rows += [line(dim(text)) for text in wrap(f"{words}: {names}", cells)] if names else []
    return rows


def _blind(row: Row, cells: int) -> Line:
    return line(("! ", Tone.CAUTION), f"{row.title}: ", dim(clip(f"cannot be seen, {row.why}", cells - len(row.title) - 4)))


def _short(row: Row) -> str:
    return row.title if row.title[1].isupper() else row.title[0].lower() + row.title[1:]


def keys(count: int, opened: bool) -> Sequence[str]:
    """What the keys do on this screen, as pairs of key and words."""
    if opened:
        return ("Esc", "all findings", "c", "copy the command")
    return ("↑ ↓", "choose", "Enter", "whole", "c", "copy the command", "Esc", "back") if count else ("Esc", "back")
