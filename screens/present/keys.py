"""The key bar: what each key will do now, or what it waits for. And the rows of help."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.model.auditing import NOT_AUDITED
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
    looks = [_views(view, gap, depth) for gap, depth in ((GAP, 0), ("  ", 0), (GAP, _DEPTHS), ("  ", _DEPTHS))]
    look = next((found for found in looks if width(found) <= room), _marked(view))
    return [line(" ", *fit(row, room)), line(" ", *fit(look, room))]


def _views(view: View, gap: str, depth: int) -> Line:
    """The row of what only looks; from some depth on without the reasons why a key cannot act, which help has too."""
    views = [_item(a, a.can(view), depth) for a in ACTIONS if a.group is Group.VIEWS and _concerns(a, view)]
    panels = line(strong("1-6"), " Panel")
    return join([*views[:2], panels, *views[2:]], gap)


def _marked(view: View) -> Line:
    """The same where nothing else fits: what deserves a look is marked, and says why on its own screen."""
    cans = [(a, a.can(view)) for a in ACTIONS if a.group is Group.VIEWS and _concerns(a, view)]
    views = [line(strong(a.shown), f" {c.label or a.label}", ("!" if c.caution else "", Tone.CAUTION)) for a, c in cans]
    return join([*views[:2], line(strong("1-6"), " Panel"), *views[2:]], "  ")


def _concerns(action: Action, view: View) -> bool:
    """The audit stands there only where a playbook asks for one, or somebody has made one; help has it always."""
    frame = view.frame
    if action is not BY_ID["audit"]:
        return True
    return frame is not None and (frame.playbook.portability.require != "off" or frame.snapshot.auditing != NOT_AUDITED)


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
    for key, name, words in _LISTS:
        head = pad(line(*pad(line("  ", strong(key)), 11), name), 36)
        first, *rest = wrap(words, max(20, cells - 36))
        rows += [line(*head, first), *(line(" " * 36, more) for more in rest)]
    return rows[1:]


_LISTS = (
    ("s", "Sort 1 and 4", "Trouble first, by name, cpu, pods, zone"),
    (
        "/",
        "Filter 1 and 4",
        "Rows that hold every word typed; Enter keeps it, Esc clears it; R still rolls back",
    ),
)
_TITLES = {
    Group.CONTROLS: "Moves the run",
    Group.VIEWS: "Looks at it",
    Group.PANELS: "Panels (Tab moves between them, Enter opens, Esc leaves)",
    Group.TERMINAL: "Terminal and lists",
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


def palette() -> list[Action]:
    """Everything that the command palette offers."""
    return [a for a in ACTIONS if a is not BY_ID["palette"]]


def searched(text: str) -> list[Action]:
    """The actions whose name or help holds every word that was typed, those by name first."""
    words = text.lower().split()
    by_name = [a for a in palette() if all(word in a.label.lower() for word in words)]
    return by_name + [a for a in palette() if a not in by_name and all(word in f"{a.label} {a.help}".lower() for word in words)]


def palette_head(typed: str) -> list[Line]:
    """The search."""
    return [line(strong("Commands   "), f"▸ {typed}▏")]


def palette_rows(view: View, typed: str, at: int) -> list[Line]:
    """What was found, the chosen one marked; what cannot act now says why."""
    return [_found(action, action.can(view), number == at) for number, action in enumerate(searched(typed))]


def _found(action: Action, can: Can, here: bool) -> Line:
    name = pad(line(f"{'▸' if here else ' '} {action.shown:<7}{can.label or action.label}"), 36)
    words = action.help if can.now else f"not now: {', '.join(can.why)}"
    return line(*((text, Tone.STRONG if here else Tone.PLAIN) for text, _ in name), dim(words))


def palette_foot(typed: str, warning: str) -> list[Line]:
    """What the keys do."""
    none = "" if searched(typed) else "there is no such command"
    hint = [line((f"! {warning or none}", Tone.CAUTION))] if warning or none else []
    return [*hint, line(strong("↑ ↓"), " choose   ", strong("Enter"), " does it   ", strong("Esc"), " leaves")]
