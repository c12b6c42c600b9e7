"""Home as rows: the board of each program, the other playbooks, and what is to be said of the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.model.program import Board, BoardRow, Position, Standing
from cockpit.program.home import Entry, Home
from cockpit.program.words import audit, below, columns, controls, state
from screens.present.words import BLANK, Line, Tone, clip, dim, fit, line, pad, plural, shorten, strong, wrap

_CALM = (Standing.NOT_BEGUN, Standing.COMPLETED, Standing.UNKNOWN)
_ALARMS = (Standing.FAILED,)
_WIDE = 100
_LEAST = 10
"""Cells of a column that would otherwise be narrower."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be chosen: a playbook, or a tier that none moves (then `file` is empty)."""

    name: str
    file: str
    position: Position
    row: BoardRow | None = None
    program: str = ""
    """The file of the program on whose board it stands."""

    @property
    def blocked(self) -> str:
        """Why its run must not start yet; empty when it may."""
        waits = self.row.blockers if self.row and not self.position.begun else ()
        return waits[0] + (f", and {len(waits) - 1} more" if len(waits) > 1 else "") if waits else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of home, with the item on each of them that has one."""

    rows: tuple[Line, ...]
    items: tuple[Item | None, ...]

    def at(self, chosen: int) -> int:
        """The row of the item with this number; 0 without one."""
        found = [number for number, item in enumerate(self.items) if item]
        return found[chosen] if 0 <= chosen < len(found) else 0


def items(home: Home) -> tuple[Item, ...]:
    """What can be chosen, in its order."""
    boards = [_item(row, board) for board in home.boards for row in board.rows]
    return (*boards, *(Item(one.name, one.file, one.position) for one in home.others))


def listed(home: Home, chosen: int, cells: int) -> Listed:
    """Every row, the chosen item marked."""
    rows: list[Line] = []
    found: list[Item | None] = []

    def add(row: Line, item: Item | None = None) -> None:
        rows.append(fit(row, cells))
        found.append(item)

    count = 0
    for board in home.boards:
        add(line(strong(f"Program {board.program.name}"), dim(f"   {board.program.source}")))
        widths = _widths(board, cells)
        add(line("  ", dim(_cells(("tier", "playbook", "state", "audit", "controls", "next"), widths))))
        for row in board.rows:
            add(_board_row(row, widths, count == chosen), _item(row, board))
            count += 1
        add(BLANK)
    if home.others:
        add(line(strong("Other playbooks" if home.boards else "Playbooks")))
        for one in home.others:
            add(_other_row(one, cells, count == chosen), Item(one.name, one.file, one.position))
            count += 1
    for fault in home.faults:
        for text in wrap(f"✗ {fault}", cells):
            add(line((text, Tone.CAUTION)))
    return Listed(tuple(rows), tuple(found))


def detail(item: Item | None, home: Home, cells: int, height: int) -> list[Line]:
    """All that is known of the chosen item, in at most `height` rows."""
    if item is None:
        return [line(dim("no playbook was found: put one into ./playbooks, or name folders in $COCKPIT_PLAYBOOKS"))]
    at = item.position
    head = line(strong(item.name), dim(f"   {item.file}" if item.file else "   no playbook moves this tier"))
    told = columns(item.row)[2] if item.row else state(at)
    asked = told if home.asked or not item.file else "asking its cluster…"
    facts = line(*_pair("state", asked), *_pair("audit", audit(at) if item.file else "-"), *_pair("controls", controls(at)))
    step = item.row.step if item.row else ""
    rows = [head, facts, *([line(dim("next     "), (step, Tone.ADVISORY))] if step else [])]
    more = below(item.row) if item.row else [at.why] if at.why else []
    for text in more if home.asked else ():
        tone = Tone.CAUTION if text.startswith("waits") else Tone.PLAIN
        first, *rest = wrap(text, cells - 9)
        rows += [line(" " * 9, (first, tone)), *(line(" " * 9, (part, tone)) for part in rest)]
    return [fit(row, cells) for row in shorten(rows, height, "cockpit | cat")]


def going(home: Home) -> str:
    """How many runs are under way, in words; empty when none is."""
    found = [item for item in items(home) if item.position.standing.going]
    if not found:
        return ""
    names = ", ".join(f"{item.name} {item.position.standing}" for item in found[:3])
    return f"{plural(len(found), 'run')} not ended: {names}" + (", …" if len(found) > 3 else "")


def choices(item: Item) -> list[Line]:
    """What can be done with a playbook, by key."""
    fly = line(strong("f"), " fly it against the real cluster", dim("   cockpit run"))
    if item.blocked:
        fly = line(dim("f fly it: not yet, it waits for "), (item.blocked, Tone.CAUTION))
    elif item.position.standing.going:
        fly = line(strong("f"), f" go on with its run, which is {item.position.standing}", dim("   cockpit run"))
    return [
        line(strong("Enter"), " or ", strong("r"), " rehearse it on the embedded world: nothing real is moved"),
        fly,
        line(strong("p"), " show its plan: every write as a diff"),
        line(strong("A"), " audit its portability"),
        line(strong("Esc"), dim(" leave it")),
    ]


def key_bar(cells: int, *, asking: bool) -> Line:
    """The keys of home."""
    keys = [("Enter", "rehearse or run"), ("A", "audit"), ("↑ ↓", "choose"), ("u", "ask again"), ("q", "quit")]
    parts = [part for key, word in keys for part in (strong(key), f" {word}   ")]
    return fit(line(" ", *parts, (("asking…" if asking else ""), Tone.ADVISORY)), cells)


def _pair(label: str, text: str) -> Sequence[str | tuple[str, Tone]]:
    return dim(f"{label}".ljust(9) if label == "state" else f"   {label} "), text or "-"


def _item(row: BoardRow, board: Board) -> Item:
    name = columns(row)[1] if row.playbook else row.tier
    return Item(name, row.playbook, row.position, row, board.program.source)


def _widths(board: Board, cells: int) -> list[int]:
    """Of each column; who has the controls and the next step have room on a wide terminal only."""
    table = [columns(row) for row in board.rows]
    widest = [max(_LEAST, *(len(row[n]) for row in table)) for n in range(6)]
    if cells < _WIDE:
        room = max(30, cells - 2 - widest[3] - 6)
        return [
            min(widest[0], room // 4),
            min(widest[1], room // 3),
            min(widest[2], room - room // 4 - room // 3),
            widest[3],
            0,
            0,
        ]
    return [min(widest[0], 16), min(widest[1], 24), min(widest[2], 26), widest[3], min(widest[4], 18), widest[5]]


def _cells(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(clip(text, width).ljust(width) for text, width in zip(texts, widths, strict=True) if width).rstrip()


def _board_row(row: BoardRow, widths: Sequence[int], chosen: bool) -> Line:
    texts = columns(row)
    tones = (Tone.PLAIN, Tone.PLAIN, _tone(row.position), _audit_tone(row.position), Tone.PLAIN, Tone.DIM)
    parts: list[str | tuple[str, Tone]] = []
    for text, width, tone in zip(texts, widths, tones, strict=True):
        if width:
            parts.append((clip(text, width).ljust(width) + "  ", Tone.STRONG if chosen and tone is Tone.PLAIN else tone))
    return line(_marker(chosen), *parts)


def _other_row(one: Entry, cells: int, chosen: bool) -> Line:
    name = pad(line((clip(one.name, 28), Tone.STRONG if chosen else Tone.PLAIN)), 30)
    at = one.position
    told = pad(line((state(at), _tone(at))), 28)
    return fit(line(_marker(chosen), *name, *told, (audit(at), _audit_tone(at)), dim(f"   {controls(at)}")), cells)


def _marker(chosen: bool) -> tuple[str, Tone]:
    return ("▸ ", Tone.ADVISORY) if chosen else ("  ", Tone.PLAIN)


def _tone(at: Position) -> Tone:
    if at.standing in _ALARMS:
        return Tone.ALARM
    if at.standing is Standing.UNKNOWN:
        return Tone.DIM
    return Tone.PLAIN if at.standing in _CALM else Tone.ADVISORY if at.standing is Standing.UNDER_WAY else Tone.CAUTION


def _audit_tone(at: Position) -> Tone:
    return Tone.CAUTION if at.colour == "red" else Tone.PLAIN if at.colour else Tone.DIM
