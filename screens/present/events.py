"""The panel of events: the run's own and the cluster's warnings, newest first. And the rows of the log."""

from __future__ import annotations

from datetime import datetime

from cockpit.model.cluster import KubeEvent
from cockpit.model.event import Event, EventType
from cockpit.model.snapshot import SourceName
from cockpit.model.verdict import Outcome
from cockpit.run.frame import Frame
from cockpit.run.state import HoldBy
from screens.present.picking import Kept
from screens.present.words import Line, Part, Tone, clip, dim, hang, line, pad

SOURCES = (SourceName.EVENTS,)
FULL = 6
ROOMY = 110
"""Cells from which on an event of the log and its message share a row."""
_GLYPHS: dict[EventType, tuple[str, Tone]] = {
    EventType.ABORT_TRIGGERED: ("✗", Tone.ALARM),
    EventType.WRITE_FAILED: ("✗", Tone.ALARM),
    EventType.DRIFT: ("✗", Tone.ALARM),
    EventType.HELD: ("‖", Tone.CAUTION),
    EventType.SOURCE_FAULT: ("!", Tone.CAUTION),
    EventType.ROLLBACK_STARTED: ("↩", Tone.CAUTION),
    EventType.ROLLED_BACK: ("↩", Tone.CAUTION),
}
_QUIET = (EventType.KEY, EventType.VERDICT)
"""Of interest in the log; among the events that a person is shown they would bury the others."""


def rows(frame: Frame, cells: int, height: int) -> list[Line]:
    """The newest events that concern a person."""
    found = newest(frame, height)
    whole = [row for entry in found for row in _row(*entry, cells)]
    if len(whole) > height and height < FULL:
        whole = [_row(*entry, 999)[0] for entry in found]
    return whole[:height] or [line(dim("nothing has happened yet"))]


def newest(frame: Frame, count: int) -> list[tuple[datetime, str, Part]]:
    """The newest `count` events, newest first: time, words, glyph."""
    ours = [e for e in frame.events if e.type not in _QUIET][-count:]
    theirs = _WARNINGS.get(_warnings, frame.snapshot.events)[-count:]
    found = [(e.time, words(e), _glyph(e)) for e in ours] + [(e.time, warning(e), ("!", Tone.CAUTION)) for e in theirs]
    return sorted(found, key=lambda entry: entry[0], reverse=True)[:count]


def _warnings(events: tuple[KubeEvent, ...]) -> list[KubeEvent]:
    return sorted((e for e in events if e.type == "Warning"), key=lambda e: e.time)


_WARNINGS: Kept[list[KubeEvent]] = Kept()
"""Of thousands of events, which are the very same ones from tick to tick."""


def _row(time: datetime, text: str, glyph: Part, cells: int) -> list[Line]:
    return hang(line(dim(f"{time:%H:%M:%S} "), glyph, " "), text, cells, Tone.PLAIN)


def _glyph(event: Event) -> Part:
    if event.type is EventType.GATE and event.fields.get("verdict") == Outcome.FAIL:
        return "✗", Tone.ALARM
    if event.type is EventType.DRIFT and event.fields.get("held") is False:
        return "!", Tone.CAUTION  # told, since it makes the sides hard to compare; nothing was held for it
    return _GLYPHS.get(event.type, ("·", Tone.DIM))


def words(event: Event) -> str:
    """An event's sentence, or its type where it has none."""
    return event.message or str(event.type).replace("_", " ")


def warning(event: KubeEvent) -> str:
    """A cluster's event in one sentence: what, why, how often."""
    often = f" (x{event.count})" if event.count > 1 else ""
    return f"{event.regarding.partition('/')[2] or event.regarding}: {event.reason}{often}: {event.message}".rstrip(": ")


def log_rows(event: Event, cells: int) -> list[Line]:
    """One event in full: time, who, type, phase, message; the message has rows of its own where there is little room."""
    glyph, tone = _glyph(event)
    head = line(
        dim(f"{event.time:%H:%M:%S}  "),
        *pad(line(clip(_who(event), 18)), 20),
        *pad(line((f"{glyph} {event.type}", tone)), 20),
        *pad(line(dim(clip(event.phase, 16))), 18),
    )
    message = tone if tone is not Tone.DIM else Tone.PLAIN
    if cells >= ROOMY:
        return hang(head, words(event), cells, message)
    return [head, *hang(line(" " * 10), words(event), cells, message)]


def _who(event: Event) -> str:
    """The person, or what held the run where that was no person."""
    by = str(event.fields.get("by") or "")
    return by if by and by != HoldBy.OPERATOR else str(event.fields.get("who") or "run")
