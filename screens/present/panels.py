"""The six panels: number, title, what they draw from, and their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cockpit.model.snapshot import SourceName
from cockpit.run.frame import Frame
from screens.present import agents, events, gates, latency, nodes, traffic
from screens.present.sources import note
from screens.present.spark import still
from screens.present.view import View
from screens.present.words import UNKNOWN, Line, Part, Tone, dim, fit, line, pad, shorten, width


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `rows` gives its rows for a frame in so many cells and rows."""

    number: int
    title: str
    sources: tuple[SourceName, ...]
    rows: Callable[[Frame, int, int], list[Line]]


PANELS: tuple[Panel, ...] = (
    Panel(1, "Nodes", nodes.SOURCES, nodes.rows),
    Panel(2, "Traffic", traffic.SOURCES, traffic.rows),
    Panel(3, "p99", latency.SOURCES, latency.rows),
    Panel(4, "Agents", agents.SOURCES, agents.rows),
    Panel(5, "Gates", gates.SOURCES, gates.rows),
    Panel(6, "Events", events.SOURCES, events.rows),
)


def title(panel: Panel, view: View) -> str:
    """The panel's title; agents say on which architecture, gates since when nothing is judged any more."""
    if panel.number == 5 and view.frame and (when := gates.when(view.frame)):
        return f"{panel.title}, {when}"
    return f"Agents on {view.frame.playbook.target.to_arch}" if panel.number == 4 and view.frame else panel.title


def content(panel: Panel, view: View, cells: int, height: int) -> list[Line]:
    """The panel's rows, each at most `cells` wide, at most `height` of them."""
    if view.frame is None:
        return [line(dim(UNKNOWN))]
    rows = [fit(still(row) if view.slow else row, cells) for row in panel.rows(view.frame, cells, height)]
    return shorten(rows, height, f"{panel.number} shows all")


def boxed(panel: Panel, view: View, cells: int, height: int, focused: bool) -> list[Line]:
    """The panel in a box of `cells` by `height`."""
    inner = cells - 4
    rule = Tone.PLAIN if focused else Tone.RULE
    rows = content(panel, view, inner, height - 2)
    rows += [line()] * (height - 2 - len(rows))
    side = ("│", rule)
    body = [line(side, " ", *pad(row, inner), " ", side) for row in rows]
    return [_top(panel, view, cells, ("┌─", "─┐"), rule), *body, line(("└" + "─" * (cells - 2) + "┘", rule))]


def ruled(panel: Panel, view: View, cells: int, height: int, focused: bool) -> list[Line]:
    """The panel under a rule that bears its title, for low terminals."""
    rows = content(panel, view, cells - 4, height - 1)
    rule = Tone.PLAIN if focused else Tone.RULE
    return [_top(panel, view, cells, (" ─", "─ "), rule), *(line("   ", *row) for row in rows)]


def _top(panel: Panel, view: View, cells: int, ends: tuple[str, str], rule: Tone) -> Line:
    frame = view.frame
    aside: Part | None = note(frame.snapshot, *panel.sources) if frame else None
    left = line((ends[0], rule), " ", dim(str(panel.number)), " ", title(panel, view), " ")
    right = line(*((" ", aside, " ") if aside else ()), (ends[1], rule))
    return line(*left, ("─" * max(0, cells - width(left) - width(right)), rule), *right)
