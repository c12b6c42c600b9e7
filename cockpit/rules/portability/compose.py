"""All rows of an audit as one: each component once, waived where that is written, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from cockpit.model.audit import WORST_FIRST, Audit, Layer, Row
from cockpit.model.playbook import Waiver
from cockpit.rules.portability.waivers import apply

_WORST = {mark: rank for rank, mark in enumerate(WORST_FIRST)}
_LAYERS = {layer: rank for rank, layer in enumerate(Layer)}


def compose(rows: Iterable[Row], waivers: Sequence[Waiver], today: date, faults: Iterable[str] = ()) -> Audit:
    """The audit of a day."""
    judged, notes = apply(_merged(rows), waivers, today)
    ordered = sorted(judged, key=lambda row: (_WORST[row.mark], _LAYERS[row.layer], row.component))
    return Audit(tuple(ordered), today, tuple(dict.fromkeys(faults)), notes)


def _merged(rows: Iterable[Row]) -> list[Row]:
    """Of rows about one component the worst counts; who uses it and what is worth knowing is kept from all."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row.component)
        found[row.component] = row if before is None else _one(before, row)
    return list(found.values())


def _one(left: Row, right: Row) -> Row:
    worse = min(left, right, key=lambda row: _WORST[row.mark])
    return replace(
        worse,
        owner=worse.owner or left.owner or right.owner,
        used_by=tuple(dict.fromkeys((*left.used_by, *right.used_by))),
        notes=tuple(dict.fromkeys((*left.notes, *right.notes))),
    )
