"""The key bar: what each key will do now, or what it waits for. And the rows of help."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.model.verdict import Outcome
from screens.actions import ACTIONS, BY_ID, Action, Can, Group
from screens.present.view import View
from screens.present.words import Line, Tone, dim, fit, join, line, pad, strong, width, wrap

GAP = "   "


def key_bar(view: View, cells: int) -> list[Line]:
    """Two rows: the keys that move the run, then those that only look."""
    controls = [a for a in ACTIONS if a.group is Group.CONTROLS]
    room = cells - 2
    rows = [_controls(view, controls, room, depth) for depth in range(_DEPTHS)]
    fitting = [row for row in rows if width(row) <= room] or rows[-1:]
    # A reason more is worth shorter words beside it.
    row = min(fitting, key=_left_out)
    views = [_item(a, a.can(view)) for a in ACTIONS if a.group is Group.VIEWS]
    panels = line(strong("1-6"), " Panel")
    return [line(" ", *fit(row, room)), line(" ", *fit(join([*views[:2], panels, *views[2:]], GAP), room))]


_DEPTHS = 4


def _left_out(row: Line) -> int:
    """How many reasons of promote the row only counts."""
    found = re.search(r"(?:\+|waits for )(\d+)\)", row[0][0])
    return int(found[1]) if found else 0


def _controls(view: View, controls: Sequence[Action], room: int, depth: int) -> Line:
    """The row of controls, its reasons the shorter the greater `depth` is."""
    gap = GAP if depth == 0 else "  "
    cans = [a.can(view) for a in controls]
    fixed = [_item(a, c, depth) for a, c in zip(controls[1:], cans[1:], strict=True)]
    used = sum(width(i) + len(gap) for i in fixed)
    return join([_item(controls[0], cans[0], depth, room - used), *fixed], gap)


def _item(action: Action, can: Can, depth: int = 0, room: int = 0) -> Line:
    label = can.label or action.label
    if not can.now:
        return line(dim(f"{action.shown} {label}{_reasons(action, can, depth, room - len(action.shown) - len(label) - 1)}"))
    why = can.why[-1:] if depth > 1 and len(can.why) > 1 and not can.caution else can.why
    words = f" ({', '.join(why)})" if why else ""
    return line(strong(action.shown), f" {label}", (words, Tone.CAUTION if can.caution else Tone.PLAIN))


def _reasons(action: Action, can: Can, depth: int, room: int) -> str:
    """` (waiting: soak 7:19, agents)`, with as many reasons as fit and a count of the others."""
    why = [_short(reason) for reason in can.why] if action.id == "promote" else list(can.why)
    if action.id != "promote":
        return f" ({', '.join(why)})" if why and depth < _DEPTHS - 1 else ""
    # A single long reason is a sentence of its own: "canary-25 is not proven yet".
    lead = "" if len(why) == 1 and len(why[0].split()) > 3 else "waiting: "
    for count in range(len(why), 0, -1):
        more = f" +{len(why) - count}" if count < len(why) else ""
        words = f" ({lead}{', '.join(why[:count])}{more})"
        if len(words) <= room:
            return words
    if can.brief:
        return f" ({can.brief})" if len(can.brief) + 3 <= room else " (ended)"
    return f" (waits for {len(why)})" if why else ""


def _short(reason: str) -> str:
    """A reason without its explanation and without the outcome's own word, both of which stand in the panel of gates."""
    head = reason.split(": ")[0]
    name, _, last = head.rpartition(" ")
    return name if last in Outcome.__members__ else head


def help_rows(view: View, cells: int) -> list[Line]:
    """Every action: key, name, whether it can act now and why not, what it does."""
    rows: list[Line] = []
    for group, title in _TITLES.items():
        rows += [line(), line(strong(title))]
        for action in ACTIONS:
            if action.group is group:
                rows += _help(action, action.can(view), cells)
    return rows[1:]


_TITLES = {
    Group.CONTROLS: "Moves the run",
    Group.VIEWS: "Looks at it",
    Group.PANELS: "Panels (Tab moves between them, Enter opens, Esc leaves)",
    Group.ABSENT: "Not in this version",
}


def _help(action: Action, can: Can, cells: int) -> list[Line]:
    head = pad(line("  ", strong(action.shown) if can.now else dim(action.shown)), 11)
    head = pad(line(*head, can.label or action.label), 36)
    text = wrap(action.help, max(20, cells - 36))
    rows = [line(*head, text[0]), *(line(" " * 36, rest) for rest in text[1:])]
    if can.why and not (can.now and not can.caution):
        reasons = wrap(("now: " if can.now else "not now: ") + ", ".join(can.why), max(20, cells - 36))
        rows += [line(" " * 36, (reason, Tone.CAUTION if can.caution else Tone.DIM)) for reason in reasons]
    return rows


def palette() -> list[tuple[str, str, str]]:
    """(title, help, action id) of everything that the command palette offers."""
    return [
        (f"{a.label} ({a.shown})", a.help, a.id) for a in ACTIONS if a.group is not Group.ABSENT and a is not BY_ID["palette"]
    ]
