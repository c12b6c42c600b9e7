"""What a verdict rests on, as rows: estimate, interval and test, then each side's samples, age and query as sent."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.verdict import Evidence, Side, Verdict
from screens.present.words import UNKNOWN, Line, ago, dim, flow, line, plural, wrap

INDENT = 4
SMALLEST = 0.001
"""A chance that is less is not told more exactly: nothing is ever impossible."""
_TOLD = frozenset({"n", "n_baseline", "age", "low", "high", "p", "u", "effect"})
"""Numbers that the evidence says better."""


def evidence_rows(of: Verdict, cells: int) -> list[Line]:
    """The rows under a verdict; none where there is nothing behind it."""
    found = of.evidence
    numbers = [f"{name} {value:.4g}" for name, value in of.numbers.items() if found is None or name not in _TOLD]
    rows = _flowing(([] if found is None else _test(found)) + numbers, cells)
    rows += [line(" " * INDENT, dim(row)) for detail in of.details for row in wrap(detail, _room(cells))]
    sides = found.sides if found else {}
    for arch, side in sides.items():
        rows += _side(arch, side, cells)
    return [*rows, *_queries(sides, cells)]


def _test(of: Evidence) -> list[str]:
    found = []
    if of.estimate is not None and of.interval is not None:
        sign = "+" if of.statistic is not None else ""
        estimate, low, high = (_percent(end, sign) for end in (of.estimate, *of.interval))
        found.append(f"{estimate} ({low}..{high} at {of.level:.0%})")
    if of.statistic is not None and of.p is not None:
        kind = "exact" if of.exact else "approximate"
        chance = f"{of.p:.2g}" if of.p >= SMALLEST else f"<{SMALLEST:g}"
        found.append(f"p {chance} (Mann-Whitney, {kind})")
        found.append(f"U {of.statistic:.10g}")
    if of.effect is not None:
        found.append(f"{of.effect:.0%} of pairs higher")
    if of.overlap > 1:
        found.append(f"{of.overlap:.3g} samples share a window")
    return found


def _side(arch: str, side: Side, cells: int) -> list[Line]:
    age = UNKNOWN if side.age is None else f"newest {ago(max(0.0, side.age))} old"
    head = f"{arch}  {plural(side.n, 'sample')}, {age}"
    values = " ".join(f"{value:.4g}" for value in side.values)
    rows = [head, *(f"  {row}" for row in wrap(values, _room(cells) - 2) if row)]
    return [line(" " * INDENT, dim(row)) for row in rows]


def _queries(sides: Mapping[str, Side], cells: int) -> list[Line]:
    """Each side's query as sent, after the numbers: they are read first."""
    rows: list[str] = []
    for arch, side in sides.items():
        cut = _cut(" ".join(side.query.split()), _room(cells) - 2)
        rows += [f"query {arch}", *(f"  {row}" for row in cut)] if cut else []
    return [line(" " * INDENT, dim(row)) for row in rows]


def _flowing(items: list[str], cells: int) -> list[Line]:
    return [line(" " * INDENT, *row) for row in flow([line(dim(item)) for item in items], _room(cells))] if items else []


def _room(cells: int) -> int:
    return max(20, cells - INDENT)


def _percent(part: float, sign: str) -> str:
    """A share, or with `sign` + a change; what is unbounded as such."""
    return f"{part:{sign}.1%}" if abs(part) < 100 else ("+∞" if part > 0 else "-∞")


def _cut(text: str, cells: int) -> list[str]:
    """All of a text in rows, broken wherever a row is full: a query is read to be copied."""
    return [text[i : i + cells] for i in range(0, len(text), cells)]
