"""What all ecosystems' rows have in common: keys, places, one row a component."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cockpit.model.audit import WORST_FIRST, Layer, Mark, Row

MOST_PLACES = 20
"""Lines that are named of one component."""


def row(
    ecosystem: str, name: str, version: str, mark: Mark, status: str, action: str, where: object, notes: tuple[str, ...] = ()
) -> Row:
    """The row of one package; `dependency/ECOSYSTEM/NAME@VERSION` is its key."""
    component = f"dependency/{ecosystem}/{name}@{version}" if version else f"dependency/{ecosystem}/{name}"
    return Row(component, Layer.DEPENDENCY, mark, status, action, used_by=(str(where),), notes=notes)


def rest(ecosystem: str, file: str, mark: Mark, status: str, action: str = "") -> Row:
    """One row for all those of a lockfile of which there is no more to say than that."""
    return Row(f"dependency/{ecosystem}/{file}", Layer.DEPENDENCY, mark, status, action, used_by=(file,))


def merged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """One row a component, the worst of its own, with every place that names it; in the order of their first ones."""
    found: dict[str, Row] = {}
    for one in rows:
        before = found.get(one.component)
        if before is None:
            found[one.component] = one
            continue
        worst = min((before, one), key=lambda r: WORST_FIRST.index(r.mark))
        places = tuple(dict.fromkeys((*before.used_by, *one.used_by)))[:MOST_PLACES]
        found[one.component] = replace(worst, used_by=places)
    return tuple(found.values())


def plural(count: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
