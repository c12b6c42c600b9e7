"""The portability matrix as rows: what stands in the way first, the chosen component with everything that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from cockpit.model.audit import Audit, Mark, Progress, Row
from cockpit.model.auditing import Auditing
from cockpit.model.playbook import Portability, Waiver
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome
from cockpit.rules.portability.gate import gate, red
from cockpit.run.frame import Frame
from screens.present.rows import Entry, Rows
from screens.present.spark import bar
from screens.present.words import Line, Part, Tone, ago, clip, dim, field, hang, line, pad, plural, strong, tail, width

WORD = 10
"""Cells of a mark with its glyph."""
WIDE = 100
"""Cells from which on the owner has a column of its own."""
OWNER = 22
BAR = 16
LEAD = 3
"""Rows that stay above the chosen component."""
ROOMY = 9
"""Rows that what is known of a component takes, as a rule."""
LABEL = 11
"""Cells of the column of labels."""
NAMED = 3
"""Objects that are named under the chosen component; the others are counted."""
_MARKS = {
    Mark.FIX: ("✗", Tone.ALARM),
    Mark.UNKNOWN: ("?", Tone.CAUTION),
    Mark.GATE: ("!", Tone.CAUTION),
    Mark.WAIVED: ("◇", Tone.ADVISORY),
    Mark.PASS: ("✓", Tone.DIM),
}
_EXPIRED = ("✗ EXPIRED", Tone.ALARM)
_WANTED = {
    "green": "the first phase waits until all pass",
    "waived_ok": "the first phase waits until all pass or are waived",
    "off": "the first phase does not wait for it (portability.require: off)",
}
YEAR = 366
"""Days beyond which nobody counts them."""
ALL, RED, WAIVED = "all", "red", "waived"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the screen draws: the audit as it stands at `now`, and what the playbook asks of it."""

    auditing: Auditing
    asked: Portability
    now: datetime

    @property
    def today(self) -> date:
        """The day that waivers are held against."""
        return self.now.date()

    def shown(self, chosen: str = ALL) -> tuple[Row, ...]:
        """The rows that a filter lets through, worst first; a waiver that has run out since the audit counts as red."""
        audit = self.auditing.audit
        if audit is None:
            return ()
        if chosen == RED:
            return red(audit, self.today)
        if chosen == WAIVED:
            return tuple(row for row in audit.rows if row.mark is Mark.WAIVED)
        return tuple(row for row in audit.rows if chosen in (ALL, row.layer))

    def filters(self) -> tuple[str, ...]:
        """What can be chosen to look at: everything, then only what there is."""
        audit = self.auditing.audit
        rows = audit.rows if audit else ()
        marks = [RED] if self.shown(RED) else []
        marks += [WAIVED] if self.shown(WAIVED) else []
        return (ALL, *marks, *dict.fromkeys(row.layer for row in rows))


def title(of: Picture) -> str:
    """`1 FIX, 1 WAIVED, 12 PASS`, or why there is nothing to count."""
    audit = of.auditing.audit
    if audit is None:
        return "nothing audited yet"
    counts = [(sum(_mark(of, row) == word for row in audit.rows), word) for word in _order()]
    found = [f"{count} {word}" for count, word in counts if count]
    return ", ".join([*found, *([plural(len(audit.faults), "fault")] if audit.faults else [])]) or "no component found"


def _order() -> tuple[str, ...]:
    return (Mark.FIX, "EXPIRED", Mark.UNKNOWN, Mark.GATE, Mark.WAIVED, Mark.PASS)


def overview(of: Picture, chosen: int, filtered: str, cells: int) -> Sequence[Line]:
    """How the audit stands, then a row for each component; the chosen one with what to do, so that nobody must scroll for it."""
    rows: list[Entry] = [*_state(of, cells)]
    shown = of.shown(filtered)
    if shown:
        rows += [line(), _head(cells)]
    for number, row in enumerate(shown):
        rows.append(partial(_row, of, row, cells, chosen=number == chosen))
        rows += _body(of, row, cells) if number == chosen else []
    if of.auditing.audit and not shown:
        rows += [line(), line(dim(f"nothing is {filtered}" if filtered in (RED, WAIVED) else "no component was found"))]
    return Rows(rows)


def top(of: Picture, at: int, height: int, cells: int) -> int:
    """The row to begin at so that component `at` and what is known of it are in sight."""
    above = len(_state(of, cells)) + 2 + at
    return 0 if above + ROOMY <= height else above - LEAD


def whole(of: Picture, row: Row, cells: int) -> list[Line]:
    """One component with every object that uses it and every note."""
    return [line(_glyph(of, row), "  ", strong(row.component)), line(), *_body(of, row, cells, whole=True)]


def _state(of: Picture, cells: int) -> list[Line]:
    """What the gate says of it, how far an audit is that is under way, and what could not be looked at."""
    auditing, rows = of.auditing, list[Line]()
    if auditing.progress:
        rows.append(progress(auditing.progress, cells))
    if auditing.why:
        rows += hang(line(("✗ ", Tone.CAUTION)), f"the audit failed: {auditing.why}", cells, Tone.CAUTION)
    if auditing.audit is None and not auditing.progress:
        rows += [line(dim("nothing has been audited yet: a does it now"))]
    if audit := auditing.audit:
        rows += [line(strong(title(of))), line(dim(f"{_when(of, audit)}; {_WANTED[of.asked.require]}")), *_faults(audit, cells)]
    return rows


def progress(of: Progress, cells: int) -> Line:
    """`◐ auditing  ██████▌          12 of 40  image registry.example.com/payments/api`."""
    share = min(1.0, of.done / of.total) if of.total else 0.0
    count = f"{of.done} of {of.total}" if of.total else "begun"
    filled = bar(share, BAR)
    head = line(("◐ auditing  ", Tone.ADVISORY), filled, dim("·" * (BAR - len(filled))), "  ", strong(count), "  ")
    return line(*head, dim(clip(of.doing, max(0, cells - width(head)))))


def _when(of: Picture, audit: Audit) -> str:
    at = of.auditing.at
    return f"audited {ago(max(0.0, (of.now - at).total_seconds()))} ago" if at else f"audited on {audit.day}"


def _faults(audit: Audit, cells: int) -> list[Line]:
    """What could not be looked at, and what is worth knowing."""
    mark = line(("✗ ", Tone.CAUTION))
    found = [row for fault in audit.faults for row in hang(mark, f"not looked at: {fault}", cells, Tone.CAUTION)]
    return found + [row for note in audit.notes for row in hang(line(dim("· ")), note, cells, Tone.DIM)]


def _columns(cells: int) -> tuple[int, int, int]:
    """Cells of the component, of its status and of its owner (0: it has no column)."""
    owner = OWNER if cells >= WIDE else 0
    room = cells - 2 - WORD - owner
    name = max(24, room * 11 // 20)
    return name, room - name - 2, owner


def _head(cells: int) -> Line:
    name, status, owner = _columns(cells)
    return line(dim(f"  {'':<{WORD}}{'component':<{name}}  {'status':<{status}}{'owner' if owner else ''}"))


def _row(of: Picture, row: Row, cells: int, *, chosen: bool) -> Line:
    name, status, owner = _columns(cells)
    tone = Tone.STRONG if chosen else Tone.DIM if row.mark is Mark.PASS else Tone.PLAIN
    head = pad(line("▸ " if chosen else "  ", _glyph(of, row)), 2 + WORD)
    left = pad(line(*head, (tail(row.component, name), tone)), 2 + WORD + name + 2)
    middle = pad(line(*left, dim(clip(_brief(of, row), status))), cells - owner)
    return line(*middle, dim(clip(row.owner, owner))) if owner else middle


def _brief(of: Picture, row: Row) -> str:
    """The status; of what is waived how long that holds."""
    return f"{_left(row.waiver, of.today)}; {row.status}" if row.waiver else row.status


def _glyph(of: Picture, row: Row) -> Part:
    if _mark(of, row) == "EXPIRED":
        return _EXPIRED
    glyph, tone = _MARKS[row.mark]
    return f"{glyph} {row.mark}", tone


def _mark(of: Picture, row: Row) -> str:
    """The mark, or EXPIRED for what was waived until a day that has gone by."""
    lapsed = row.mark is Mark.WAIVED and row.waiver is not None and row.waiver.expires < of.today
    return "EXPIRED" if lapsed else row.mark


def _body(of: Picture, row: Row, cells: int, *, whole: bool = False) -> list[Line]:
    """What is known, what to do, who does it, what excuses it, who uses it."""
    named = len(row.used_by) if whole else NAMED
    used = ", ".join(row.used_by[:named]) + (f" and {len(row.used_by) - named} more" if len(row.used_by) > named else "")
    rows = _labelled("status", row.status, cells)
    rows += _labelled("to do", row.action, cells, Tone.STRONG) if row.action else []
    rows += _labelled("owner", row.owner or "nobody is named", cells)
    rows += _waiver(row.waiver, of.today, cells) if row.waiver else []
    rows += _labelled("used by", used, cells) if used else []
    return [*rows, *_notes(row, cells, whole=whole), line()]


def _notes(row: Row, cells: int, *, whole: bool) -> list[Line]:
    """One a row, or all in one where there is little room."""
    if whole:
        return [part for note in row.notes for part in _labelled("note", note, cells)]
    words = "; ".join(row.notes)
    return _labelled("note", clip(words, max(8, cells - 4 - LABEL)), cells, Tone.DIM) if words else []


def _labelled(label: str, text: str, cells: int, tone: Tone = Tone.PLAIN) -> list[Line]:
    return [line("    ", *row) for row in field(label, text, cells - 4, tone)]


def _waiver(of: Waiver, today: date, cells: int) -> list[Line]:
    left = _left(of, today)
    until = "" if str(of.expires) in left else f" (until {of.expires})"
    words = f"{left}{until}, by {of.owner}: {of.reason}"
    return _labelled("waiver", words, cells, Tone.ALARM if of.expires < today else Tone.PLAIN)


def _left(of: Waiver, today: date) -> str:
    days = (of.expires - today).days
    if days < 0:
        return f"waiver expired {plural(-days, 'day')} ago"
    if days > YEAR:
        return f"waived until {of.expires}"
    return f"waived, {plural(days, 'day')} left" if days else "waived, for today only"


def keys(of: Picture, filtered: str, opened: bool) -> list[tuple[str, str]]:
    """What the keys do on this screen, as pairs of key and words."""
    if opened:
        return [("Esc", "all components"), ("a", "again")]
    found = [("↑ ↓", "choose"), ("Enter", "whole"), ("f", f"show: {filtered}")] if of.shown() else []
    return [*found, ("a", "again" if of.auditing.audit else "audit"), ("Esc", "back")]


def picture(frame: Frame) -> Picture:
    """What there is to draw of a run's audit."""
    return Picture(frame.snapshot.auditing, frame.playbook.portability, frame.snapshot.time)


def verdict(frame: Frame) -> Outcome | None:
    """What the gate says of it now, also once the run has begun and nothing waits for it any more; None without a gate."""
    seen, snapshot = frame.snapshot.source(SourceName.PORTABILITY), frame.snapshot
    found = gate(frame.playbook.portability, snapshot.auditing, seen, snapshot.time.date())
    return found.outcome if found else None


def briefly(outcome: Outcome | None, auditing: Auditing, today: date) -> str:
    """What the key bar says of it: how many are red, how far an audit is; empty when there is nothing to say."""
    if auditing.progress and auditing.audit is None:
        return f"{auditing.progress.done} of {auditing.progress.total}" if auditing.progress.total else "under way"
    if auditing.audit is None:
        return "failed" if auditing.why else ""
    count = len(red(auditing.audit, today))
    return f"{count} red" if count else "red" if outcome not in (None, Outcome.PASS) else ""
